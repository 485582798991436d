"""What is done as needed: looked at, and needed until a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from maintenance.enums import Frequency, State
from maintenance.models import Occurrence, Plan
from maintenance.policy import Refused
from maintenance.reminding import first_step
from maintenance.rules import MOST_CEILING
from maintenance.schedule import Due, due_on
from maintenance.services.common import NOTICE, locked_plan, say
from maintenance.services.opening import course_of, open_next
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.lib.blank import is_blank


def evaluate(plan: Plan, *, by: By, at: datetime, reason: str) -> Plan:
    """Record that somebody looked whether a task is needed, and that it is not. Its ceiling stays."""
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        _check_as_needed(row)
        if not row.is_in_force:
            raise Refused("This plan is not in force. Put it in force first.")
        if is_blank(reason):
            raise Refused("Say in a sentence what you looked at. It is kept.")
        stamp(row, "evaluated", by=by, at=at)
        row.save()
        say(row, "evaluated", "looked whether it is needed: it is not", by=by, at=at, reason=reason)
    return row


def need(plan: Plan, *, until: date, by: By, at: datetime, reason: str) -> Occurrence:
    """Say that a task is needed, until a day; the date that stands is due then. The scheduled date stays as it was."""
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        _check_as_needed(row)
        if is_blank(reason):
            raise Refused("Say in a sentence what makes it needed. It is kept.")
        if until > (at + timedelta(days=MOST_CEILING)).date():
            raise Refused("That is more than three years away. Give the day by which it is needed.")
        due = due_on(row.as_rule(), until, row.zone)
        if due.due_at <= at:
            raise Refused("That moment has passed. Give a day that is still to come.")
        occurrence = open_next(row, at=at)
        if occurrence is None:
            raise Refused("This plan is not in force. Put it in force first.")
        if occurrence.state != State.OPEN:
            raise Refused("It is done already and waits for somebody else to sign it off. Then the next date follows.")
        stamp(row, "evaluated", by=by, at=at)
        row.save()
        if due.due_at < occurrence.due_at:
            _bring_forward(occurrence, row, due, at=at)
        say(occurrence, "needed", f"said that it is needed by {until:%a %d %b %Y}", by=by, at=at, reason=reason)
    return occurrence


def _bring_forward(occurrence: Occurrence, plan: Plan, due: Due, *, at: datetime) -> None:
    occurrence.due_on, occurrence.due_at = due.due_on, due.due_at
    occurrence.why = f"{occurrence.why} It was needed before that."
    occurrence.save()
    step = first_step(course_of(plan, due.due_at), at=at)
    deadlines.cancel(subject=occurrence, kind=NOTICE, at=at)
    deadlines.move(kind=NOTICE, subject=occurrence, key=step.key, started_at=at, due_at=step.at)


def _check_as_needed(plan: Plan) -> None:
    if plan.frequency != Frequency.AS_NEEDED:
        raise Refused("This task comes round by itself. Only what is done as needed is looked at.")
