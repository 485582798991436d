"""The verbs of one occurrence: done, signed off, sent back, skipped. The next date follows in the same transaction."""

from __future__ import annotations

from datetime import datetime

from django.contrib.contenttypes.models import ContentType

from maintenance import policy
from maintenance.enums import Basis, Frequency, Source, State
from maintenance.models import Occurrence, Plan
from maintenance.policy import NotYours, Refused
from maintenance.reminding import first_step
from maintenance.schedule import Due, dates, due_on
from maintenance.services.asking import settle_demands
from maintenance.services.common import NOTICE, account_of, locked, say
from maintenance.services.opening import course_of, open_next
from portal.accounts.models import User
from portal.audit.actor import By, actor_of
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.records.models import Evidence
from portal.runbooks.models import ChecklistRun

MOST_MISSED = 1100


def complete(
    occurrence: Occurrence,
    *,
    by: By,
    at: datetime,
    done_at: datetime | None = None,
    late_because: str = "",
    found: str = "",
    source: Source = Source.PERSON,
    change: str = "",
    exercised: bool = False,
    reason: str = "",
) -> Occurrence:
    """Record that the task is done. With a sign-off it waits for a second person, else the next date is opened.

    Refused is raised for a moment in the future, before the start, or on an earlier day without `late_because`; while
    a checklist that was started for it is not finished; and without what proves it where the plan asks for that. The
    date of a recovery plan is done by an exercise that has ended, which says so with `exercised`.
    """
    with locked(occurrence, by=by, at=at, reason=reason) as row:
        plan = row.plan
        verb = "hand in" if plan.needs_sign_off else "complete"
        state = policy.next_state(verb, row.state)
        moment = done_at or at
        late = moment.astimezone(plan.zone).date() < at.astimezone(plan.zone).date()
        policy.check_done_at(moment, starts_at=row.starts_at, at=at, late=late, why=late_because)
        run = _run_of(row)
        if plan.proves_recovery and source != Source.TEST:
            raise Refused("A restore test does this. Record the test on the recovery page of its system.")
        if not exercised and (tried := plan.upheld) is not None:
            raise Refused(f"An exercise of {tried.reference} that recovers something does this, once it has ended.")
        if plan.needs_evidence and source == Source.PERSON:
            _check_proof(row, run)
        row.state, row.source, row.found, row.change = state, source, found.strip(), change
        row.run, row.recorded_at, row.late_because = run, at, late_because.strip() if late else ""
        row.done_user = account_of(by)
        stamp(row, "done", by=by, at=moment)
        if state == State.COMPLETED:
            row.settled_at = at
        row.save()
        words = f"did it on {moment.astimezone(plan.zone):%a %d %b %Y, %H:%M}" if late else "did it"
        say(row, "done", words, by=by, at=at, event_at=moment, reason=reason or row.late_because, detail=row.found)
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
        if state == State.COMPLETED:
            _go_on(row, at=at)
        else:
            _await_signature(row, at=at)
    return row


def _run_of(row: Occurrence) -> ChecklistRun | None:
    """Return the newest checklist that was worked for it. Refused is raised while one is not finished."""
    runs = list(ChecklistRun.objects.of(row))
    going = [run for run in runs if not run.is_over]
    if going:
        raise Refused(f"The checklist {going[0].reference} is not finished. Finish or end it first.")
    return runs[-1] if runs else None


def _check_proof(row: Occurrence, run: ChecklistRun | None) -> None:
    kind = ContentType.objects.get_for_model(Occurrence)
    if run is None and not Evidence.objects.filter(subject_type=kind, subject_id=row.pk).exists():
        raise Refused("This plan asks for proof. Add a piece of evidence, or work a checklist for it.")


def _await_signature(row: Occurrence, *, at: datetime) -> None:
    """Write down when whoever signs is reminded."""
    deadlines.move(kind=NOTICE, subject=row, key="sign", started_at=at, due_at=at)


def sign_off(occurrence: Occurrence, *, by: By, at: datetime, reason: str = "") -> Occurrence:
    """Sign that it was done as it says. NotYours is raised for whoever did it, and for what is no person."""
    with locked(occurrence, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("sign off", row.state)
        account = account_of(by)
        if account is None:
            raise NotYours("Only somebody who signs in signs it off.")
        if did(row, account):
            raise NotYours("You did it yourself. A second person signs it off.")
        stamp(row, "signed", by=by, at=at)
        row.settled_at = at
        row.save()
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
        say(row, "signed", "signed it off", by=by, at=at, reason=reason)
        _go_on(row, at=at)
    return row


def did(row: Occurrence, account: User | None) -> bool:
    """Tell whether this account did it. Of what a change did, only the name of whoever closed it is known."""
    if row.done_user_id is not None or account is None:
        return account is not None and account.pk == row.done_user_id
    return row.source == Source.CHANGE and actor_of(account).name == row.done_by


def send_back(occurrence: Occurrence, *, by: By, at: datetime, reason: str) -> Occurrence:
    """Send back what is not done as it should be; it is open again, with its date."""
    with locked(occurrence, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("send back", row.state)
        policy.check_reason("send back", reason)
        if did(row, account_of(by)):
            raise NotYours("You did it yourself. A second person looks at it.")
        stamp(row, "done", by=None, at=None)
        row.recorded_at, row.late_because, row.source, row.done_user = None, "", "", None
        row.save()
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
        step = first_step(course_of(row.plan, row.due_at), at=at)
        deadlines.move(kind=NOTICE, subject=row, key=step.key, started_at=at, due_at=step.at)
        say(row, "sent_back", "sent it back", by=by, at=at, reason=reason)
    return row


def skip(occurrence: Occurrence, *, by: By, at: datetime, reason: str) -> Occurrence:
    """Leave one date out, for a reason. The next one follows."""
    if is_blank(reason):
        policy.check_reason("skip", "")
    with locked(occurrence, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("skip", row.state)
        row.skipped_because, row.settled_at = reason.strip(), at
        stamp(row, "skipped", by=by, at=at)
        row.save()
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
        say(row, "skipped", "skipped it", by=by, at=at, reason=reason)
        _go_on(row, at=at)
    return row


def _go_on(row: Occurrence, *, at: datetime) -> None:
    """Keep the dates that passed meanwhile as missed, answer what was asked of others, and open the next date."""
    settle_demands(row, at=at)
    _miss(row, at=at)
    open_next(row.plan, at=at)


def _miss(row: Occurrence, *, at: datetime) -> None:
    """Keep the dates of a fixed plan that passed while this one stood open: nobody did them, and that stays visible."""
    plan: Plan = row.plan
    if plan.basis == Basis.FLOATING or plan.frequency == Frequency.AS_NEEDED:
        return
    rule, last = plan.as_rule(), row.due_on
    passed: list[Due] = []
    done_on = (row.done_at or at).astimezone(plan.zone).date()
    for day in dates(rule, plan.anchor, after=row.scheduled_on):
        due = due_on(rule, day, plan.zone)
        # What was due on the day on which it was done, or later, is not missed.
        if due.due_on >= done_on or len(passed) == MOST_MISSED:
            break
        if due.due_on > last:
            passed.append(due)
            last = due.due_on
    if not passed:
        return
    Occurrence.objects.bulk_create(
        Occurrence(
            plan=plan, number=number, reference=f"{plan.reference}.{number}", scheduled_on=due.scheduled_on,
            due_on=due.due_on, due_at=due.due_at, starts_at=due.due_at, state=State.MISSED, opened_at=at, settled_at=at,
            why=f"It passed while {row.reference} stood open.",
        )
        for number, due in enumerate(passed, start=row.number + 1)
    )  # fmt: skip
    dates_word = "1 date" if len(passed) == 1 else f"{len(passed)} dates"
    records.write_note(
        plan, kind="missed", text=f"kept {dates_word} as missed, which passed while {row.reference} stood open",
        by="system: maintenance", at=at,
    )  # fmt: skip
