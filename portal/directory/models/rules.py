"""How a person wants to be paged: over which way, after how long."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from portal.audit.models import AuditedModel
from portal.directory.enums import Occasion
from portal.directory.models.people import Contact, ContactMethod

LONGEST_DELAY = 4 * 60 * 60  # seconds


class NotificationRule(AuditedModel):
    """One step of how a person is paged on an occasion: a method, so many seconds after the page began.

    Without a row for an occasion, the first verified method is used at once.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "contact"

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="rules")
    occasion = models.CharField(max_length=6, choices=Occasion)
    method = models.ForeignKey(ContactMethod, on_delete=models.PROTECT, related_name="rules")
    delay_seconds = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text="Seconds after the page began; the first method is used at once.",
    )

    class Meta:
        ordering = ["contact", "occasion", "delay_seconds", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "occasion", "method"],
                name="one_rule_per_method_and_occasion",
                violation_error_message="This method has a place on that occasion already. Change its delay instead.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_occasion_display()} of {self.contact}: {self.method.get_kind_display()}"
