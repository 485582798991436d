"""Working days and hours."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from portal.audit.models import AuditedModel
from portal.directory import validators
from portal.lib.zones import validate_zone


class Calendar(AuditedModel):
    """Working days and hours in one place of the world: a business day is one of its working days."""

    privileged: ClassVar[bool] = True

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="As in Europe/London or Asia/Tokyo.",
    )
    weekdays = models.CharField(
        max_length=13, default="0,1,2,3,4", help_text="Working days as numbers, Monday is 0: 0,1,2,3,4."
    )
    opens = models.TimeField(default="09:00")
    closes = models.TimeField(default="17:30")
    country = models.CharField(
        max_length=2, blank=True, help_text="Public holidays of this country (ISO 3166 code such as GB) are days off."
    )
    subdivision = models.CharField(
        "part of the country", max_length=20, blank=True, help_text="Part of the country, such as ENG."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse hours that end before they start, days that are none, and holidays that nobody knows."""
        self.country = self.country.upper()
        self.weekdays = validators.normal_weekdays(self.weekdays)
        validators.check_country(self.country, self.subdivision)
        if self.opens and self.closes and self.closes <= self.opens:
            raise ValidationError({"closes": "The working day must end after it starts."})


class CalendarDay(AuditedModel):
    """A day of a calendar's own: a company holiday, or a working day where the library knows a holiday."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "calendar"

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="own_days")
    date = models.DateField()
    name = models.CharField(max_length=80)
    is_working = models.BooleanField("a working day", default=False)

    class Meta:
        ordering = ["date"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "date"],
                name="one_own_day_per_date",
                violation_error_message="This calendar already has a line for that day. Change that one instead.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"
