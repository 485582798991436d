"""Who is paged while nobody acknowledges: policies with their steps, and each run of one on a snapshot."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from incidents.enums import EscalationState, TargetKind
from incidents.models.incidents import Incident
from portal.audit.models import AuditedModel
from portal.directory.enums import EmergencyRole
from portal.directory.models import Channel, Contact, System, Team


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
    acknowledgement_minutes = models.PositiveIntegerField(
        "an acknowledgement holds for (minutes)",
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(7 * 24 * 60)],
        help_text="Without any sign of work for so long, the incident escalates anew. Empty: for good.",
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
