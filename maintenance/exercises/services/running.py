"""The verbs of an exercise: schedule it, start it, end it with what it measured, move it, call it off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from maintenance import services as maintenance
from maintenance.enums import Shift, State
from maintenance.exercises import policy, recording, reminding
from maintenance.exercises.enums import Kind, StepState
from maintenance.exercises.measuring import Result, Timed, measure
from maintenance.exercises.policy import PREFIX
from maintenance.exercises.services.common import locked, locked_plan
from maintenance.models import Exercise, ExerciseStep, Occurrence, RecoveryPlan
from maintenance.policy import Refused
from maintenance.schedule import Impossible, due_on
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.directory.enums import ProofKind
from portal.directory.models import Contact, Severity
from portal.directory.recovery import facts
from portal.directory.recovery.reading import promises
from portal.lib import durations
from portal.records import drills
from portal.records import services as records


def schedule(
    plan: RecoveryPlan,
    *,
    kind: str,
    lead: Contact,
    scheduled_for: datetime,
    by: By,
    at: datetime,
    reason: str = "",
    any_day: bool = False,
) -> Exercise:
    """Put an exercise of a recovery plan in force on a day. Refused is raised for a day that has passed.

    Where the plan of maintenance that reminds of exercises keeps to working days, a day that is not worked is refused,
    unless `any_day` says that it is meant.
    """
    if not lead.active:
        raise Refused(f"{lead} has left. Name somebody who is still there.")
    if scheduled_for < at - timedelta(minutes=5):
        raise Refused("That moment has passed. Choose one that is still to come, or now.")
    with locked_plan(plan, by=by, at=at, reason=reason) as held:
        if not held.is_in_force:
            raise Refused("Only a recovery plan in force is exercised. Put it in force first.")
        _check_worked(held, scheduled_for, any_day=any_day)
        exercise = Exercise(
            reference=records.next_reference(PREFIX), plan=held, kind=Kind(kind), lead=lead,
            scheduled_for=scheduled_for,
        )  # fmt: skip
        stamp(exercise, "made", by=by, at=at)
        exercise.save()
        words = f"scheduled it, led by {lead}"
        records.write_note(exercise, kind="made", text=words, by=by, at=at, reason=reason)
        reminding.begin(exercise, at=at)
        text = f"scheduled the {Kind(kind).word.lower()} exercise {exercise.reference}"
        records.write_note(held, kind="exercise", text=text, by=by, at=at)
    return exercise


def _check_worked(plan: RecoveryPlan, moment: datetime, *, any_day: bool) -> None:
    """Refuse a day that is not worked where the plan that reminds of exercises keeps to working days."""
    upkeep = plan.upkeep
    if any_day or upkeep is None or upkeep.shift == Shift.NONE:
        return
    rule, day = replace(upkeep.as_rule(), shift=Shift.NEXT), moment.astimezone(upkeep.zone).date()
    if rule.calendar is None or rule.calendar.is_business_day(day):
        return
    try:
        worked = f"The next day that is worked is {due_on(rule, day, upkeep.zone).due_on:%a %d %b %Y}. Choose it"
    except Impossible:
        worked = f"Choose a day on which {rule.calendar.name} works"
    raise Refused(
        f"{day:%a %d %b %Y} is not worked ({rule.calendar.why_not(day)}), and {upkeep.reference} keeps to working "
        f"days. {worked}, or tick that this day is meant."
    )


def move(
    exercise: Exercise, *, scheduled_for: datetime, by: By, at: datetime, reason: str, any_day: bool = False
) -> Exercise:
    """Put an exercise that has not started on another day; one that is not worked is refused as by `schedule`."""
    with locked(exercise, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("move", row.state)
        policy.check_reason("move", reason)
        if scheduled_for < at:
            raise Refused("That moment has passed. Choose one that is still to come.")
        _check_worked(row.plan, scheduled_for, any_day=any_day)
        row.scheduled_for = scheduled_for
        row.save()
        reminding.begin(row, at=at)
        records.write_note(row, kind="moved", text="moved it to another day", by=by, at=at, reason=reason)
    return row


def start(
    exercise: Exercise,
    *,
    by: By,
    at: datetime,
    reason: str = "",
    severity: Severity | None = None,
    title: str = "",
) -> Exercise:
    """Start an exercise: from now on its time is measured. The steps of the plan are copied with their version.

    With a severity an exercise of the kind "drill" begins as what it plays would: a drill of incidents of its system
    is started at the same moment, under this title. Refused is raised for another kind.
    """
    with locked(exercise, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("start", row.state)
        stamp(row, "started", by=by, at=at)
        row.plan_version = row.plan.version
        row.save()
        for step in row.plan.steps_now().select_related("owner"):
            ExerciseStep(
                exercise=row, position=step.position, text=step.text, owner=step.owner, minutes=step.minutes,
                recovers=step.recovers,
            ).save()  # fmt: skip
        reminding.await_end(row, at=at)
        words = f"started it, by version {row.plan_version} of the plan"
        records.write_note(row, kind="started", text=words, by=by, at=at, reason=reason)
        if severity is not None:
            row.drill = _play(row, severity, title, by=by, at=at)
            row.save()
    return row


def _play(row: Exercise, severity: Severity, title: str, *, by: By, at: datetime) -> str:
    """Start the drill of incidents that goes with an exercise, and return its reference."""
    if row.kind != Kind.DRILL:
        raise Refused("Only an exercise of the kind drill pages people. Start this one without an incident.")
    system = row.plan.system
    begun: Any = drills.start(
        row, title=" ".join(title.split()) or f"{system} is lost", severity=severity, systems=[system],
        description=f"It goes with {row.reference}, an exercise of the recovery plan {row.plan}.", by=by, at=at,
    )  # fmt: skip
    return str(begun.reference)


def end(
    exercise: Exercise,
    *,
    by: By,
    at: datetime,
    newest_data_at: datetime | None = None,
    summary: str = "",
    reason: str = "",
) -> Exercise:
    """End an exercise and keep what it measured, against what is promised now.

    `newest_data_at` is the moment of the newest data that came back. Refused is raised when it is newer than the start,
    which stands for the loss, and while a step is under way.
    """
    with locked(exercise, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("end", row.state)
        steps = list(row.steps.order_by("position"))
        going = [str(step.position) for step in steps if step.state == StepState.STARTED]
        if going:
            raise Refused(f"Step {going[0]} is under way. Finish it, skip it with a reason, or take its start back.")
        started_at = row.started_at or at
        policy.check_newest(newest_data_at, started_at=started_at)
        timed = [Timed(step.position, step.recovers, step.state, step.done_at) for step in steps]
        result = measure(row.kind, started_at=started_at, steps=timed, newest_data_at=newest_data_at)
        stamp(row, "ended", by=by, at=at)
        row.newest_data_at, row.summary = newest_data_at, summary.strip()
        _keep(row, result)
        row.digest = recording.digest_of(row, steps)
        words = f"ended it: {_words(row, result)}"
        records.write_note(row, kind="ended", text=words, by=by, at=at, reason=reason, detail=row.summary)
        row.save()  # the next date follows from its verdict
        reminding.stop(row, at=at)
        if row.kind != Kind.TABLETOP:
            row.retest_at = _fulfil(row, by=by, at=at)
            row.save()
            _prove(row, result, by=by, at=at)
        text = f"ended the exercise {row.reference}: {row.get_verdict_display().lower()}"
        records.write_note(row.plan, kind="exercise", text=text, by=by, at=at)
    return row


def _keep(row: Exercise, result: Result) -> None:
    """Keep what was measured beside what is promised."""
    promise = promises([row.plan.system_id])[row.plan.system_id]
    row.took_seconds = None if result.took is None else int(result.took.total_seconds())
    row.lost_seconds = None if result.lost is None else int(result.lost.total_seconds())
    row.took_sum, row.lost_sum, row.succeeded = result.took_sum, result.lost_sum, result.succeeded
    row.rto_minutes = None if promise.rto is None else int(promise.rto.total_seconds() // 60)
    row.rpo_minutes = None if promise.rpo is None else int(promise.rpo.total_seconds() // 60)
    row.verdict = result.against(promise)


def _words(row: Exercise, result: Result) -> str:
    parts = [row.get_verdict_display().lower()]
    if result.took is not None:
        parts.append(f"back after {durations.words(result.took.total_seconds())}")
    if result.lost is not None:
        parts.append(f"{durations.words(result.lost.total_seconds())} of data lost")
    return ", ".join(parts)


def _fulfil(row: Exercise, *, by: By, at: datetime) -> datetime | None:
    """Complete the standing date of the plan of maintenance that reminds of exercises; return when the next is due."""
    upkeep = row.plan.upkeep
    if upkeep is None:
        return None
    standing = Occurrence.objects.filter(plan=upkeep, state=State.OPEN).first()
    if standing is not None:
        found = f"{row.title} ({row.reference}): {row.get_verdict_display().lower()}."
        try:
            with transaction.atomic():
                maintenance.complete(standing, by=by, at=at, found=found, exercised=True)
        except Refused as refused:
            text = f"could not complete {standing.reference}: {refused}"
            records.write_note(row, kind="note", text=text, by=by, at=at)
    following = Occurrence.objects.standing().filter(plan=upkeep).first()
    return None if following is None else following.due_at


def _prove(row: Exercise, result: Result, *, by: By, at: datetime) -> None:
    """Tell the directory what was measured of the system. It holds until the next exercise is due."""
    facts.record_proof(
        row.plan.system, record=row, kind=ProofKind.EXERCISE, reference=row.reference, took=result.took,
        lost=result.lost, by=by, at=at, succeeded=result.succeeded, proven_until=row.retest_at,
    )  # fmt: skip


def call_off(exercise: Exercise, *, by: By, at: datetime, reason: str) -> Exercise:
    """Call an exercise off, before it starts or while it runs. It measures nothing; what was worked stays."""
    with locked(exercise, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("call off", row.state)
        policy.check_reason("call off", reason)
        row.cancelled_because = reason.strip()
        stamp(row, "cancelled", by=by, at=at)
        row.save()
        reminding.stop(row, at=at)
        records.write_note(row, kind="cancelled", text="called it off", by=by, at=at, reason=reason)
    return row
