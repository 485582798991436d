"""The severity table and its clocks."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from portal.audit.models import AuditedModel
from portal.directory.enums import Clock, LimitUnit, Tone

YEAR_OF_MINUTES = 366 * 24 * 60
LONGEST_IN_BUSINESS_DAYS = 60


class Severity(AuditedModel):
    """One level of the severity table. Level 1 is the worst."""

    privileged: ClassVar[bool] = True

    level = models.PositiveSmallIntegerField(
        unique=True, validators=[MinValueValidator(1), MaxValueValidator(9)], help_text="1 is the worst."
    )
    code = models.CharField(
        max_length=10,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9-]+\Z", "Use capital letters, figures and hyphens, as in SEV-1.")],
    )
    name = models.CharField(max_length=40)
    description = models.CharField(max_length=300)
    example = models.CharField(max_length=300, blank=True)
    tone = models.CharField("colour", max_length=10, choices=Tone, default=Tone.GREY)
    is_major = models.BooleanField("major incident", default=False)
    pages_loudly = models.BooleanField(
        default=False, help_text="People are paged by their rules for loud pages, where they have any."
    )
    ignores_quiet_hours = models.BooleanField(
        default=False, help_text="Pages leave at once, whatever quiet hours somebody has."
    )
    target = models.CharField("response time", max_length=60, blank=True, help_text="As people say it: 15 minutes.")

    class Meta:
        ordering = ["level"]
        verbose_name_plural = "severity levels"

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class SeverityClock(AuditedModel):
    """The limit of one clock at one severity. No row means that the clock does not run at that level."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "severity"

    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, related_name="clocks")
    clock = models.CharField(max_length=20, choices=Clock)
    limit = models.PositiveIntegerField(
        help_text="How many units; for recovery objectives it is not read.",
        default=0,
        validators=[MaxValueValidator(YEAR_OF_MINUTES)],
    )
    unit = models.CharField(max_length=20, choices=LimitUnit, default=LimitUnit.MINUTES)
    repeat_minutes = models.PositiveIntegerField(
        "next update every (minutes)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(7 * 24 * 60)],
        help_text="After the first message, empty for none.",
    )

    class Meta:
        ordering = ["severity", "clock"]
        constraints = [
            models.UniqueConstraint(
                fields=["severity", "clock"],
                name="one_limit_per_severity_and_clock",
                violation_error_message="This severity already has that clock. Change that line instead.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_clock_display()} at {self.severity.code}"

    def clean(self) -> None:
        """Refuse a limit that would be missed at once, or that counts what this clock cannot count."""
        if self.unit == LimitUnit.OBJECTIVE:
            if self.clock != Clock.RESOLVE:
                raise ValidationError({"unit": "Only the resolve clock runs to a recovery objective."})
        elif not self.limit:
            raise ValidationError({"limit": "Give a limit of at least 1."})
        elif self.unit == LimitUnit.BUSINESS_DAYS and self.limit > LONGEST_IN_BUSINESS_DAYS:
            raise ValidationError({"limit": f"Give at most {LONGEST_IN_BUSINESS_DAYS} business days."})
