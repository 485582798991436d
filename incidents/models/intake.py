"""Where alerts come in: secret addresses, what labels mean, every post as it came, and the alerts behind incidents."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from incidents.enums import DeliveryResult, IntakeKind, PayloadField, Signing, Stance
from incidents.models.incidents import Incident
from portal.audit.models import AuditedModel
from portal.directory.models import Severity, System
from portal.lib.visibility import VisibleQuerySet


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

    signing = models.CharField(
        "signature", max_length=8, choices=Signing, default=Signing.NONE, help_text="What is not signed is refused."
    )
    window_seconds = models.PositiveIntegerField(
        "signatures are good for (seconds)",
        default=300,
        validators=[MinValueValidator(10), MaxValueValidator(86400)],
        help_text="How far its time may be from ours. Within it the same delivery is taken once.",
    )
    every_minutes = models.PositiveIntegerField(
        "a ping is expected every (minutes)",
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(525600)],
        help_text="Of a heartbeat.",
    )
    grace_minutes = models.PositiveIntegerField(
        "and may be late by (minutes)", default=5, validators=[MaxValueValidator(525600)], help_text="Of a heartbeat."
    )
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(created_by=""), name="token_created_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, paused_by="") | (Q(paused_at__isnull=False) & ~Q(paused_by="")),
                name="token_paused_by_whom_and_when",
            ),
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


class PayloadLine(AuditedModel):
    """At an address that takes any JSON: where one field of the alert stands. The lowest position that finds wins."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "token"

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="lines")
    field = models.CharField(max_length=12, choices=PayloadField)
    path = models.CharField(max_length=300, help_text="Such as event.title, alerts[0].name or host + service.")
    position = models.PositiveSmallIntegerField(default=100)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["token", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["token", "field", "path"], name="one_line_per_field_and_path")]

    def __str__(self) -> str:
        return f"{self.get_field_display()}: {self.path}"


class StatusWord(AuditedModel):
    """At one address: what a word for the status of an alert means, whatever its case."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "token"

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="status_words")
    word = models.CharField(max_length=60)
    means = models.CharField(max_length=12, choices=Stance)

    class Meta:
        ordering = ["token", "word"]
        constraints = [models.UniqueConstraint(fields=["token", "word"], name="one_meaning_per_status_word")]

    def __str__(self) -> str:
        return f"{self.word}: {self.get_means_display().lower()}"


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
        indexes = [
            models.Index(fields=["-received_at"], name="delivery_newest"),
            models.Index(fields=["token", "-id"], name="delivery_of_source"),  # the last one of each source
            models.Index(fields=["token", "-id"], condition=~Q(result="accepted"), name="delivery_refused"),  # likewise
        ]

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
    digest = models.CharField(max_length=64, blank=True, db_default="", editable=False)
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
