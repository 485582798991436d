"""A moment is a row: the timer and the evidence of a promise in one."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q


class DeadlineState(models.TextChoices):
    """Pending until it is met, fired (missed, or due and acted upon) or cancelled. Nothing leaves a settled state."""

    PENDING = "pending", "Pending"
    MET = "met", "Met"
    FIRED = "fired", "Fired"
    CANCELLED = "cancelled", "Cancelled"


class Deadline(models.Model):
    """Something that must happen, or be noticed, at `due_at`, for one subject.

    `started_at` is where the promise began and never moves. `met_at` is when the promised thing happened, also when it
    came too late. `lateness` is in seconds. `retry_at` pushes back a row whose handling failed, `error` says why.
    """

    kind = models.CharField(max_length=40)
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()
    key = models.CharField(max_length=80, blank=True)
    generation = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeadlineState, default=DeadlineState.PENDING)
    settled_at = models.DateTimeField(null=True, blank=True)
    met_at = models.DateTimeField(null=True, blank=True)
    lateness = models.FloatField(null=True, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind", "key", "generation"], name="one_deadline_per_key"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at__isnull=True)
                | (~Q(state="pending") & Q(settled_at__isnull=False)),
                name="deadline_settled_with_its_moment",
            ),
        ]
        indexes = [
            # Read by portal.deadlines.services.fire_due alone.
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="deadline_pending_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} due {self.due_at:%Y-%m-%d %H:%M:%S}"


class Sweep(models.Model):
    """When a sweep last ran, by name: the pulse that /healthz/ reads."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
