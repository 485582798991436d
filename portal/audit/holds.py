"""How long the record is kept: for good, unless the law makes something go, and never while a hold stands on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.audit.seals import Seal

REASON_LENGTH = 1000
REQUEST_LASTS = timedelta(days=30)


class LegalHoldQuerySet(AuditedQuerySet):
    """Holds."""

    def standing(self) -> Self:
        """Return the holds that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)


class LegalHold(AuditedModel):
    """Nothing that it covers may be replaced by a tombstone: everything about one object, or of one kind, or all.

    `model` and `object_id` are those of the trail, such as "directory.contact" and "12"; "" covers all of them. A hold
    on a record covers what belongs to it.
    """

    privileged: ClassVar[bool] = True

    title = models.CharField(max_length=200, help_text="What it is for, such as the name of a case.")
    model = models.CharField("kind of object", max_length=80, blank=True)
    object_id = models.CharField("object", max_length=64, blank=True)
    placed_at = models.DateTimeField(editable=False)
    placed_by = models.CharField(max_length=200, editable=False)
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lifted_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(LegalHoldQuerySet)()

    class Meta:
        base_manager_name = "objects"
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(placed_by=""), name="hold_placed_by_somebody"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="") | Q(lifted_at__isnull=False) & ~Q(lifted_by=""),
                name="hold_lifted_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(model="") | Q(object_id=""), name="hold_on_an_object_names_its_kind"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def stands(self) -> bool:
        """Whether nobody has lifted it."""
        return self.lifted_at is None

    def covers(self, model: str, object_id: str) -> bool:
        """Tell whether a row about this object, or of this record, is held."""
        return self.model in {"", model} and self.object_id in {"", object_id}


class TombstoneRequest(AppendOnlyModel):
    """Somebody asked that the payload of some sealed rows be replaced by a tombstone, and said why."""

    reason = models.TextField()
    positions = models.JSONField()
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    asked_by_id = models.BigIntegerField()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~Q(asked_by="") & ~Q(reason=""), name="tombstone_asked_by_somebody")
        ]

    def __str__(self) -> str:
        return f"request {self.pk} by {self.asked_by}"


class Tombstone(AppendOnlyModel):
    """A second person confirmed a request, and it was done: who did, and from which request."""

    request = models.OneToOneField(TombstoneRequest, on_delete=models.PROTECT, related_name="tombstone")
    asked_by_id = models.BigIntegerField()
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=200)
    confirmed_by_id = models.BigIntegerField()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~Q(confirmed_by=""), name="tombstone_confirmed_by_somebody"),
            models.CheckConstraint(
                condition=~Q(confirmed_by_id=F("asked_by_id")), name="tombstone_confirmed_by_somebody_else"
            ),
        ]

    def __str__(self) -> str:
        return f"tombstone {self.pk} confirmed by {self.confirmed_by}"


class TombstonedRow(AppendOnlyModel):
    """One seal whose salt was destroyed, and the digests of what stands in the row and its history row instead."""

    tombstone = models.ForeignKey(Tombstone, on_delete=models.PROTECT, related_name="rows")
    seal = models.OneToOneField(Seal, on_delete=models.PROTECT, related_name="tombstoned", db_constraint=False)
    payload_digest = models.BinaryField()
    history_digest = models.BinaryField(null=True)

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"position {self.seal_id}"
