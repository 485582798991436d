"""What audiences are told: templates, lists, who must approve, each message, and who follows what."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse

from incidents.communications.policy import LONGEST_SUBJECT, LONGEST_TEXT, UNSENT
from incidents.communications.words import problem_with
from incidents.enums import Audience, CommunicationState, IncidentType, Occasion
from incidents.models.incidents import Incident
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import Channel, Contact, Severity, System, Team
from portal.lib.visibility import hidden_keys

_FIELDS_HELP = "Fields in braces are filled in, such as {reference}, {title}, {severity}, {systems}, {next_update}."


class CommunicationTemplate(AuditedModel):
    """The words that a message to an audience begins with. The one that fits an incident most closely is taken."""

    privileged: ClassVar[bool] = True

    name = models.CharField(max_length=80, unique=True)
    audience = models.CharField(max_length=12, choices=Audience)
    occasion = models.CharField(max_length=8, choices=Occasion, blank=True, help_text="Empty: any message.")
    severity = models.ForeignKey(
        Severity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: all."
    )
    type = models.CharField(max_length=12, choices=IncidentType, blank=True, help_text="Empty: any incident.")
    subject = models.CharField(max_length=LONGEST_SUBJECT, help_text=_FIELDS_HELP)
    body = models.TextField("text", max_length=LONGEST_TEXT, help_text=_FIELDS_HELP)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["audience", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a field that is not known, with the ones that are."""
        wrong = {name: problem_with(getattr(self, name)) for name in ("subject", "body")}
        if any(wrong.values()):
            raise ValidationError({name: sentence for name, sentence in wrong.items() if sentence})


class AudienceMember(AuditedModel):
    """Somebody on the list of an audience: a person, a team or a channel; for one system, or for all of them."""

    privileged: ClassVar[bool] = True

    audience = models.CharField(max_length=12, choices=Audience)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: all systems."
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["audience", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(contact__isnull=False, team__isnull=True, channel__isnull=True)
                | Q(contact__isnull=True, team__isnull=False, channel__isnull=True)
                | Q(contact__isnull=True, team__isnull=True, channel__isnull=False),
                name="audience_member_is_one_thing",
                violation_error_message="Choose a person, a team or a channel: one of them.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact or self.team or self.channel} of {self.get_audience_display().lower()}"


class CommunicationRule(AuditedModel):
    """Whether messages to an audience need an approval. The rule of a severity goes before the one for all."""

    privileged: ClassVar[bool] = True

    audience = models.CharField(max_length=12, choices=Audience)
    severity = models.ForeignKey(
        Severity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: all."
    )
    needs_approval = models.BooleanField(
        "needs approval", default=False, help_text="Who decides stands under Approval rules."
    )

    class Meta:
        ordering = ["audience", "severity"]
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "severity"],
                name="one_rule_per_audience_and_severity",
                violation_error_message="This audience already has a rule for that severity. Change that one instead.",
            ),
            models.UniqueConstraint(
                fields=["audience"],
                condition=Q(severity__isnull=True),
                name="one_rule_per_audience",
                violation_error_message="This audience already has a rule for all severities. Change that one instead.",
            ),
        ]

    def __str__(self) -> str:
        where = f" at {self.severity.code}" if self.severity is not None else ""
        return f"Messages to {self.get_audience_display().lower()}{where}"


class Communication(AuditedModel):
    """One message to one audience. Only incidents.communications changes its state; what was sent never changes.

    `recipients` is the list of the audience as it stood when the words were last saved: kind, id and name of each.
    `send_when_approved` lets the engine send it as soon as its approval is complete. `once` is the key of the form that
    made it, so that a form sent twice makes one.
    """

    belongs_to: ClassVar[str] = "incident"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="communications")
    audience = models.CharField(max_length=12, choices=Audience)
    template = models.ForeignKey(
        CommunicationTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    text = models.TextField(max_length=LONGEST_TEXT)
    recipients = models.JSONField(default=list, blank=True, editable=False)
    state = models.CharField(
        max_length=10, choices=CommunicationState, default=CommunicationState.DRAFTED, editable=False
    )
    send_when_approved = models.BooleanField(default=True, editable=False)
    once = models.UUIDField(null=True, unique=True, editable=False)
    drafted_at = models.DateTimeField(editable=False)
    drafted_by = models.CharField(max_length=200, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    sent_by = models.CharField(max_length=200, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["-drafted_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(drafted_by=""), name="communication_drafted_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) & ~Q(sent_by="")
                | ~Q(state="sent") & Q(sent_at__isnull=True, sent_by=""),
                name="communication_sent_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn", withdrawn_at__isnull=False) & ~Q(withdrawn_by="")
                | ~Q(state="withdrawn") & Q(withdrawn_at__isnull=True, withdrawn_by=""),
                name="communication_withdrawn_by_whom_and_when",
            ),
        ]
        indexes = [
            # Read by the sweep, incidents.communications.settling.
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "approved"]), name="communication_to_settle"),
        ]

    def __str__(self) -> str:
        return f"Message to {self.get_audience_display().lower()}: {self.subject}"

    def get_absolute_url(self) -> str:
        """Return the address of the message."""
        return reverse("incidents:communication", args=[self.incident.reference, self.pk])

    @property
    def is_unsent(self) -> bool:
        """Tell whether its words can still be changed."""
        return self.state in UNSENT

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the messages of incidents that this reader may not see."""
        return _of_hidden(cls, user)


class SubscriptionQuerySet(AuditedQuerySet):
    """Subscriptions."""

    def active(self) -> Self:
        """Return those that have not ended."""
        return self.filter(ended_at=None)


class Subscription(AuditedModel):
    """Somebody follows a system or an incident, by their own wish, until they end it."""

    person = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="subscriptions", editable=False)
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="subscriptions", editable=False
    )
    incident = models.ForeignKey(
        Incident, null=True, blank=True, on_delete=models.PROTECT, related_name="subscriptions", editable=False
    )
    started_at = models.DateTimeField(editable=False)
    started_by = models.CharField(max_length=200, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(SubscriptionQuerySet)()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(started_by=""), name="subscription_started_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="subscription_ended_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(system__isnull=False, incident__isnull=True)
                | Q(system__isnull=True, incident__isnull=False),
                name="subscription_to_one_thing",
            ),
            models.UniqueConstraint(
                fields=["person", "system"],
                condition=Q(ended_at__isnull=True, system__isnull=False),
                name="one_subscription_per_system",
            ),
            models.UniqueConstraint(
                fields=["person", "incident"],
                condition=Q(ended_at__isnull=True, incident__isnull=False),
                name="one_subscription_per_incident",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} follows {self.incident or self.system}"

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the subscriptions to incidents that this reader may not see."""
        return _of_hidden(cls, user)


def _of_hidden(model: type[Any], user: Any) -> models.QuerySet[Any] | None:
    hidden = hidden_keys(Incident, user)
    if hidden is None:
        return None
    found: models.QuerySet[Any] = model.objects.filter(incident_id__in=hidden).order_by().values_list("pk", flat=True)
    return found
