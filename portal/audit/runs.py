"""The runs of reconciliation: how far each has come, and what it found."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from portal.lib.visibility import VisibleQuerySet


class Reconciliation(models.Model):
    """One run over everything that is audited, taken up again where it was left.

    `night` is the night it belongs to, empty when somebody asked for it. `part` and `after` are where it goes on.
    `found` counts all findings, `findings` holds the first of them. What came of it is told in the trail.
    """

    night = models.DateField(null=True, blank=True, unique=True)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True, blank=True)
    part = models.CharField(max_length=120, blank=True)
    after = models.BigIntegerField(null=True, blank=True)
    rows = models.BigIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list, blank=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=~Q(started_by=""), name="reconciliation_started_by_whom")]
        indexes = [
            models.Index(fields=["-finished_at"], name="reconciliation_newest"),
        ]

    def __str__(self) -> str:
        return f"reconciliation of {self.started_at:%Y-%m-%d %H:%M}"
