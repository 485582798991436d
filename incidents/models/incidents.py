"""Incidents, and who works on them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from incidents import guards
from incidents.enums import (
    CALLED,
    COMMUNICATION,
    OPEN,
    AttackVector,
    FunctionalImpact,
    IncidentType,
    InformationImpact,
    Recoverability,
    Status,
)
from portal.accounts.roles import BY_SLUG
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.audit.triggers import Trigger
from portal.directory.models import Contact, Severity, System
from portal.lib.paired import paired
from portal.lib.visibility import Nobody, hidden_keys
from portal.notify.models import Message
from portal.records.models import Note

SECURITY_LEAD = BY_SLUG["security-lead"].name


_MOMENTS = ("declared", "acknowledged", "activated", "mitigated", "resolved", "closed", "cancelled", "merged")


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
    meant_as_written: ClassVar[tuple[str, ...]] = (COMMUNICATION,)
    hides_few: ClassVar[bool] = True

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
    restricted = models.BooleanField(
        default=False, editable=False, help_text="Only its members and whoever was granted it by name may read it."
    )
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
    merged_at = models.DateTimeField(null=True, editable=False)
    merged_by = models.CharField(max_length=200, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", editable=False
    )
    source = models.CharField(max_length=120, blank=True, editable=False)
    functional_impact = models.CharField(max_length=20, blank=True, choices=FunctionalImpact, editable=False)
    information_impact = models.CharField(max_length=20, blank=True, choices=InformationImpact, editable=False)
    recoverability = models.CharField(max_length=20, blank=True, choices=Recoverability, editable=False)
    attack_vector = models.CharField(max_length=20, blank=True, choices=AttackVector, editable=False)
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
            *(paired("incident", name) for name in _MOMENTS),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False, merged_at__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True, merged_at__isnull=True)),
                name="incident_merged_into_another",
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
            # Read by hidden_from, once for each page.
            models.Index(fields=["id"], condition=Q(restricted=True), name="incident_restricted"),
        ]
        permissions = [("start_drill", "Can start a drill"), ("read_status", "Can read the status page")]

    def __str__(self) -> str:
        return f"{self.reference} {'(drill) ' if self.is_drill else ''}{self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the incident room."""
        return reverse("incidents:room", args=[self.reference])

    @classmethod
    def hidden_from(cls, user: Any) -> QuerySet[Any] | None:
        """Return a query of the restricted incidents that `user` may not read; nothing while none is restricted.

        Nobody is a member by being an administrator. See portal.lib.visibility.
        """
        restricted: QuerySet[Any] = cls.objects.filter(restricted=True).order_by().values_list("pk", flat=True)
        if user.pk is None:
            return restricted
        if SECURITY_LEAD in user.role_names or hidden_keys(cls, Nobody()) is None:
            return None
        return restricted.exclude(_known_to(user.pk, Q(user_id=user.pk)))

    @classmethod
    def told_to(cls, key: Any, contact: Contact | None) -> bool:
        """Tell whether a message may name this restricted incident to somebody of the directory; to a channel never."""
        if contact is None:
            return False
        if contact.user is not None and SECURITY_LEAD in contact.user.role_names:
            return True
        known = _known_to(contact.user_id, Q(pk=contact.pk))
        return cls.objects.filter(known, pk=key).exists()

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


class AccessGrant(AuditedModel):
    """One account may read one restricted incident, until a moment or until it is taken back.

    `broke_glass` marks one that somebody gave to themselves, with a reason, past the members.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "incident"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="grants", editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="incident_grants", editable=False
    )
    until = models.DateTimeField("ends by itself at", null=True, blank=True, editable=False)
    why = models.CharField(max_length=500, editable=False)
    broke_glass = models.BooleanField(default=False, editable=False)
    granted_at = models.DateTimeField(editable=False)
    granted_by = models.CharField(max_length=200, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["granted_at", "id"]
        verbose_name = "access to a restricted incident"
        verbose_name_plural = "accesses to restricted incidents"
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "user"], condition=Q(revoked_at=None), name="one_standing_grant_per_account"
            ),
            models.CheckConstraint(condition=~Q(granted_by=""), name="grant_granted_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="grant_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} may read {self.incident.reference}"


def _known_to(user_id: int | None, contacts: Q) -> Q:
    """Return the condition of the incidents that an account, or somebody of the directory, is a member of.

    Members are its commander, its responders, who was called to it, who declared it, and who was granted it.
    """
    account = user_id or 0
    kind = ContentType.objects.get_for_model(Incident).pk
    mine = Contact.objects.filter(contacts).order_by()
    here = OuterRef("pk")
    standing = AccessGrant.objects.filter(Q(until=None) | Q(until__gt=Now()), incident=here, user_id=account)
    called = Message.objects.filter(about_type=kind, about_id=here, contact__in=mine, kind__in=CALLED)
    declared = Note.objects.filter(subject_type=kind, subject_id=here, kind="declared", actor_user_id=account)
    return (
        Q(Exists(mine.filter(pk=OuterRef("commander_id"))))
        | Q(Exists(Responder.objects.filter(incident=here, contact__in=mine)))
        | Q(Exists(standing.filter(revoked_at=None)))
        | Q(Exists(called))
        | Q(Exists(declared))
    )
