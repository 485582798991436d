"""The audit trail: one append-only row for each history row, and for each sign-in, reading and export."""

from __future__ import annotations

import json
from typing import Any, ClassVar, NamedTuple

from django.db import models
from django.db.models import Q

from portal.audit.enums import Action
from portal.audit.facts import AppendOnlyModel, AppendOnlyQuerySet


class Difference(NamedTuple):
    """One field of one row of the trail, before and after, as it was told then; nothing is None."""

    field: str
    old: str | None
    new: str | None


class TrailQuerySet(AppendOnlyQuerySet):
    """Rows of the trail: none of a restricted record that is hidden from its reader, nor of what is part of it."""


class TrailRow(AppendOnlyModel):
    """Who changed or read what, when, why and as part of which gesture, with the differences ready to read.

    Everything is kept as values: the row outlives the account and the record that it names. `root` is the record that
    the object belongs to, such as the incident of a responder; the object itself when it stands alone.
    """

    at = models.DateTimeField("when")
    actor_name = models.CharField("who", max_length=200)
    actor_id = models.BigIntegerField("account", null=True, blank=True)
    contact_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=45, blank=True)
    gesture = models.UUIDField(null=True)
    action = models.CharField(max_length=20, choices=Action.choices)
    privileged = models.BooleanField(default=False)
    model = models.CharField("kind of object", max_length=80, blank=True)
    object_id = models.CharField("object", max_length=64, blank=True)
    reference = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=200, blank=True)
    root_model = models.CharField("kind of record", max_length=80, blank=True)
    root_id = models.CharField("record", max_length=64, blank=True)
    event = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    fields = models.TextField("changed fields", blank=True)
    changes = models.TextField("differences", default="[]")
    history_id = models.BigIntegerField(null=True, blank=True)

    objects: ClassVar[Any] = TrailQuerySet.as_manager()

    class Meta:
        db_table = "audit_trail"
        verbose_name = "trail row"
        verbose_name_plural = "audit trail"
        ordering = ["-at", "-id"]
        base_manager_name = "objects"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["at", "id"], name="trail_by_time"),
            models.Index(fields=["actor_id", "at", "id"], condition=Q(actor_id__isnull=False), name="trail_by_person"),
            models.Index(fields=["actor_name", "at", "id"], condition=Q(actor_id__isnull=True), name="trail_by_part"),
            models.Index(fields=["model", "at", "id"], name="trail_by_model"),
            models.Index(fields=["model", "object_id", "id"], name="trail_by_object"),
            models.Index(fields=["root_model", "root_id", "at", "id"], name="trail_by_record"),
            models.Index(fields=["action", "at", "id"], name="trail_by_action"),
            models.Index(fields=["origin", "at", "id"], name="trail_by_origin"),
            models.Index(fields=["at", "id"], condition=Q(privileged=True), name="trail_privileged"),
            models.Index(fields=["gesture"], name="trail_by_gesture"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "history_id"], condition=Q(history_id__isnull=False), name="trail_tells_each_row_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name}: {self.get_action_display().lower()} {self.name}".strip()

    @property
    def differences(self) -> list[Difference]:
        """What changed, field by field."""
        return [Difference(*found) for found in json.loads(self.changes)]
