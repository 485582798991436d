"""What the pages of recovery plans and exercises read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404

from maintenance.exercises import recording
from maintenance.exercises.acts import Offer, offers_of_step
from maintenance.exercises.enums import Kind, StepState
from maintenance.exercises.looks import STEP_LOOKS, VERDICT_LOOKS
from maintenance.exercises.services.planning import StepWords
from maintenance.looks import Look
from maintenance.models import Exercise, ExerciseStep, RecoveryPlan
from maintenance.models.exercises import ExerciseQuerySet
from portal.directory.enums import Verdict
from portal.directory.recovery.policy import Measured, Promise, verdict
from portal.directory.recovery.reading import promises
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place, Role
from portal.runbooks.models import RunbookVersion, Step

GUESS = 15
"""Minutes that a step taken from a runbook is given until somebody says better."""
MOST_TAKEN = 60


def plan_for(user: Any, reference: str) -> RecoveryPlan:
    """Return the recovery plan with this reference; Http404 is raised when there is none that the reader may see."""
    rows = RecoveryPlan.objects.visible_to(user)
    rows = rows.select_related("system", "owner", "manager", "upkeep", "runbook_version__runbook")
    found: RecoveryPlan | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No recovery plan {reference} can be seen.")
    return found


def exercises_for(user: Any) -> ExerciseQuerySet:
    """Return the exercises that a reader may see, with what their lines show."""
    rows: ExerciseQuerySet = Exercise.objects.visible_to(user).select_related("plan__system", "lead")
    return rows


def exercise_for(user: Any, reference: str) -> Exercise:
    """Return the exercise with this reference; Http404 is raised when there is none that the reader may see."""
    rows = exercises_for(user).select_related("plan__upkeep", "plan__owner")
    found: Exercise | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No exercise {reference} can be seen.")
    return found


def _recovery_steps(user: Any) -> QuerySet[Any]:
    return Step.objects.visible_to(user).filter(role=Role.STEPS, procedure__place=Place.RECOVERY_STEPS)


def steps_from(version: RunbookVersion, user: Any) -> list[StepWords]:
    """Return the steps that a runbook has for the recovery from a disaster, as a first draft of a plan."""
    rows = _recovery_steps(user).filter(version=version).order_by("position")
    return [StepWords(row.text, GUESS) for row in rows[:MOST_TAKEN]]


def runbooks_to_begin_with(user: Any) -> list[Any]:
    """Return the versions in force that have recovery steps, by title, each with `found`, how many. One query."""
    found = _recovery_steps(user).filter(version=OuterRef("pk")).order_by().values("version").annotate(n=Count("pk"))
    rows = RunbookVersion.objects.visible_to(user).filter(state=VersionState.PUBLISHED, runbook__retired_at=None)
    counted = rows.annotate(found=Subquery(found.values("n"))).filter(found__gt=0).select_related("runbook__system")
    return list(counted.order_by("runbook__title", "pk"))


def newer_than(version: RunbookVersion | None, user: Any) -> RunbookVersion | None:
    """Return the version of the same runbook that is in force now, where it is a newer one."""
    if version is None:
        return None
    rows = RunbookVersion.objects.visible_to(user).filter(state=VersionState.PUBLISHED, number__gt=version.number)
    found: RunbookVersion | None = rows.filter(runbook=version.runbook_id).select_related("runbook").first()
    return found


def words_of_plan(plan: RecoveryPlan) -> list[StepWords]:
    """Return the steps of a plan as its form shows them."""
    return [
        StepWords(step.text, step.minutes, step.owner, step.recovers)
        for step in plan.steps_now().select_related("owner")
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """One step as the board and the report show it."""

    step: ExerciseStep
    look: Look
    offers: list[Offer]
    owner_gone: bool
    running_for: timedelta | None
    once: uuid.UUID

    @property
    def is_over(self) -> bool:
        """Whether it takes, or took, longer than estimated."""
        span = self.step.took or self.running_for
        return span is not None and span > timedelta(minutes=self.step.minutes)


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise against what was measured."""

    name: str
    words: str
    promised: timedelta | None
    measured: timedelta | None
    sum: str
    look: Look


@dataclass(frozen=True, slots=True)
class Board:
    """An exercise as it is worked: its steps, how long it runs, what is promised. `next` is the first open step.

    `estimated` are the minutes of all its steps, `back_after` those of the steps that the system is not back without.
    """

    rows: list[Row]
    done: int
    counted: int
    running_for: timedelta | None
    promise: Promise
    back_by: datetime | None
    estimated: int
    back_after: int
    under_way: bool
    next: int


def board_of(exercise: Exercise, *, at: datetime, may_act: bool) -> Board:
    """Return the board of an exercise. Before its start the steps are those of the plan as it stands now."""
    rows = [_row(exercise, step, at=at, may_act=may_act) for step in steps_of(exercise)]
    promise = promises([exercise.plan.system_id])[exercise.plan.system_id]
    started = exercise.started_at
    counted = [row.step for row in rows if row.step.state != StepState.SKIPPED]
    return Board(
        rows=rows,
        done=sum(step.state == StepState.DONE for step in counted),
        counted=len(counted),
        running_for=at - started if started and exercise.is_running else None,
        promise=promise,
        back_by=started + promise.rto if started and promise.rto and exercise.kind != Kind.TABLETOP else None,
        estimated=sum(step.minutes for step in counted),
        back_after=sum(step.minutes for step in counted if step.recovers),
        under_way=any(step.state == StepState.STARTED for step in counted),
        next=next((step.position for step in counted if step.state == StepState.OPEN), 0),
    )


def steps_of(exercise: Exercise) -> list[ExerciseStep]:
    """Return the steps of an exercise; before its start, unsaved ones of the plan as it stands now."""
    found = list(exercise.steps.select_related("owner").order_by("position"))
    if found or exercise.started_at is not None:
        return found
    return [
        ExerciseStep(
            exercise=exercise, position=step.position, text=step.text, owner=step.owner, minutes=step.minutes,
            recovers=step.recovers,
        )
        for step in exercise.plan.steps_now().select_related("owner")
    ]  # fmt: skip


def _row(exercise: Exercise, step: ExerciseStep, *, at: datetime, may_act: bool) -> Row:
    gone = step.owner is not None and not step.owner.active
    going = at - step.started_at if step.state == StepState.STARTED and step.started_at else None
    offered = offers_of_step(exercise, step) if may_act else []
    return Row(step, STEP_LOOKS[step.state], offered, gone, going, uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Report:
    """An exercise that has ended, as its proof shows it. `intact` says that its digest is that of what stands."""

    rows: list[Row]
    objectives: list[Objective]
    look: Look
    intact: bool
    estimated: int
    worked: timedelta


def report_of(exercise: Exercise, *, at: datetime) -> Report:
    """Return the report of an exercise that has ended."""
    steps = steps_of(exercise)
    rows = [_row(exercise, step, at=at, may_act=False) for step in steps]
    return Report(
        rows=rows,
        objectives=objectives_of(exercise),
        look=VERDICT_LOOKS[exercise.verdict],
        intact=recording.digest_of(exercise, steps) == exercise.digest,
        estimated=sum(step.minutes for step in steps if step.state != StepState.SKIPPED),
        worked=sum((step.took for step in steps if step.took is not None), timedelta()),
    )


def objectives_of(exercise: Exercise) -> list[Objective]:
    """Return each promise against what was measured, with how that was reckoned."""
    measured = Measured(exercise.took, exercise.lost, exercise.succeeded is not False)
    of_time = verdict(Measured(measured.took, None, measured.succeeded), Promise(rto=exercise.rto))
    of_data = Verdict.UNKNOWN
    if exercise.rpo is not None and exercise.lost is not None:
        of_data = Verdict.MET if exercise.lost <= exercise.rpo else Verdict.NOT_MET
    return [
        Objective(
            "RTO", "Back within", exercise.rto, exercise.took, exercise.took_sum, VERDICT_LOOKS[of_time]
        ),
        Objective("RPO", "Data lost at most", exercise.rpo, exercise.lost, exercise.lost_sum, VERDICT_LOOKS[of_data]),
    ]  # fmt: skip
