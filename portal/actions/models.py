"""An action item: what somebody will do, until when, because of which record."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from portal.actions.enums import Kind, State
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import Contact
from portal.lib.paired import paired
from portal.lib.visibility import hidden_keys, restricted_models
from portal.records.models import Evidence

LONGEST_NAME = 200


class ActionItemQuerySet(AuditedQuerySet):
    """Action items."""

    def standing(self) -> Self:
        """Return those that somebody still has to do."""
        return self.filter(state=State.OPEN)

    def overdue(self, at: datetime) -> Self:
        """Return those that are past their day and not done."""
        return self.filter(state=State.OPEN, due_at__lt=at)

    def of(self, record: models.Model) -> Self:
        """Return those that came from one record, in the order in which they are due."""
        kind = ContentType.objects.get_for_model(record)
        return self.filter(source_type=kind, source_id=record.pk).order_by("due_at", "pk")


class ActionItem(AuditedModel):
    """Something that somebody will do by a day. Only portal.actions.services writes it.

    `source` is the record that it came from, if any: it hides with it. `asker` is the person who opened it, who is told
    when its owner has left. `done_at` is when it was done, `done_note` what was done; files are kept as evidence.
    """

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=160)
    description = models.TextField(blank=True, max_length=10000)
    kind = models.CharField(max_length=10, choices=Kind)
    owner = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="action_items")
    due_at = models.DateTimeField("due")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN, editable=False)
    source_type = models.ForeignKey(
        ContentType, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False,
        verbose_name="table of the record",
    )  # fmt: skip
    source_id = models.BigIntegerField("number of the record", null=True, blank=True, editable=False)
    asker = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="asked_action_items", editable=False
    )
    opened_at = models.DateTimeField(editable=False)
    opened_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    done_note = models.TextField("what was done", blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    cancelled_because = models.TextField("why it was cancelled", blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(ActionItemQuerySet)()

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(opened_by=""), name="action_opened_by_whom_and_when"),
            *(paired("action", name) for name in ("done", "cancelled")),
            models.CheckConstraint(
                condition=Q(source_type__isnull=True, source_id__isnull=True)
                | Q(source_type__isnull=False, source_id__isnull=False),
                name="action_from_a_whole_record",
            ),
            models.CheckConstraint(
                condition=Q(state=State.DONE, done_at__isnull=False, cancelled_at__isnull=True)
                | Q(state=State.CANCELLED, done_at__isnull=True, cancelled_at__isnull=False)
                | Q(state=State.OPEN, done_at__isnull=True, cancelled_at__isnull=True),
                name="action_ends_as_its_state_says",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(done_at__gte=F("opened_at")),
                name="action_done_after_it_was_opened",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | ~Q(cancelled_because=""), name="action_cancelled_for_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="open"), name="action_due"),
            models.Index(fields=["owner", "due_at"], name="action_of_owner"),
            models.Index(fields=["source_type", "source_id"], name="action_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("actions:item", args=[self.reference])

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the items from restricted records that `user` may not see; nothing while there are none."""
        others = [model for model in restricted_models() if model not in {cls, Evidence}]  # evidence asks here itself
        every = [(model, hidden_keys(model, user)) for model in others]
        hidden = [(model, keys) for model, keys in every if keys is not None]
        found = Q(pk__in=[])
        for model, keys in hidden:
            found |= Q(source_type=ContentType.objects.get_for_model(model), source_id__in=keys)
        rows: models.QuerySet[Any] = cls.objects.filter(found).order_by().values_list("pk", flat=True)
        return rows if hidden else None

    @property
    def is_standing(self) -> bool:
        """Whether somebody still has to do it."""
        return self.state == State.OPEN

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it is past its day and not done."""
        return self.state == State.OPEN and self.due_at < at

    @property
    def kind_word(self) -> str:
        """Its kind in one word."""
        return Kind(self.kind).word

    @cached_property
    def source(self) -> Any:
        """The record that it came from; nothing when there is none."""
        if self.source_type_id is None:
            return None
        model = ContentType.objects.get_for_id(self.source_type_id).model_class()
        return model._default_manager.filter(pk=self.source_id).first() if model is not None else None
