"""Incidents, and who works on them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from incidents import guards
from incidents.enums import OPEN, IncidentType, Status
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.audit.triggers import Trigger
from portal.directory.models import Contact, Severity, System


def _paired(name: str) -> models.CheckConstraint:
    """Who and when are one fact (law 6)."""
    at, by = f"{name}_at", f"{name}_by"
    return models.CheckConstraint(
        condition=Q(**{f"{at}__isnull": True, by: ""}) | (Q(**{f"{at}__isnull": False}) & ~Q(**{by: ""})),
        name=f"incident_{name}_by_whom_and_when",
    )


class IncidentQuerySet(AuditedQuerySet):
    """Incidents."""

    def open(self) -> Self:
        """Return those declared, acknowledged or mitigated."""
        return self.filter(status__in=OPEN)

    def real(self) -> Self:
        """Return those that are no drill: whatever counts, reports or joins alerts asks these only."""
        return self.filter(is_drill=False)

    def drills(self) -> Self:
        """Return those that are exercises."""
        return self.filter(is_drill=True)


class Incident(AuditedModel):
    """Something that hurts, from its declaration until it is closed. Only incidents.services changes its status.

    A drill is an exercise of it: `is_drill` is said at the opening and never changes, which the database holds.
    """

    audited_m2m: ClassVar[list[str]] = ["systems"]
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_INCIDENTS

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=10000)
    type = models.CharField(max_length=12, choices=IncidentType, default=IncidentType.OPERATIONAL)
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, related_name="incidents")
    is_major = models.BooleanField("major incident", default=False, editable=False)
    is_drill = models.BooleanField(
        "drill",
        default=False,
        db_default=False,
        editable=False,
        help_text="An exercise: marked everywhere, and counted nowhere. Said at the opening, never changed.",
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.DECLARED, editable=False)
    systems = models.ManyToManyField(System, blank=True, related_name="incidents")
    commander = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="commanded", editable=False
    )
    declared_at = models.DateTimeField(editable=False)
    declared_by = models.CharField(max_length=200, editable=False)
    acknowledged_at = models.DateTimeField(null=True, editable=False)
    acknowledged_by = models.CharField(max_length=200, blank=True, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    activated_by = models.CharField(max_length=200, blank=True, editable=False)
    mitigated_at = models.DateTimeField(null=True, editable=False)
    mitigated_by = models.CharField(max_length=200, blank=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    resolved_by = models.CharField(max_length=200, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.CharField(max_length=200, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.CharField(max_length=200, blank=True, editable=False)
    source = models.CharField(max_length=120, blank=True, editable=False)
    dedup_key = models.CharField(
        "key against duplicates",
        max_length=200,
        blank=True,
        editable=False,
        help_text="Of the alert or of the form that declared it. One open incident at most has it.",
    )
    generation = models.PositiveIntegerField(
        "escalation counter",
        default=1,
        editable=False,
        help_text="Goes up when paging stops or starts anew, so that no page left over goes out.",
    )

    objects: ClassVar[Any] = models.Manager.from_queryset(IncidentQuerySet)()

    class Meta:
        ordering = ["-declared_at", "-id"]
        constraints = [
            *(
                _paired(name)
                for name in ("declared", "acknowledged", "activated", "mitigated", "resolved", "closed", "cancelled")
            ),
            models.CheckConstraint(condition=Q(is_drill=False) | Q(source=""), name="drill_declared_by_people_only"),
            models.UniqueConstraint(
                fields=["dedup_key"],
                condition=Q(status__in=[s.value for s in OPEN]) & ~Q(dedup_key=""),
                name="one_open_incident_per_key",
            ),
        ]
        indexes = [
            models.Index(fields=["-declared_at", "-id"], name="incident_newest"),
            models.Index(fields=["status", "severity"], name="incident_status"),
            models.Index(fields=["-declared_at", "-id"], condition=Q(is_drill=True), name="incident_drills"),
            models.Index(fields=["dedup_key", "-resolved_at"], condition=~Q(dedup_key=""), name="incident_key"),
        ]
        permissions = [("start_drill", "Can start a drill")]

    def __str__(self) -> str:
        return f"{self.reference} {'(drill) ' if self.is_drill else ''}{self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the incident room."""
        return reverse("incidents:room", args=[self.reference])

    @property
    def is_open(self) -> bool:
        """Tell whether it is declared, acknowledged or mitigated."""
        return self.status in OPEN


class Responder(AuditedModel):
    """Somebody who works on an incident."""

    belongs_to: ClassVar[str] = "incident"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="responders")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="responses")
    added_at = models.DateTimeField(editable=False)
    added_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["added_at"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "contact"], name="one_responder_per_incident"),
            models.CheckConstraint(condition=~Q(added_by=""), name="responder_added_by_whom_and_when"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} on {self.incident.reference}{' (drill)' if self.incident.is_drill else ''}"
