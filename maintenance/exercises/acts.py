"""The verbs of recovery plans, exercises and steps as their pages offer them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maintenance.exercises import policy, services
from maintenance.exercises.forms import (
    ActForm,
    EndForm,
    MomentForm,
    MoveForm,
    ReasonForm,
    ScheduleForm,
    StartForm,
)


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `about` is the sentence that says what it does, `said` what is told once it is done."""

    slug: str
    verb: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[ActForm]
    service: Callable[..., Any]
    danger: bool = False


def _by_slug(*acts: Act) -> dict[str, Act]:
    return {act.slug: act for act in acts}


PLAN_ACTS = _by_slug(
    Act(
        "put-in-force", "put in force", "Put in force", "Put the recovery plan in force", "play",
        "From now on it can be exercised, and a plan of maintenance reminds of the next exercise.",
        "It is in force.", ReasonForm, services.put_in_force,
    ),
    Act(
        "schedule", "schedule", "Schedule an exercise", "Schedule an exercise", "calendar-clock",
        "Its steps are copied when it starts, so that a later edit of the plan never changes it.",
        "The exercise is scheduled.", ScheduleForm, services.schedule,
    ),
    Act(
        "retire", "retire", "Retire it", "Retire the recovery plan", "archive",
        "It is exercised no more: what is scheduled is called off. What its exercises measured stays.",
        "It is retired.", ReasonForm, services.retire, danger=True,
    ),
)  # fmt: skip
EXERCISE_ACTS = _by_slug(
    Act(
        "start", "start", "Start it", "Start the exercise", "play",
        "From now on its time is measured: this moment stands for the loss.",
        "It is running.", StartForm, services.start,
    ),
    Act(
        "end", "end", "End it", "End the exercise", "circle-stop",
        "What it measured is kept for good, against what is promised now.",
        "It has ended, and what it measured is kept.", EndForm, services.end,
    ),
    Act(
        "move", "move", "Another day", "Move it to another day", "calendar-days",
        "The day before stays in its timeline.",
        "It is moved.", MoveForm, services.move,
    ),
    Act(
        "call-off", "call off", "Call it off", "Call the exercise off", "ban",
        "It measures nothing. What was worked of it stays.",
        "It is called off.", ReasonForm, services.call_off, danger=True,
    ),
)  # fmt: skip
STEP_ACTS = _by_slug(
    Act(
        "start", "start", "Start", "Start the step", "play",
        "From now on its time is measured.", "Started.", MomentForm, services.start_step,
    ),
    Act(
        "done", "finish", "Done", "The step is done", "circle-check",
        "Its time is kept.", "Done.", MomentForm, services.finish_step,
    ),
    Act(
        "skip", "skip", "Skip", "Skip the step", "circle-minus",
        "It counts no more. Say why that is right.", "Skipped.", ReasonForm, services.skip_step,
    ),
    Act(
        "back", "take back", "Take back", "Take it back", "undo-2",
        "What was last said of the step is taken back. Both stay in the timeline.",
        "Taken back.", ReasonForm, services.take_step_back,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb as one page offers it now."""

    act: Act
    url: str


def offers_of_plan(plan: Any) -> list[Offer]:
    """Return the verbs of a recovery plan that fit now."""
    base = plan.get_absolute_url()
    fitting = [
        act
        for act in PLAN_ACTS.values()
        if (plan.is_in_force if act.verb == "schedule" else plan.state in policy.PLAN[act.verb])
    ]
    return [Offer(act, f"{base}{act.slug}/") for act in fitting]


def offers_of_exercise(exercise: Any) -> list[Offer]:
    """Return the verbs of an exercise that fit now."""
    base = exercise.get_absolute_url()
    acts = [act for act in EXERCISE_ACTS.values() if exercise.state in policy.EXERCISE[act.verb]]
    return [Offer(act, f"{base}{act.slug}/") for act in acts]


def offers_of_step(exercise: Any, step: Any) -> list[Offer]:
    """Return the verbs of a step that fit now; none while its exercise is not running."""
    if not exercise.is_running:
        return []
    base = f"{exercise.get_absolute_url()}{step.position}/"
    return [Offer(act, f"{base}{act.slug}/") for act in STEP_ACTS.values() if step.state in policy.STEP[act.verb]]
