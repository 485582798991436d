"""What vouches for a source: its secrets, the signatures seen lately, its topics, its heartbeat."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from incidents.enums import TopicState
from incidents.models.intake import IntakeToken
from portal.audit.models import AuditedModel
from portal.lib.visibility import VisibleQuerySet


class IntakeSecret(AuditedModel):
    """A secret that a source signs with, encrypted. An address has two at most in use, so that it can be changed."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "token"
    masked: ClassVar[tuple[str, ...]] = ("sealed",)

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="secrets", editable=False)
    slot = models.PositiveSmallIntegerField(editable=False)
    sealed = models.TextField(editable=False)
    ending = models.CharField("ends in", max_length=4, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["token", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["token", "slot"], condition=Q(retired_at__isnull=True), name="two_secrets_in_use_at_most"
            ),
            models.CheckConstraint(condition=Q(slot__in=[1, 2]), name="secret_has_one_of_two_slots"),
            models.CheckConstraint(condition=~Q(created_by=""), name="secret_created_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True, retired_by="") | (Q(retired_at__isnull=False) & ~Q(retired_by="")),
                name="secret_retired_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"secret …{self.ending} of {self.token}"


class SeenSignature(models.Model):
    """A signed delivery that was taken in, for as long as its signature is good: it is not taken in again."""

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["expires_at"]
        constraints = [models.UniqueConstraint(fields=["token", "digest"], name="one_delivery_per_signature")]
        indexes = [models.Index(fields=["expires_at"], name="signature_expires")]  # forgotten in this order

    def __str__(self) -> str:
        return f"{self.digest[:12]}… until {self.expires_at:%Y-%m-%d %H:%M:%S}"


class TopicSubscription(AuditedModel):
    """A topic of SNS that asks to post to an address. Nothing is fetched for it before an administrator says so."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "token"
    masked: ClassVar[tuple[str, ...]] = ("envelope",)

    token = models.ForeignKey(IntakeToken, on_delete=models.PROTECT, related_name="topics", editable=False)
    topic = models.CharField(max_length=300, editable=False)
    state = models.CharField(max_length=10, choices=TopicState, default=TopicState.WAITING, editable=False)
    envelope = models.JSONField("what AWS sent", default=dict, editable=False)
    certificate = models.TextField("pinned certificate", blank=True, editable=False)
    asked_at = models.DateTimeField(editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    confirmed_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["token", "topic"]
        constraints = [
            models.UniqueConstraint(fields=["token", "topic"], name="one_subscription_per_topic"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by="")
                | (Q(confirmed_at__isnull=False) & ~Q(confirmed_by="")),
                name="topic_confirmed_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.topic


class Heartbeat(models.Model):
    """When a heartbeat address was last pinged. Its deadline is moved on by each ping."""

    token = models.OneToOneField(IntakeToken, on_delete=models.PROTECT, related_name="heartbeat")
    last_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    count = models.PositiveBigIntegerField(default=0)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["token"]

    def __str__(self) -> str:
        return f"heartbeat of {self.token}"
