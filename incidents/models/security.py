"""What each type of incident asks for, and how security incidents are contained."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from incidents.enums import AttackVector, ContainmentState, IncidentType
from incidents.models.incidents import Incident
from portal.audit.models import AuditedModel


class TypeRule(AuditedModel):
    """What an incident of one type is by default, and what everybody who acts on it reads first."""

    privileged: ClassVar[bool] = True

    type = models.CharField(max_length=12, choices=IncidentType, unique=True)
    restricted = models.BooleanField(
        default=False, help_text="Only members and whoever is granted it by name may read such an incident."
    )
    notice = models.TextField(
        "rule to acknowledge",
        blank=True,
        max_length=1000,
        help_text="Shown in the incident; whoever acts on it acknowledges it once. Empty: nothing to acknowledge.",
    )

    class Meta:
        ordering = ["type"]
        verbose_name = "rule for a type of incident"
        verbose_name_plural = "rules for types of incidents"

    def __str__(self) -> str:
        return f"{self.get_type_display()} incidents"


class ContainmentProposal(AuditedModel):
    """A step of containment that every security incident with an attack vector starts with. Empty: with any."""

    privileged: ClassVar[bool] = True

    position = models.PositiveSmallIntegerField(default=100)
    vector = models.CharField("attack vector", max_length=20, blank=True, choices=AttackVector)
    text = models.CharField(max_length=300)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "proposed step of containment"
        verbose_name_plural = "proposed steps of containment"

    def __str__(self) -> str:
        return self.text


class ContainmentStep(AuditedModel):
    """One thing that keeps a security incident from spreading: done, or skipped with its reason."""

    belongs_to: ClassVar[str] = "incident"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="containment", editable=False)
    position = models.PositiveSmallIntegerField(editable=False)
    text = models.CharField(max_length=300, editable=False)
    state = models.CharField(max_length=10, choices=ContainmentState, default=ContainmentState.OPEN, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    settled_by = models.CharField(max_length=200, blank=True, editable=False)
    why = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["incident", "position", "id"]
        verbose_name = "step of containment"
        verbose_name_plural = "steps of containment"
        constraints = [
            models.UniqueConstraint(fields=["incident", "text"], name="one_containment_step_per_text"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by="", state="open")
                | (Q(settled_at__isnull=False) & ~Q(settled_by="") & ~Q(state="open")),
                name="containment_settled_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.text
