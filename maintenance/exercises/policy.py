"""The rules of recovery plans and exercises as tables and pure functions. Nothing here reads database or clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import MappingProxyType

from maintenance.enums import PlanState
from maintenance.exercises.enums import ExerciseState, StepState
from maintenance.policy import Refused
from portal.lib import times
from portal.lib.blank import is_blank

PLAN_PREFIX, PREFIX = "RCP", "EXR"
MOST_STEPS = 60
LONGEST_STEP = 7 * 24 * 60  # minutes
MOST_MONTHS = 36
AGAIN_WITHIN = timedelta(days=28)
UNENDED = timedelta(hours=4)
"""How much longer than its steps should take an exercise runs before its lead is reminded to end it."""

# verb: {state before: state after}
PLAN: MappingProxyType[str, dict[PlanState, PlanState]] = MappingProxyType(
    {
        "put in force": {PlanState.DRAFT: PlanState.IN_FORCE},
        "revise": {PlanState.DRAFT: PlanState.DRAFT, PlanState.IN_FORCE: PlanState.IN_FORCE},
        "retire": {PlanState.DRAFT: PlanState.RETIRED, PlanState.IN_FORCE: PlanState.RETIRED},
    }
)
EXERCISE: MappingProxyType[str, dict[ExerciseState, ExerciseState]] = MappingProxyType(
    {
        "start": {ExerciseState.SCHEDULED: ExerciseState.RUNNING},
        "end": {ExerciseState.RUNNING: ExerciseState.ENDED},
        "move": {ExerciseState.SCHEDULED: ExerciseState.SCHEDULED},
        "call off": {
            ExerciseState.SCHEDULED: ExerciseState.CANCELLED,
            ExerciseState.RUNNING: ExerciseState.CANCELLED,
        },
    }
)
STEP: MappingProxyType[str, dict[StepState, StepState]] = MappingProxyType(
    {
        "start": {StepState.OPEN: StepState.STARTED},
        "finish": {StepState.STARTED: StepState.DONE},
        "skip": {StepState.OPEN: StepState.SKIPPED, StepState.STARTED: StepState.SKIPPED},
        "take back": {
            StepState.STARTED: StepState.OPEN, StepState.DONE: StepState.STARTED, StepState.SKIPPED: StepState.OPEN,
        },
    }
)  # fmt: skip
NEEDS_REASON = frozenset({"move", "call off", "skip", "take back", "retire"})

_REFUSALS: MappingProxyType[tuple[str, str, str], str] = MappingProxyType(
    {
        ("exercise", "start", ExerciseState.RUNNING): "It is running already.",
        ("exercise", "start", ExerciseState.ENDED): "It has ended. Schedule another one.",
        ("exercise", "start", ExerciseState.CANCELLED): "It was called off. Schedule another one.",
        ("exercise", "end", ExerciseState.SCHEDULED): "It has not started, so there is nothing to end.",
        ("exercise", "end", ExerciseState.ENDED): "It has ended already. What was measured stands.",
        ("exercise", "move", ExerciseState.RUNNING): "It is running already: its day moves no more.",
        ("exercise", "call off", ExerciseState.ENDED): "It has ended, and what was measured stands.",
        ("step", "start", StepState.STARTED): "It was started already.",
        ("step", "start", StepState.DONE): "It is done already. Take that back first, if it is not.",
        ("step", "finish", StepState.OPEN): "It was not started. Start it first, so that its time is measured.",
        ("step", "finish", StepState.DONE): "It is done already.",
        ("step", "finish", StepState.SKIPPED): "It was skipped. Take that back first.",
        ("step", "skip", StepState.DONE): "It is done already: it cannot be skipped any more.",
        ("step", "take back", StepState.OPEN): "Nothing was done of it yet.",
        ("plan", "put in force", PlanState.IN_FORCE): "This recovery plan is in force already.",
        ("plan", "put in force", PlanState.RETIRED): "This recovery plan was retired. Write a new one.",
        ("plan", "revise", PlanState.RETIRED): "This recovery plan was retired and stands as it was.",
        ("plan", "retire", PlanState.RETIRED): "This recovery plan was retired already.",
    }
)


def next_plan_state(verb: str, state: str) -> PlanState:
    """Return the state that a verb leads a recovery plan to; Refused is raised where it leads nowhere from here."""
    before = PlanState(state)
    after = PLAN[verb].get(before)
    if after is None:
        raise Refused(_REFUSALS.get(("plan", verb, before)) or f"It is {before.label.lower()}: you cannot {verb} it.")
    return after


def next_state(verb: str, state: str) -> ExerciseState:
    """Return the state that a verb leads an exercise to; Refused is raised where it leads nowhere from here."""
    before = ExerciseState(state)
    after = EXERCISE[verb].get(before)
    if after is None:
        words = f"This exercise is {before.label.lower()}: you cannot {verb} it."
        raise Refused(_REFUSALS.get(("exercise", verb, before)) or words)
    return after


def next_step_state(verb: str, state: str) -> StepState:
    """Return the state that a verb leads a step to; Refused is raised where it leads nowhere from here."""
    before = StepState(state)
    after = STEP[verb].get(before)
    if after is None:
        words = f"This step is {before.label.lower()}: you cannot {verb} it."
        raise Refused(_REFUSALS.get(("step", verb, before)) or words)
    return after


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


def check_running(state: str) -> None:
    """Refuse to work a step while its exercise is not running."""
    if state == ExerciseState.SCHEDULED:
        raise Refused("The exercise has not started. Start it first: from then on its time is measured.")
    if state != ExerciseState.RUNNING:
        raise Refused("The exercise is over, and what was measured stands.")


def check_moment(moment: datetime, *, after: datetime | None, what: str, at: datetime) -> None:
    """Refuse a moment that has not come, or that lies before what must come first; `what` names that."""
    if moment > at:
        raise Refused("That moment has not come yet. Leave it empty for now.")
    if after is not None and moment < after:
        raise Refused(f"That is before {what}, {times.exact(after)}. Nothing ends before it begins: check the time.")


def check_newest(newest_data_at: datetime | None, *, started_at: datetime) -> None:
    """Refuse data that is newer than the loss: what came after the start was never lost."""
    if newest_data_at is not None and newest_data_at > started_at:
        raise Refused(
            "The newest recovered data cannot be newer than the start of the exercise, which stands for the loss. "
            "Give the moment of the newest row, file or message that came back."
        )


def again_on(failed_on: date) -> date:
    """Return until when what is promised has to be tried again after an exercise that did not keep it."""
    return failed_on + AGAIN_WITHIN


def end_by(started_at: datetime, estimate: timedelta) -> datetime:
    """Return until when an exercise should have been ended that takes so long by the estimates of its steps."""
    return started_at + estimate + UNENDED
