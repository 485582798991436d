"""Evidence: the stored content, the item that people know, and every event of its custody."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.contenttypes.models import ContentType
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.audit.enums import Action
from portal.audit.facts import AppendOnlyModel, AppendOnlyQuerySet, Telling
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import Contact
from portal.lib.paired import paired
from portal.lib.visibility import VisibleQuerySet, hidden_keys, narrowed, restricted_models
from portal.records.evidence import naming, policy
from portal.records.evidence.enums import Caution, Kind, Result, State

LONGEST_NAME = 200


class CustodyEventQuerySet(AppendOnlyQuerySet):
    """What happened to evidence."""

    def visible_to(self, user: Any) -> Self:
        """Return the events of items that `user` may see."""
        rows = super().visible_to(user)
        return rows if rows.query.is_empty() else rows.filter(evidence__in=_seen(user).values("pk"))


class EvidenceObjectQuerySet(AppendOnlyQuerySet):
    """Stored contents."""

    def visible_to(self, user: Any) -> Self:
        """Return the contents of items that `user` may see: of the others not even the digest is told."""
        rows = super().visible_to(user)
        if rows.query.is_empty():
            return rows
        of_nothing = ~models.Exists(Evidence._base_manager.filter(stored=models.OuterRef("pk")))
        return rows.filter(of_nothing | Q(pk__in=_seen(user).values("stored")))


def _seen(user: Any) -> models.QuerySet[Any]:
    found: models.QuerySet[Any] = Evidence.objects.visible_to(user).order_by()
    return found


class EvidenceObject(AppendOnlyModel):
    """One content, stored once under its SHA-256. No row stands without its file."""

    digest = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.BigIntegerField("size in bytes")
    stored_at = models.DateTimeField()

    correction = "Its digest is what proves the file."
    codes = ("digest",)

    objects: ClassVar[Any] = EvidenceObjectQuerySet.as_manager()

    class Meta:
        verbose_name = "stored file"
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["-stored_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(size__gte=1), name="stored_file_is_not_empty")]

    def __str__(self) -> str:
        return f"{self.digest[:12]}…"


class EvidenceQuerySet(AuditedQuerySet):
    """Items of evidence."""

    def visible_to(self, user: Any) -> Self:
        """Return the items of records that `user` may see."""
        rows = super().visible_to(user)
        if rows.query.is_empty():
            return rows
        found = Q(pk__in=[])
        for type_id, model in _subjects():
            seen = narrowed(model._default_manager.all(), user)
            if not seen.query.is_empty():
                found |= Q(subject_type=type_id, subject_id__in=seen.order_by().values("pk"))
        return rows.filter(found)

    def of(self, subject: models.Model) -> Self:
        """Return the items of one record, newest first."""
        subject_type = ContentType.objects.get_for_model(subject)
        return self.filter(subject_type=subject_type, subject_id=subject.pk).order_by("-collected_at", "-pk")


def _subjects() -> Iterator[tuple[int, type[models.Model]]]:
    """Yield the kinds of records that have evidence."""
    for type_id in Evidence._base_manager.order_by().values_list("subject_type_id", flat=True).distinct():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            yield type_id, model


class Evidence(AuditedModel):
    """A piece of evidence of one record. Only portal.records.evidence.services moves it.

    Of several items with the same content each has its own custody, and the file is stored once. `original_name` spells
    out what cannot be seen in the name that the file came with.
    """

    reference = models.CharField(max_length=16, unique=True, editable=False)
    subject_type = models.ForeignKey(
        ContentType,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
        verbose_name="table of the record",
    )
    subject_id = models.BigIntegerField("number of the record", editable=False)
    stored = models.ForeignKey(
        EvidenceObject, on_delete=models.PROTECT, related_name="items", editable=False, verbose_name="stored file"
    )
    original_name = models.CharField(max_length=naming.LONGEST, editable=False)
    file_name = models.CharField(max_length=naming.LONGEST_FILE, editable=False)
    content_type = models.CharField("kind of file", max_length=100, editable=False)
    cautions = models.JSONField(default=list, blank=True, editable=False)
    source = models.CharField("where it comes from", max_length=300)
    description = models.TextField("what it shows", blank=True, max_length=4000)
    collector = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", editable=False)
    acquired_at = models.DateTimeField(editable=False)
    collected_at = models.DateTimeField(editable=False)
    collected_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.HELD, editable=False)
    holder = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="evidence", editable=False)
    offered_to = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="offered_evidence", editable=False
    )
    sealed_at = models.DateTimeField(null=True, blank=True, editable=False)
    sealed_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)
    released_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(EvidenceQuerySet)()

    class Meta:
        ordering = ["-collected_at", "-id"]
        verbose_name_plural = "evidence"
        permissions = [("lead_evidence", "Can act on evidence that somebody else holds")]
        constraints = [
            *(paired("evidence", name) for name in ("collected", "sealed", "released")),
            models.CheckConstraint(
                condition=Q(state="offered", offered_to__isnull=False)
                | (~Q(state="offered") & Q(offered_to__isnull=True)),
                name="evidence_offered_to_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="released", released_at__isnull=False)
                | (~Q(state="released") & Q(released_at__isnull=True)),
                name="evidence_released_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(acquired_at__lte=models.F("collected_at")),
                name="evidence_acquired_before_collected",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-collected_at"], name="evidence_of_subject"),
            models.Index(fields=["-collected_at", "-id"], name="evidence_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.original_name}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("evidence:item", args=[self.reference])

    @property
    def is_sealed(self) -> bool:
        """Whether its words are never changed again."""
        return self.sealed_at is not None

    @cached_property
    def subject(self) -> Any:
        """The record that it is evidence of; nothing when that is gone."""
        model = ContentType.objects.get_for_id(self.subject_type_id).model_class()
        return model._default_manager.filter(pk=self.subject_id).first() if model is not None else None

    @property
    def cautioned(self) -> list[str]:
        """What a reader should know of the file before opening it, in sentences."""
        return [Caution(code).label for code in self.cautions if code in Caution.values]

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the items of restricted records that `user` may not see; nothing while no kind has any."""
        found, hides = Q(pk__in=[]), False
        for model in restricted_models():
            if model is not cls and (keys := hidden_keys(model, user)) is not None:
                found |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=keys)
                hides = True
        return cls.objects.filter(found).order_by().values_list("pk", flat=True) if hides else None


class CustodyEvent(AppendOnlyModel):
    """One thing that happened to an item: who, when, from where and why. `digest` is the file's as of then."""

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="custody", db_index=False)
    kind = models.CharField("what", max_length=12, choices=Kind)
    at = models.DateTimeField("when")
    actor_name = models.CharField("who", max_length=LONGEST_NAME)
    actor_user_id = models.BigIntegerField(null=True, blank=True)
    actor_contact_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=45, blank=True)
    gesture = models.UUIDField(default=uuid.uuid4)
    to_name = models.CharField("to whom", max_length=LONGEST_NAME, blank=True)
    to_contact_id = models.BigIntegerField(null=True, blank=True)
    result = models.CharField(max_length=8, choices=Result, blank=True)
    digest = models.CharField("SHA-256", max_length=64)
    reason = models.TextField("why", blank=True)

    correction = "Whatever happens next is a new one."
    told_as: ClassVar[Telling | None] = Telling(
        Action.EVENT, subject="evidence", who="actor_user_id", name="actor_name", at="at",
        also=(Action.READ, Action.EXPORTED),
    )  # fmt: skip
    personal = ("actor_user_id", "actor_contact_id", "to_contact_id")
    codes = ("kind", "origin", "result", "digest")

    objects: ClassVar[Any] = CustodyEventQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["evidence", "at"], name="custody_of_evidence"),
            models.Index(fields=["gesture"], name="custody_by_gesture"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(actor_name=""), name="custody_event_by_somebody"),
            models.CheckConstraint(
                condition=Q(kind="verified") & ~Q(result="") | ~Q(kind="verified") & Q(result=""),
                name="custody_verified_with_a_result",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.actor_name}"


class EvidenceCheckQuerySet(VisibleQuerySet):
    """When stored files were read again."""

    def visible_to(self, user: Any) -> Self:
        """Return the checks of files whose evidence `user` may see."""
        rows = super().visible_to(user)
        return rows if rows.query.is_empty() else rows.filter(stored__in=EvidenceObject.objects.visible_to(user))

    def due(self, *, at: datetime, every: timedelta) -> Self:
        """Return those to be read again, the longest unread first. A moment yet to come is not believed."""
        waits = Q(checked_at=None) | Q(checked_at__lte=at - every) | Q(checked_at__gt=at + timedelta(hours=1))
        return self.filter(waits).order_by(models.F("checked_at").asc(nulls_first=True), "pk")

    def bad(self) -> Self:
        """Return those that were found altered or missing."""
        return self.filter(result__in=[Result.ALTERED, Result.MISSING])


class EvidenceCheck(models.Model):
    """When a stored file was read again last. `since` is when it was first found altered or missing."""

    stored = models.OneToOneField(EvidenceObject, on_delete=models.PROTECT, related_name="reading")
    checked_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=8, choices=Result, blank=True)
    since = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = EvidenceCheckQuerySet.as_manager()

    class Meta:
        verbose_name = "check of a stored file"
        verbose_name_plural = "checks of stored files"
        default_permissions = ("view",)
        ordering = ["checked_at"]
        indexes = [
            models.Index(fields=["checked_at"], name="evidence_check_due"),
            models.Index(fields=["result"], condition=Q(result__in=["altered", "missing"]), name="evidence_check_bad"),
        ]

    def __str__(self) -> str:
        return f"{self.stored}: {self.get_result_display() or 'not read again yet'}"


class EvidenceRule(AuditedModel):
    """How large a file may be, and how often it is read again. There is one row, the first."""

    privileged: ClassVar[bool] = True

    most_megabytes = models.PositiveIntegerField(
        "megabytes of one file",
        default=policy.MOST_MEGABYTES,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="What is larger is refused while it arrives. A proxy in front may have a limit of its own.",
    )
    verify_days = models.PositiveSmallIntegerField(
        "days after which a file is read again",
        default=policy.VERIFY_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Each file is read and compared with its SHA-256. What differs opens a security incident.",
    )
    verify_megabytes = models.PositiveIntegerField(
        "megabytes read in one minute",
        default=policy.VERIFY_MEGABYTES,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="So that reading again leaves the disk to the others. One file at least is read.",
    )

    class Meta:
        verbose_name = "rule for evidence"
        verbose_name_plural = "rule for evidence"
        constraints = [
            models.CheckConstraint(
                condition=Q(most_megabytes__gte=1, verify_days__gte=1, verify_megabytes__gte=1),
                name="evidence_rule_leaves_room",
            ),
        ]

    def __str__(self) -> str:
        return f"Files up to {self.most_megabytes:,} MB, read again every {self.verify_days} days"

    @classmethod
    def now(cls) -> Self:
        """Return the rule that stands, or the one that every installation begins with."""
        return cls.objects.order_by("pk").first() or cls()

    @property
    def most_bytes(self) -> int:
        """How large a file may be."""
        return self.most_megabytes * policy.MEGABYTE

    @property
    def every(self) -> timedelta:
        """After how long a file is read again."""
        return timedelta(days=self.verify_days)


def named_digests(digests: Iterable[str]) -> set[str]:
    """Return which of these digests a row names."""
    return set(EvidenceObject._base_manager.filter(digest__in=list(digests)).values_list("digest", flat=True))
