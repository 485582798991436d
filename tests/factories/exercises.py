"""Recovery plans and exercises for tests, made through the services as everybody else makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from maintenance.exercises import services
from maintenance.exercises.services.planning import StepWords
from maintenance.models import Exercise, ExerciseStep, RecoveryPlan
from portal.directory.models import RecoveryObjective, System
from tests.factories.directory import NOON, make_contact, make_system

WHY = "For the test"
MINUTE = timedelta(minutes=1)
STEPS = (
    StepWords("Fetch the newest backup", 10),
    StepWords("Load it into a clean database", 30),
    StepWords("Point the application at it", 5),
    StepWords("Tidy up", 15, recovers=False),
)
_numbers = count(1)


def make_recovery_draft(*, steps: Sequence[StepWords] = STEPS, at: datetime = NOON, **values: Any) -> RecoveryPlan:
    """A recovery plan of a system, with four steps of which the last does not count, that is a draft."""
    number = next(_numbers)
    given = {
        "title": f"Recovery of something {number}",
        "system": values.pop("system", None) or make_system(f"db-{number}", name=f"Database {number}"),
        "owner": values.pop("owner", None) or make_contact("Amara Okafor"),
        "manager": values.pop("manager", None) or make_contact("Maren Holt"),
    }
    return services.draft({**given, **values}, steps, by="system: test", at=at, reason=WHY)


def make_recovery_plan(*, at: datetime = NOON, **values: Any) -> RecoveryPlan:
    """A recovery plan in force."""
    return services.put_in_force(make_recovery_draft(at=at, **values), by="system: test", at=at, reason=WHY)


def promise(system: System, *, rto: int | None = 60, rpo: int | None = 30) -> RecoveryObjective:
    """What is promised of a system, in minutes."""
    return RecoveryObjective.objects.create(system=system, rto_minutes=rto, rpo_minutes=rpo)


def make_exercise(
    plan: RecoveryPlan | None = None, *, kind: str = "full", at: datetime = NOON, started: bool = False, **values: Any
) -> Exercise:
    """An exercise of a plan, scheduled for the moment; with `started` it runs."""
    found = plan or make_recovery_plan(at=at)
    lead = values.pop("lead", None) or make_contact("Joel Brandt")
    exercise = services.schedule(
        found, kind=kind, lead=lead, scheduled_for=values.pop("scheduled_for", at), by="system: test", at=at, **values
    )
    return services.start(exercise, by="system: test", at=at) if started else exercise


def step(exercise: Exercise, position: int) -> ExerciseStep:
    """Return one step of an exercise."""
    found: ExerciseStep = exercise.steps.select_related("exercise").get(position=position)
    return found


def work(exercise: Exercise, *positions: int, took: timedelta = 10 * MINUTE, at: datetime = NOON) -> datetime:
    """Work these steps one after the other from a moment on; return when the last one was done."""
    for position in positions:
        services.start_step(step(exercise, position), by="Joel Brandt", at=at)
        at += took
        services.finish_step(step(exercise, position), by="Joel Brandt", at=at)
    return at
