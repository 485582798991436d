"""Runs of checklists: steps copied at the start, how each stands, and every event of them, kept for good."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import cached_property
from typing import Any, ClassVar, Self

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.audit.facts import AppendOnlyModel, AppendOnlyQuerySet
from portal.directory.models import Contact, Team
from portal.lib.visibility import VisibleQuerySet, hidden_keys, narrowed
from portal.records.models import Evidence
from portal.runbooks.checklists import pages, subjects
from portal.runbooks.checklists.enums import SETTLED, StepState, What
from portal.runbooks.models.checklist import LONGEST_NAME, Checklist, ChecklistVersion
from portal.runbooks.models.runbook import RunbookVersion


class ChecklistRunQuerySet(VisibleQuerySet):
    """Runs."""

    def visible_to(self, user: Any) -> Self:
        """Return the runs for records that `user` may see, and those that are for no record."""
        rows = super().visible_to(user)
        if rows.query.is_empty():
            return rows
        found = Q(subject_type=None)
        for kind in subjects.kinds():
            seen = narrowed(kind.model._default_manager.all(), user)
            if not seen.query.is_empty():
                of_kind = Q(subject_type=ContentType.objects.get_for_model(kind.model))
                keys = Q(subject_id__in=seen.order_by().values("pk"))
                found |= of_kind & keys if seen.query.where else of_kind
        return rows.filter(found)

    def of(self, subject: models.Model) -> Self:
        """Return the runs for one record, oldest first."""
        subject_type = ContentType.objects.get_for_model(subject)
        return self.filter(subject_type=subject_type, subject_id=subject.pk).order_by("started_at", "pk")


class ChecklistRun(models.Model):
    """Steps that are worked, once, for a record or for none: of a checklist, a runbook or the record's own plan.

    Name and version are those of the start. Only portal.runbooks.checklists.services moves it and its steps. `rule`
    says which rule started it, in words. `plan` is which plan of its record it carries out, and `digest` the SHA-256 of
    what was approved, from which its steps were taken.
    """

    reference = models.CharField(max_length=16, unique=True, editable=False)
    checklist = models.ForeignKey(
        Checklist, null=True, blank=True, on_delete=models.PROTECT, related_name="runs", editable=False
    )
    version = models.ForeignKey(
        ChecklistVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="runs", editable=False
    )
    runbook_version = models.ForeignKey(
        RunbookVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="runs", editable=False
    )
    plan = models.CharField(max_length=20, blank=True, db_default="", editable=False)
    digest = models.CharField("SHA-256 of what was approved", max_length=64, blank=True, db_default="", editable=False)
    name = models.CharField(max_length=LONGEST_NAME, editable=False)
    rule = models.CharField("started by rule", max_length=LONGEST_NAME, blank=True, editable=False)
    subject_type = models.ForeignKey(
        ContentType,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
        verbose_name="table of the record",
    )
    subject_id = models.BigIntegerField("number of the record", null=True, blank=True, editable=False)
    started_at = models.DateTimeField(editable=False)
    started_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    objects: ClassVar[Any] = ChecklistRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(started_by=""), name="checklist_run_started_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="checklist_run_ended_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(subject_type__isnull=True, subject_id__isnull=True)
                | Q(subject_type__isnull=False, subject_id__isnull=False),
                name="checklist_run_for_a_whole_record",
            ),
            models.CheckConstraint(
                condition=Q(checklist__isnull=False, version__isnull=False, runbook_version__isnull=True, plan="")
                | Q(checklist__isnull=True, version__isnull=True, runbook_version__isnull=False, plan="")
                | Q(checklist__isnull=True, version__isnull=True, runbook_version__isnull=True) & ~Q(plan=""),
                name="checklist_run_from_one_source",
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "plan"], condition=~Q(plan=""), name="one_run_per_plan"
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "started_at"], name="checklist_run_of_subject"),
            models.Index(fields=["-started_at", "-id"], name="checklist_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.name}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("checklists:run", args=[self.reference])

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the runs for restricted records that `user` may not see; nothing while no kind has any."""
        every = [(kind.model, hidden_keys(kind.model, user)) for kind in subjects.kinds()]
        hidden = [(model, keys) for model, keys in every if keys is not None]
        found = Q(pk__in=[])
        for model, keys in hidden:
            found |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=keys)
        rows: models.QuerySet[Any] = cls.objects.filter(found).order_by().values_list("pk", flat=True)
        return rows if hidden else None

    @property
    def is_over(self) -> bool:
        """Whether it was ended; a run whose steps are all done ends by itself."""
        return self.ended_at is not None

    @cached_property
    def subject(self) -> Any:
        """The record that it is worked for; nothing when there is none."""
        if self.subject_type_id is None:
            return None
        model = ContentType.objects.get_for_id(self.subject_type_id).model_class()
        return model._default_manager.filter(pk=self.subject_id).first() if model is not None else None


class RunPartQuerySet(VisibleQuerySet):
    """Steps of runs."""

    def visible_to(self, user: Any) -> Self:
        """Return the steps of runs that `user` may see."""
        rows = super().visible_to(user)
        return rows if rows.query.is_empty() else rows.filter(run__in=_seen(user))


def _seen(user: Any) -> models.QuerySet[Any]:
    found: models.QuerySet[Any] = ChecklistRun.objects.visible_to(user).order_by().values("pk")
    return found


class RunStep(models.Model):
    """One step of a run, and how it stands. Each change of it is a RunEvent, written in the same transaction.

    `settled` is when and by whom it was ticked, failed or skipped. `assignee` is the person that it was handed to.
    `opened_at` is when it began to wait: that of its run, for the board's order.
    """

    belongs_to: ClassVar[str] = "run"

    run = models.ForeignKey(ChecklistRun, on_delete=models.PROTECT, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    page = models.CharField(max_length=30, blank=True, choices=pages.page_choices)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    assignee = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name="handed to"
    )
    state = models.CharField(max_length=8, choices=StepState, default=StepState.OPEN)
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=LONGEST_NAME, blank=True)
    result = models.TextField(blank=True)

    objects: ClassVar[Any] = RunPartQuerySet.as_manager()

    class Meta:
        verbose_name = "step of a run"
        verbose_name_plural = "steps of runs"
        default_permissions = ("view", "change")
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_run_step_per_position"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by="") | (Q(settled_at__isnull=False) & ~Q(settled_by="")),
                name="run_step_settled_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in SETTLED], settled_at__isnull=False)
                | Q(state__in=[StepState.OPEN.value, StepState.LEFT.value], settled_at__isnull=True),
                name="run_step_settled_when_its_state_says_so",
            ),
        ]
        indexes = [
            # Read by the board: the open steps of a team, and those handed to a person, oldest first.
            models.Index(fields=["team", "opened_at", "id"], condition=Q(state="open"), name="run_step_board"),
            models.Index(fields=["opened_at", "id"], condition=Q(state="open"), name="run_step_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("checklists:step", args=[self.run.reference, self.position])

    @property
    def leads_to(self) -> pages.Page | None:
        """The page that it speaks of."""
        return pages.page_of(self.page) if self.page else None


class RunEventQuerySet(AppendOnlyQuerySet):
    """What happened in runs."""

    def visible_to(self, user: Any) -> Self:
        """Return the events of runs that `user` may see."""
        rows = super().visible_to(user)
        return rows if rows.query.is_empty() else rows.filter(run__in=_seen(user))


class RunEvent(AppendOnlyModel):
    """One thing that happened in a run, to one of its steps or to the whole: who, when, and why.

    `undoes` is the event that it takes back. `result` is the state that the step has since.
    """

    belongs_to: ClassVar[str] = "run"

    run = models.ForeignKey(ChecklistRun, on_delete=models.PROTECT, related_name="events", db_index=False)
    step = models.ForeignKey(
        RunStep, null=True, blank=True, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    what = models.CharField(max_length=12, choices=What)
    at = models.DateTimeField("when")
    actor_name = models.CharField("who", max_length=LONGEST_NAME)
    actor_user_id = models.BigIntegerField(null=True, blank=True)
    actor_contact_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    gesture = models.UUIDField(default=uuid.uuid4)
    result = models.CharField(max_length=8, choices=StepState, blank=True)
    to_name = models.CharField("to whom", max_length=LONGEST_NAME, blank=True)
    evidence = models.ForeignKey(
        Evidence, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    undoes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by", db_index=False
    )
    text = models.TextField("note", blank=True)
    reason = models.TextField("why", blank=True)

    correction: ClassVar[str] = "Undo the step: that is a new event."
    personal: ClassVar[Collection[str]] = ("actor_user_id", "actor_contact_id")
    codes: ClassVar[Collection[str]] = ("what", "origin", "result")

    objects: ClassVar[Any] = RunEventQuerySet.as_manager()

    class Meta:
        verbose_name = "event of a run"
        verbose_name_plural = "events of runs"
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(actor_name=""), name="run_event_by_somebody"),
            models.CheckConstraint(
                condition=~Q(what__in=["failed", "skipped", "undone", "resumed"]) | ~Q(reason=""),
                name="run_event_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "at"], name="run_event_of_run"),
            models.Index(fields=["step", "at"], condition=Q(step__isnull=False), name="run_event_of_step"),
            models.Index(fields=["gesture"], name="run_event_by_gesture"),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} by {self.actor_name}"
