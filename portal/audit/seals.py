"""What proves the record: a chain of seals, its signed heads, and what the law makes go."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from portal.audit.canonical import compact
from portal.audit.facts import AppendOnlyModel
from portal.lib.visibility import VisibleQuerySet

KEY_LENGTH = 16
DIGEST_LENGTH = 64


class Shape(AppendOnlyModel):
    """Which columns of which table a digest covers. A later migration that adds a column makes a new one."""

    sealed: ClassVar[bool] = False  # each seal names it by its digest

    source = models.CharField(max_length=80)
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    definition = models.TextField()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.source} {self.digest[:8]}"


class Seal(AppendOnlyModel):
    """One row of the record at its place in the chain. docs/seal-format.md says what each digest covers.

    `source` and `row_id` name the row; `history_id` is the history row that a row of the trail tells of. Only a
    tombstone ever changes a seal: it destroys the salt.
    """

    sealed: ClassVar[bool] = False  # it is the seal

    position = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=80)
    row_id = models.BigIntegerField()
    history_id = models.BigIntegerField(null=True)
    shape = models.ForeignKey(Shape, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    history_shape = models.ForeignKey(
        Shape, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    salt = models.BinaryField(null=True)
    payload_digest = models.BinaryField()
    history_digest = models.BinaryField(null=True)
    link = models.BinaryField()
    digest = models.BinaryField()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["source", "row_id"], name="sealed_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="seals_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"position {self.position}: {self.source} {self.row_id}"


class SealBatch(AppendOnlyModel):
    """What one look of the sealer added to the chain.

    `marks` says, for each source, up to which id everything is sealed for good (`complete`), the largest sealed id
    (`tip`), and what `complete` becomes once every write that may hold a smaller id has ended (`next`).
    """

    sealed: ClassVar[bool] = False  # it says when seals were made; what they prove, they prove without it

    first = models.BigIntegerField()
    last = models.BigIntegerField(db_index=True)
    head = models.BinaryField()
    sealed_at = models.DateTimeField()
    sealed_by = models.CharField(max_length=200)
    marks = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "seal batches"
        base_manager_name = "objects"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=F("first") - 1), name="a_batch_is_in_order"),
            models.CheckConstraint(condition=~Q(sealed_by=""), name="a_batch_has_its_sealer"),
        ]

    def __str__(self) -> str:
        return f"positions {self.first} to {self.last}"


class SigningKey(AppendOnlyModel):
    """A public key that has signed heads of the chain, from the first time it did."""

    key_id = models.CharField("key", max_length=KEY_LENGTH, unique=True)
    public_key = models.CharField(max_length=DIGEST_LENGTH)
    first_used_at = models.DateTimeField()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.key_id


class Anchor(AppendOnlyModel):
    """The signed head of the chain at one moment, made to be kept where the portal's administrators cannot reach."""

    sealed: ClassVar[bool] = False  # it is signed

    position = models.BigIntegerField(db_index=True)
    head = models.CharField(max_length=DIGEST_LENGTH)
    previous = models.BigIntegerField(null=True)
    portal = models.CharField(max_length=200)
    signed_at = models.DateTimeField()
    key_id = models.CharField("key", max_length=KEY_LENGTH)
    public_key = models.CharField(max_length=DIGEST_LENGTH)
    signature = models.CharField(max_length=2 * DIGEST_LENGTH)

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"position {self.position}"

    def statement(self) -> dict[str, Any]:
        """Return what the signature covers."""
        return {
            "format": "watchbook-anchor-1",
            "portal": self.portal,
            "position": self.position,
            "head": self.head,
            "rows": self.position,
            "signed_at": f"{self.signed_at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "previous": self.previous,
            "key": self.key_id,
            "public_key": self.public_key,
        }

    def line(self) -> str:
        """Return the line that is exported."""
        return compact(self.statement() | {"signature": self.signature})


class Way(models.TextChoices):
    """Where an anchor is taken to."""

    FILE = "file", "File"
    MAIL = "mail", "E-mail"
    URL = "url", "Address"


class AnchorDelivery(models.Model):
    """One anchor on one way off this machine: tried until it is there, and seen while it is not."""

    anchor = models.ForeignKey(Anchor, on_delete=models.PROTECT, related_name="deliveries")
    way = models.CharField(max_length=10, choices=Way.choices)
    target = models.CharField(max_length=500)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "anchor deliveries"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["anchor", "way", "target"], name="an_anchor_once_on_each_way")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(delivered_at__isnull=True), name="anchors_to_deliver"),
            models.Index(fields=["delivered_at"], name="anchors_delivered"),
        ]

    def __str__(self) -> str:
        return f"{self.anchor} by {self.get_way_display()}"


class Verification(models.Model):
    """One run that re-read the whole chain, and what it found. What came of it is told in the trail.

    `night` is the night it belongs to, empty when somebody asked for it. `rows` counts the seals it has come through,
    `found` all findings; `report` holds its figures and the first findings.
    """

    night = models.DateField(null=True, blank=True, unique=True)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=~Q(started_by=""), name="verification_started_by_whom")]
        indexes = [models.Index(fields=["-finished_at"], name="verification_newest")]

    def __str__(self) -> str:
        return f"verification of {self.started_at:%Y-%m-%d %H:%M}"
