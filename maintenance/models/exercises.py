"""Recovery plans with their steps, and exercises of them: each step timed, what was measured, whether it is enough."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Sum
from django.urls import reverse

from maintenance.enums import PlanState
from maintenance.exercises.enums import ExerciseState, Kind, StepState
from maintenance.exercises.policy import LONGEST_STEP, MOST_MONTHS, end_by
from maintenance.models.plans import Plan
from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.enums import Verdict
from portal.directory.models import Contact, System
from portal.lib.paired import paired
from portal.runbooks.models import RunbookVersion

LONGEST_NAME = 200


class RecoveryPlan(AuditedModel):
    """How one system is recovered. Its steps stand in versions: an edit writes new ones, and old ones stay.

    `upkeep` is the plan of maintenance that reminds of the next exercise, every so many months.
    """

    privileged: ClassVar[bool] = True

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=140)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="recovery_plans")
    summary = models.TextField("when and how it is used", blank=True, max_length=10000)
    owner = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="owned_recovery_plans")
    manager = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="managed_recovery_plans")
    every_months = models.PositiveSmallIntegerField(
        "exercised every (months)", default=12, validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)]
    )
    runbook_version = models.ForeignKey(
        RunbookVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="recovery_plans",
        verbose_name="made from",
    )  # fmt: skip
    version = models.PositiveIntegerField(default=1, editable=False)
    state = models.CharField(max_length=8, choices=PlanState, default=PlanState.DRAFT, editable=False)
    upkeep = models.OneToOneField(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="recovery_plan", editable=False
    )
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    activated_at = models.DateTimeField("in force since", null=True, editable=False)
    activated_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["title", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(made_by=""), name="recovery_plan_made_by_whom_and_when"),
            *(paired("recovery_plan", name) for name in ("activated", "retired")),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:recovery-plan", args=[self.reference])

    @property
    def is_in_force(self) -> bool:
        """Whether it can be exercised."""
        return self.state == PlanState.IN_FORCE

    def steps_now(self) -> models.QuerySet[RecoveryStep]:
        """Return the steps of its present version, in their order."""
        return self.steps.filter(version=self.version).order_by("position")


class RecoveryStep(AppendOnlyModel):
    """One step of one version of a recovery plan. `minutes` is how long it should take.

    `recovers` says that the system is not back before it is done; without it, the time goes on being measured by the
    others, such as for what is tidied up afterwards.
    """

    belongs_to: ClassVar[str] = "plan"

    plan = models.ForeignKey(RecoveryPlan, on_delete=models.PROTECT, related_name="steps", db_index=False)
    version = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    owner = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveIntegerField("estimated minutes", validators=[MaxValueValidator(LONGEST_STEP)])
    recovers = models.BooleanField("the system is not back before it is done", default=True)

    correction: ClassVar[str] = "Write a new version of the plan."

    class Meta:
        verbose_name = "step of a recovery plan"
        verbose_name_plural = "steps of recovery plans"
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["plan", "version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "version", "position"], name="one_recovery_step_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"


class ExerciseQuerySet(AuditedQuerySet):
    """Exercises."""

    def due(self, at: datetime) -> Self:
        """Return those whose day has come and that nobody has started."""
        return self.filter(state=ExerciseState.SCHEDULED, scheduled_for__lt=at)

    def running(self) -> Self:
        """Return those whose time is being measured."""
        return self.filter(state=ExerciseState.RUNNING)

    def judged(self) -> Self:
        """Return those that have ended and showed whether what is promised is kept."""
        return self.filter(state=ExerciseState.ENDED).exclude(Q(verdict=Verdict.UNKNOWN) | Q(kind=Kind.TABLETOP))

    def with_estimate(self) -> Self:
        """Return them with `estimated_minutes`: how long the steps that they copied should take."""
        return self.annotate(estimated_minutes=Sum("steps__minutes"))


class Exercise(AuditedModel):
    """One exercise of a recovery plan. Only maintenance.exercises.services writes it.

    Steps are copied at the start, with the version of the plan. The start stands for the loss: `took_seconds` runs from
    it until the last step that recovers, `lost_seconds` from `newest_data_at` until it. What was promised then is kept
    beside what was measured. `digest` is the SHA-256 of the record as it ended. `drill` is the drill of incidents that
    was started with it. It is no incident and no downtime: no figure of those counts it.
    """

    hidden_with: ClassVar[str] = "plan"

    reference = models.CharField(max_length=16, unique=True, editable=False)
    plan = models.ForeignKey(RecoveryPlan, on_delete=models.PROTECT, related_name="exercises", editable=False)
    plan_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    lead = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="led_exercises", verbose_name="led by")
    scheduled_for = models.DateTimeField()
    drill = models.CharField("with drill", max_length=16, blank=True)
    state = models.CharField(max_length=9, choices=ExerciseState, default=ExerciseState.SCHEDULED, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    cancelled_at = models.DateTimeField("called off", null=True, blank=True, editable=False)
    cancelled_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    cancelled_because = models.TextField("why it was called off", blank=True, editable=False)
    newest_data_at = models.DateTimeField("newest recovered data", null=True, blank=True, editable=False)
    summary = models.TextField("what was learned", blank=True, editable=False)
    took_seconds = models.PositiveBigIntegerField("took (seconds)", null=True, blank=True, editable=False)
    lost_seconds = models.PositiveBigIntegerField("data lost (seconds)", null=True, blank=True, editable=False)
    took_sum = models.TextField("how that was reckoned", blank=True, editable=False)
    lost_sum = models.TextField("how the loss was reckoned", blank=True, editable=False)
    succeeded = models.BooleanField(null=True, blank=True, editable=False)
    rto_minutes = models.PositiveIntegerField("RTO then", null=True, blank=True, editable=False)
    rpo_minutes = models.PositiveIntegerField("RPO then", null=True, blank=True, editable=False)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, editable=False)
    retest_at = models.DateTimeField("next exercise due", null=True, blank=True, editable=False)
    digest = models.CharField("SHA-256 of the record", max_length=64, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(ExerciseQuerySet)()

    class Meta:
        ordering = ["-scheduled_for", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(made_by=""), name="exercise_made_by_whom_and_when"),
            *(paired("exercise", name) for name in ("started", "ended", "cancelled")),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="exercise_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(newest_data_at__isnull=True) | Q(newest_data_at__lte=F("started_at")),
                name="exercise_recovers_what_was_lost",
            ),
            models.CheckConstraint(
                condition=Q(state=ExerciseState.SCHEDULED, started_at__isnull=True)
                | Q(state=ExerciseState.RUNNING, started_at__isnull=False, ended_at__isnull=True)
                | Q(state=ExerciseState.ENDED, ended_at__isnull=False) & ~Q(verdict="") & ~Q(digest="")
                | Q(state=ExerciseState.CANCELLED, cancelled_at__isnull=False) & ~Q(cancelled_because=""),
                name="exercise_stands_as_its_state_says",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "scheduled_for"], name="exercise_by_day"),
            models.Index(fields=["plan", "-scheduled_for"], name="exercise_of_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:exercise", args=[self.reference])

    @property
    def title(self) -> str:
        """What it is called: its kind, and the plan that it tries."""
        return f"{self.kind_word} exercise of {self.plan.title}"

    @property
    def kind_word(self) -> str:
        """Its kind in one word."""
        return Kind(self.kind).word

    @property
    def is_running(self) -> bool:
        """Whether its time is being measured."""
        return self.state == ExerciseState.RUNNING

    @property
    def is_over(self) -> bool:
        """Whether it ended or was called off."""
        return self.state in {ExerciseState.ENDED, ExerciseState.CANCELLED}

    @property
    def estimate(self) -> timedelta:
        """How long the steps that it copied should take. One query, unless it was read `with_estimate`."""
        known = getattr(self, "estimated_minutes", None)
        minutes = self.steps.aggregate(found=Sum("minutes"))["found"] if known is None else known
        return timedelta(minutes=minutes or 0)

    @property
    def end_by(self) -> datetime | None:
        """Until when somebody should have ended it, while it runs."""
        return end_by(self.started_at, self.estimate) if self.is_running and self.started_at is not None else None

    def is_left_running(self, at: datetime) -> bool:
        """Tell whether it runs so much longer than its steps should take that somebody forgot to end it."""
        return self.end_by is not None and self.end_by <= at

    @property
    def took(self) -> timedelta | None:
        """How long it took until everything was back."""
        return None if self.took_seconds is None else timedelta(seconds=self.took_seconds)

    @property
    def lost(self) -> timedelta | None:
        """The time whose data would be lost."""
        return None if self.lost_seconds is None else timedelta(seconds=self.lost_seconds)

    @property
    def rto(self) -> timedelta | None:
        """How soon it had to be back by what was promised then."""
        return None if self.rto_minutes is None else timedelta(minutes=self.rto_minutes)

    @property
    def rpo(self) -> timedelta | None:
        """How much data it was allowed to lose by what was promised then."""
        return None if self.rpo_minutes is None else timedelta(minutes=self.rpo_minutes)


class ExerciseStep(AuditedModel):
    """One step of an exercise as it was worked: copied from the plan at the start, and moved by no edit of that."""

    belongs_to: ClassVar[str] = "exercise"

    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="steps", editable=False)
    position = models.PositiveSmallIntegerField(editable=False)
    text = models.TextField(editable=False)
    owner = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    minutes = models.PositiveIntegerField("estimated minutes", editable=False)
    recovers = models.BooleanField("the system is not back before it is done", default=True, editable=False)
    state = models.CharField(max_length=8, choices=StepState, default=StepState.OPEN, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    skipped_at = models.DateTimeField(null=True, blank=True, editable=False)
    skipped_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    skipped_because = models.TextField("why it was skipped", blank=True, editable=False)
    note = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = "step of an exercise"
        verbose_name_plural = "steps of exercises"
        ordering = ["exercise", "position"]
        constraints = [
            models.UniqueConstraint(fields=["exercise", "position"], name="one_exercise_step_per_position"),
            *(paired("exercise_step", name) for name in ("started", "done", "skipped")),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(done_at__gte=F("started_at")),
                name="exercise_step_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(skipped_at__isnull=True) | ~Q(skipped_because=""), name="exercise_step_skipped_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=StepState.OPEN, started_at__isnull=True, done_at__isnull=True, skipped_at__isnull=True
                )
                | Q(state=StepState.STARTED, started_at__isnull=False, done_at__isnull=True, skipped_at__isnull=True)
                | Q(state=StepState.DONE, started_at__isnull=False, done_at__isnull=False, skipped_at__isnull=True)
                | Q(state=StepState.SKIPPED, done_at__isnull=True, skipped_at__isnull=False),
                name="exercise_step_stands_as_its_state_says",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"

    @property
    def took(self) -> timedelta | None:
        """How long it took."""
        return None if self.done_at is None or self.started_at is None else self.done_at - self.started_at

    @property
    def is_over_estimate(self) -> bool:
        """Whether it took longer than estimated."""
        return self.took is not None and self.took > timedelta(minutes=self.minutes)
