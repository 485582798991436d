"""The verbs of one step of a running exercise: started, done, skipped, taken back. Each is timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from maintenance.exercises import policy
from maintenance.exercises.enums import StepState
from maintenance.exercises.services.common import locked
from maintenance.models import ExerciseStep
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.lib import durations
from portal.records import services as records


@contextmanager
def _locked_step(step: ExerciseStep, *, by: By, at: datetime, reason: str = "") -> Iterator[ExerciseStep]:
    """Open one atomic gesture on a step: its exercise is locked first, and must be running."""
    with locked(step.exercise, by=by, at=at, reason=reason) as exercise:
        policy.check_running(exercise.state)
        row = ExerciseStep.objects.select_for_update(of=("self",)).get(pk=step.pk)
        row.exercise = exercise
        yield row


def _say(row: ExerciseStep, kind: str, text: str, *, by: By, at: datetime, **more: object) -> None:
    records.write_note(row.exercise, kind=kind, text=text, by=by, at=at, **more)


def start_step(
    step: ExerciseStep, *, by: By, at: datetime, moment: datetime | None = None, note: str = "", reason: str = ""
) -> ExerciseStep:
    """Start a step, now or at an earlier moment of the exercise. Several may be under way at once."""
    with _locked_step(step, by=by, at=at, reason=reason) as row:
        row.state = policy.next_step_state("start", row.state)
        when = moment or at
        policy.check_moment(when, after=row.exercise.started_at, what="the start of the exercise", at=at)
        row.note = note.strip() or row.note
        stamp(row, "started", by=by, at=when)
        row.save()
        _say(row, "step_started", f"started step {row.position}", by=by, at=at, event_at=when, detail=row.text[:300])
    return row


def finish_step(
    step: ExerciseStep, *, by: By, at: datetime, moment: datetime | None = None, note: str = "", reason: str = ""
) -> ExerciseStep:
    """Record that a step is done, now or at an earlier moment after its start."""
    with _locked_step(step, by=by, at=at, reason=reason) as row:
        row.state = policy.next_step_state("finish", row.state)
        when = moment or at
        policy.check_moment(when, after=row.started_at, what="its start", at=at)
        row.note = note.strip() or row.note
        stamp(row, "done", by=by, at=when)
        row.save()
        span = durations.words((when - (row.started_at or when)).total_seconds())
        text = f"did step {row.position} in {span}, estimated {durations.words(row.minutes * 60)}"
        _say(row, "step_done", text, by=by, at=at, event_at=when, detail=note.strip())
    return row


def skip_step(step: ExerciseStep, *, by: By, at: datetime, reason: str, note: str = "") -> ExerciseStep:
    """Skip a step. Where it recovers, it counts no more for the time: the reason says why that is right."""
    with _locked_step(step, by=by, at=at, reason=reason) as row:
        row.state = policy.next_step_state("skip", row.state)
        policy.check_reason("skip", reason)
        row.skipped_because, row.note = reason.strip(), note.strip() or row.note
        stamp(row, "skipped", by=by, at=at)
        row.save()
        _say(row, "step_skipped", f"skipped step {row.position}", by=by, at=at, reason=reason)
    return row


def take_step_back(step: ExerciseStep, *, by: By, at: datetime, reason: str) -> ExerciseStep:
    """Take back what was last said of a step: that it is done, was skipped, or was started."""
    with _locked_step(step, by=by, at=at, reason=reason) as row:
        before = StepState(row.state)
        row.state = policy.next_step_state("take back", before)
        policy.check_reason("take back", reason)
        if before == StepState.DONE:
            stamp(row, "done", by=None, at=None)
        elif before == StepState.SKIPPED:
            row.skipped_because = ""
            stamp(row, "skipped", by=None, at=None)
            stamp(row, "started", by=None, at=None)
        else:
            stamp(row, "started", by=None, at=None)
        row.save()
        _say(
            row,
            "step_back",
            f"took back that step {row.position} was {before.label.lower()}",
            by=by,
            at=at,
            reason=reason,
        )
    return row
