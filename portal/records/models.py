"""What every domain shares: references, the timeline, and how domains meet without knowing one another."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q

from portal.audit.enums import Action
from portal.audit.facts import AppendOnlyModel
from portal.audit.trail import record
from portal.directory.models import System

__all__ = [
    "Counter",
    "CustodyEvent",
    "Demand",
    "Evidence",
    "EvidenceCheck",
    "EvidenceObject",
    "EvidenceRule",
    "Link",
    "LinkQuerySet",
    "Note",
    "Period",
]


class Counter(models.Model):
    """The last number given out for a prefix such as INC."""

    prefix = models.CharField(max_length=8, unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.prefix} {self.last}"


class Note(AppendOnlyModel):
    """One line of a record's timeline: what happened (`event_at`) and when it was written down (`recorded_at`)."""

    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    kind = models.CharField(max_length=40)
    event_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor_name = models.CharField(max_length=200)
    actor_user_id = models.BigIntegerField(null=True, blank=True)
    actor_contact_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    gesture = models.UUIDField(default=uuid.uuid4)
    text = models.TextField()
    detail = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    audience = models.CharField(max_length=20, blank=True)
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections", db_index=False
    )
    data = models.JSONField(default=dict, blank=True)

    correction = "Write a new one that corrects it."
    personal = ("actor_user_id", "actor_contact_id")
    codes = ("kind", "origin", "audience")

    class Meta:
        verbose_name = "timeline note"
        ordering = ["-event_at", "-id"]
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "event_at"], name="note_of_subject"),
            models.Index(fields=["corrects"], condition=Q(corrects__isnull=False), name="note_correction"),
        ]

    def __str__(self) -> str:
        return self.text


class Period(models.Model):
    """What is going on with a system, and when: written by its owner in the transaction of the fact, read by all."""

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="periods")
    kind = models.CharField(max_length=40)
    weight = models.PositiveSmallIntegerField(default=0)
    starts = models.DateTimeField()
    ends = models.DateTimeField(null=True, blank=True)
    record_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    record_id = models.BigIntegerField()
    reference = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["starts"]
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "record_id", "kind", "system", "starts"], name="one_period_per_fact"
            ),
            models.CheckConstraint(
                condition=Q(ends__isnull=True) | Q(ends__gte=models.F("starts")), name="period_in_order"
            ),
        ]
        indexes = [models.Index(fields=["system", "starts"], name="period_of_system")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.system_id} from {self.starts:%Y-%m-%d %H:%M}"


class Demand(models.Model):
    """What one part of the portal needs of another. The owner of the topic pulls it and answers it in its sweep.

    One whose answer fails is tried again, each time later (`retry_at`), and is given up after some tries: then it
    waits for somebody who mends what `error` says.
    """

    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=160, unique=True)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="demands")
    payload = models.JSONField(default=dict, blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    answer_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answer = models.JSONField(default=dict, blank=True)
    # What was made of it, so that a demand hides with a restricted record.
    made_type = models.ForeignKey(
        ContentType, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    made_id = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by="")
                | (Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="demand_answered_by_whom_and_when",
            ),
            models.CheckConstraint(condition=~Q(asked_by=""), name="demand_asked_by_whom_and_when"),
        ]
        indexes = [
            models.Index(fields=["topic", "asked_at"], condition=Q(answered_at__isnull=True), name="demand_open")
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class LinkQuerySet(models.QuerySet[Any]):
    """Links: each is deleted by itself, so that the trail tells it."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them one by one."""
        with transaction.atomic():
            count = sum(row.delete()[0] for row in self)
        return count, {self.model._meta.label: count} if count else {}


class Link(models.Model):
    """One record belongs to another; shown on both."""

    kind = models.CharField(max_length=40)
    from_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    from_id = models.BigIntegerField()
    to_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    to_id = models.BigIntegerField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)

    objects: ClassVar[Any] = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "from_type", "from_id", "to_type", "to_id"], name="one_link_per_pair"
            ),
            models.CheckConstraint(condition=~Q(made_by=""), name="link_made_by_whom_and_when"),
        ]
        indexes = [
            models.Index(fields=["to_type", "to_id"], name="link_to"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.from_id} to {self.to_id}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the link and append a row to the trail, of the record that was linked: a link has no history.

        The other record is named by its key alone, since whoever may read of one may be kept from the other.
        """
        model, other = self.from_type.model_class(), self.to_type.model_class()
        there = f"{other._meta.verbose_name if other else 'record'} number {self.to_id}"
        with transaction.atomic():
            gone = super().delete(*args, **kwargs)
            record(
                Action.EVENT,
                event=f"Removed the link “{self.kind}” to {there}",
                subject=model._base_manager.filter(pk=self.from_id).first() if model else None,
                model=f"{self.from_type.app_label}.{self.from_type.model}",
                object_id=self.from_id,
            )
        return gone


# Evidence is a package of its own; Django looks for models here.
from portal.records.evidence.models import (  # noqa: E402
    CustodyEvent,
    Evidence,
    EvidenceCheck,
    EvidenceObject,
    EvidenceRule,
)
