"""Deployment prerequisites as gates, what was reported of them, and the tokens of CI systems."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from changes.enums import GateResult, GateSource
from changes.models.changes import Change, FactQuerySet
from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel


class Gate(AuditedModel):
    """One prerequisite of a deployment. Its newest report says whether it is met, if it is of the newest commit."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField("order", default=0)
    source = models.CharField("ticked by", max_length=12, choices=GateSource, default=GateSource.ANYBODY)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class GateReport(AppendOnlyModel):
    """What somebody, or a CI system, reported of one gate of one change: a fact that is never changed."""

    correction: ClassVar[str] = "Report the gate anew."
    codes: ClassVar[Collection[str]] = ("result", "origin")

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="gate_reports")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="reports")
    result = models.CharField(max_length=8, choices=GateResult)
    commit = models.CharField(max_length=64, blank=True)
    url = models.URLField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True)
    reported_at = models.DateTimeField()
    reported_by = models.CharField(max_length=200)
    origin = models.CharField(max_length=20, blank=True)
    gesture = models.UUIDField(null=True)

    objects: ClassVar[Any] = FactQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        ordering = ["change", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reported_by=""), name="gate_reported_by_whom_and_when"),
            models.CheckConstraint(condition=Q(result__in=GateResult.values), name="gate_report_says_what"),
        ]

    def __str__(self) -> str:
        return f"{self.gate} {self.get_result_display().lower()}"


class GateToken(AuditedModel):
    """What a CI system shows when it reports a gate. Only the digest of its secret is kept."""

    privileged: ClassVar[bool] = True
    masked: ClassVar[Collection[str]] = ("digest",)

    name = models.CharField(max_length=80, unique=True, help_text="Which system it is given to.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(created_by=""), name="gate_token_created_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="gate_token_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name
