"""Incidents, who works on them, how they escalate, and where alerts come in."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from incidents.enums import (
    OPEN,
    DeliveryResult,
    EscalationState,
    IncidentType,
    IntakeKind,
    Status,
    TargetKind,
)
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.enums import EmergencyRole
from portal.directory.models import Channel, Contact, Severity, System, Team
from portal.lib.visibility import VisibleQuerySet


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


class Incident(AuditedModel):
    """Something that hurts, from its declaration until it is closed. Only incidents.services changes its status."""

    audited_m2m: ClassVar[list[str]] = ["systems"]

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=10000)
    type = models.CharField(max_length=12, choices=IncidentType, default=IncidentType.OPERATIONAL)
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, related_name="incidents")
    is_major = models.BooleanField("major incident", default=False, editable=False)
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
            models.UniqueConstraint(
                fields=["dedup_key"],
                condition=Q(status__in=[s.value for s in OPEN]) & ~Q(dedup_key=""),
                name="one_open_incident_per_key",
            ),
        ]
        indexes = [
            models.Index(fields=["-declared_at", "-id"], name="incident_newest"),
            models.Index(fields=["status", "severity"], name="incident_status"),
            models.Index(fields=["dedup_key", "-resolved_at"], condition=~Q(dedup_key=""), name="incident_key"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

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
        return f"{self.contact} on {self.incident.reference}"


class EscalationPolicy(AuditedModel):
    """Who is paged, in which order, while nobody acknowledges."""

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["systems"]

    name = models.CharField(max_length=80, unique=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    is_default = models.BooleanField(
        "used when no other fits", default=False, help_text="At most one policy is the one used when no other fits."
    )
    for_security = models.BooleanField("used for security incidents", default=False)
    systems = models.ManyToManyField(System, blank=True, related_name="policies")
    repeat = models.PositiveSmallIntegerField(
        "repeat the steps", default=1, validators=[MaxValueValidator(20)], help_text="How often after the first time."
    )
    final_wait_seconds = models.PositiveIntegerField(
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(86400)],
        help_text="How long the last step waits before the steps repeat, or the escalation is exhausted.",
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "escalation policies"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="one_default_policy",
                violation_error_message="Another policy is used when no other fits. Take the mark off there first.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class EscalationStep(AuditedModel):
    """One step of a policy: how long after the step before it, and whom it pages."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "policy"

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    delay_seconds = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(86400)],
        help_text="Seconds after the step before; 300 is five minutes.",
    )

    class Meta:
        ordering = ["policy", "position"]
        constraints = [models.UniqueConstraint(fields=["policy", "position"], name="one_step_per_position")]

    def __str__(self) -> str:
        return f"step {self.position} of {self.policy}"


class EscalationTarget(AuditedModel):
    """Whom one step pages: a person, a team's on-call, an emergency role of the system, or a channel."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "step"

    step = models.ForeignKey(EscalationStep, on_delete=models.PROTECT, related_name="targets")
    kind = models.CharField(max_length=10, choices=TargetKind)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, blank=True, choices=EmergencyRole)
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["step", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="person", contact__isnull=False, team__isnull=True, role="", channel__isnull=True)
                | Q(kind="team", contact__isnull=True, team__isnull=False, role="", channel__isnull=True)
                | (Q(kind="role", contact__isnull=True, team__isnull=True, channel__isnull=True) & ~Q(role=""))
                | Q(kind="channel", contact__isnull=True, team__isnull=True, role="", channel__isnull=False),
                name="target_is_what_its_kind_says",
            )
        ]

    def __str__(self) -> str:
        return str(self.contact or self.team or self.channel or self.get_role_display())


class Escalation(models.Model):
    """One run of a policy for an incident, on a snapshot: later edits of the policy never bend it.

    What it decided stands in the timeline. `generation` is the incident's at the start; acknowledging moves the
    incident's on, so that a timer left over from this run can never fire. `next_round` and `next_step` (from 0) are
    written when the run stops, for whoever escalates further by hand; while it runs, its pending deadline knows them.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="escalations")
    generation = models.PositiveIntegerField()
    policy = models.ForeignKey(EscalationPolicy, null=True, on_delete=models.PROTECT, related_name="escalations")
    snapshot = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=EscalationState, default=EscalationState.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    next_round = models.PositiveSmallIntegerField(default=0)
    next_step = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "generation"], name="one_escalation_per_generation"),
        ]

    def __str__(self) -> str:
        return f"escalation of {self.incident_id}, generation {self.generation}"


class IntakeToken(AuditedModel):
    """A secret address that alerts are posted to. Only the digest of the secret is kept."""

    privileged: ClassVar[bool] = True
    masked: ClassVar[tuple[str, ...]] = ("digest",)

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=14, choices=IntakeKind)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=200, blank=True, editable=False)
    default_severity = models.ForeignKey(
        Severity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="When no label says."
    )
    reopen_minutes = models.PositiveSmallIntegerField(
        "reopens within (minutes)",
        default=30,
        help_text="The same key within this time of the resolve reopens the incident; later it opens a new one.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(created_by=""), name="token_created_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="token_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IntakeMapping(AuditedModel):
    """A label of an alert with this value means this system, or this severity. The lowest position wins."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "token"

    position = models.PositiveSmallIntegerField(default=100)
    token = models.ForeignKey(
        IntakeToken, null=True, blank=True, on_delete=models.PROTECT, related_name="mappings", help_text="Empty: all."
    )
    label = models.CharField(max_length=120)
    value = models.CharField(max_length=200, help_text="The label's value; * stands for any characters.")
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    severity = models.ForeignKey(Severity, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(system__isnull=False) | Q(severity__isnull=False),
                name="mapping_means_something",
                violation_error_message="Choose the system or the severity that this label means.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} = {self.value}"


class IntakeDelivery(models.Model):
    """One post to an intake address, kept as it came, for inspection."""

    token = models.ForeignKey(IntakeToken, null=True, on_delete=models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField()
    result = models.CharField(max_length=10, choices=DeliveryResult)
    status_code = models.PositiveSmallIntegerField()
    sentence = models.TextField(blank=True)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="deliveries")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name_plural = "intake deliveries"
        indexes = [models.Index(fields=["-received_at"], name="delivery_newest")]

    def __str__(self) -> str:
        return f"{self.get_result_display()} {self.received_at:%Y-%m-%d %H:%M:%S}"


class Alert(models.Model):
    """An alert of a source under one key, and the incident it opened or joined."""

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="alerts")
    key = models.CharField(max_length=200)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="alerts")
    firing = models.BooleanField(default=True)
    title = models.CharField(max_length=300)
    labels = models.JSONField(default=dict)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(fields=["token", "key", "incident"], name="one_alert_per_incident_and_key")
        ]

    def __str__(self) -> str:
        return self.title
