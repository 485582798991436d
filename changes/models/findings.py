"""Privileged writes to a system's configuration outside of any change's slot."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from changes.enums import FindingState
from changes.models.changes import Change
from portal.audit.models import AuditedModel
from portal.directory.models import System


class Finding(AuditedModel):
    """Somebody changed the configuration of a system while no change was in progress on it.

    One gesture on one system is one finding. The change manager accepts it with a reason, or makes an emergency change
    of it.
    """

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="findings", editable=False)
    act = models.UUIDField("gesture", editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField("by", max_length=200, editable=False)
    words = models.CharField("what was changed", max_length=500, editable=False)
    state = models.CharField(max_length=10, choices=FindingState, default=FindingState.OPEN, editable=False)
    change = models.ForeignKey(
        Change, null=True, blank=True, on_delete=models.PROTECT, related_name="findings", editable=False
    )
    answer = models.TextField(blank=True, max_length=1000, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    answered_by = models.CharField(max_length=200, blank=True, editable=False)

    belongs_to: ClassVar[str] = "system"

    class Meta:
        ordering = ["-made_at", "-id"]
        verbose_name = "unauthorised change"
        constraints = [
            models.UniqueConstraint(fields=["act", "system"], name="one_finding_per_gesture_and_system"),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True, answered_by="")
                | (~Q(state="open") & Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="finding_answered_by_whom_and_when",
            ),
            models.CheckConstraint(condition=~Q(made_by=""), name="finding_made_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(state="turned", change__isnull=False) | (~Q(state="turned") & Q(change__isnull=True)),
                name="finding_turned_into_a_change",
            ),
        ]
        indexes = [
            models.Index(fields=["-made_at"], condition=Q(state="open"), name="finding_open"),
        ]

    def __str__(self) -> str:
        return f"{self.system} by {self.made_by}"
