"""What a job shows when it says that it has done its task."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.db import models
from django.db.models import Q

from maintenance.models.plans import Plan
from portal.audit.models import AuditedModel


class PlanToken(AuditedModel):
    """The secret with which a job reports that the task of one plan is done. Only its digest is kept."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "plan"
    masked: ClassVar[Collection[str]] = ("digest",)

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80, help_text="Which job it is given to.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["plan", "name"]
        verbose_name = "token of a plan"
        verbose_name_plural = "tokens of plans"
        constraints = [
            models.CheckConstraint(condition=~Q(created_by=""), name="plan_token_created_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="plan_token_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.plan.reference}"
