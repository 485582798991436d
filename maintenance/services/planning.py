"""The verbs of a plan: write it, put it in force, change it, hand it over, end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from maintenance import policy
from maintenance.enums import Source, State
from maintenance.models import Occurrence, Plan
from maintenance.models.plans import OF_THE_RULE
from maintenance.policy import PREFIX, Refused
from maintenance.reminding import untold_step
from maintenance.services.common import NOTICE, account_of, locked_plan, say
from maintenance.services.opening import course_of, open_next
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState
from portal.directory.models import Contact, System
from portal.lib.blank import is_blank
from portal.records import services as records

EDITABLE = frozenset(field.name for field in Plan._meta.concrete_fields if field.editable and not field.primary_key)
"""What an edit of a plan may touch; the rest is moved by its verbs."""


def draft(values: Mapping[str, Any], systems: Iterable[System] = (), *, by: By, at: datetime, reason: str) -> Plan:
    """Write a plan down. It reminds nobody until it is put in force. Refused says what cannot be."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        plan = Plan(reference=records.next_reference(PREFIX), **_known(values))
        stamp(plan, "made", by=by, at=at)
        _check(plan)
        plan.save()
        plan.systems.set(list(systems))
        say(plan, "made", "wrote the plan", by=by, at=at, reason=reason)
    return plan


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = {name.removesuffix("_id") for name in values} - EDITABLE
    if unknown:
        raise ValueError(f"A plan has no {', '.join(sorted(unknown))} to write.")
    return dict(values)


def _check(plan: Plan) -> None:
    if is_blank(plan.task):
        raise Refused("Say what is to be done, in a few words.")
    changed = plan.changed_fields()
    for name in ("owner", "backup", "manager"):
        person = getattr(plan, name)
        if person is not None and not person.active and f"{name}_id" in changed:
            raise Refused(f"{person} has left. Name somebody who is still there.")
    try:
        plan.clean_fields(exclude=["reference", "made_at", "made_by"])
        plan.clean()
        plan.validate_constraints(exclude=["reference"])
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from None


def put_in_force(plan: Plan, *, by: By, at: datetime, reason: str, last_done_on: date | None = None) -> Plan:
    """Let a plan come round from now on. Refused is raised while it lacks its owner or its manager.

    `last_done_on` is when the task was last done before it stood here: the next date follows from it.
    """
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        row.state = policy.next_plan_state("put in force", row.state)
        lacking = [word for word, who in (("an owner", row.owner), ("a manager", row.manager)) if who is None]
        if lacking:
            raise Refused(f"It lacks {' and '.join(lacking)}. Name who answers for it, then put it in force.")
        gone = [str(who) for who in (row.owner, row.manager) if who is not None and not who.active]
        if gone:
            raise Refused(f"{' and '.join(gone)} left. Name somebody who is still there.")
        stamp(row, "activated", by=by, at=at)
        row.save()
        if last_done_on is not None:
            _carry_over(row, last_done_on, by=by, at=at)
        say(row, "in_force", "put the plan in force", by=by, at=at, reason=reason)
        _check_dates(row, at=at)
    return row


def _carry_over(plan: Plan, done_on: date, *, by: By, at: datetime) -> None:
    """Keep what was done before the plan stood here, as what somebody says of it."""
    policy.check_years(done_on)
    done_at = min(datetime.combine(done_on, time(12), plan.zone), at)
    if done_on > at.astimezone(plan.zone).date():
        raise Refused("It cannot have been done last in the future.")
    number = plan.occurrences.count() + 1
    occurrence = Occurrence(
        plan=plan, number=number, reference=f"{plan.reference}.{number}", scheduled_on=done_on, due_on=done_on,
        due_at=done_at, starts_at=done_at, state=State.COMPLETED, opened_at=at, source=Source.CARRIED, done_at=done_at,
        recorded_at=at, late_because="It was done before the plan stood here.", settled_at=at,
        why="Carried over from the record before.", done_user=account_of(by),
    )  # fmt: skip
    stamp(occurrence, "done", by=by, at=done_at)
    occurrence.save()
    say(occurrence, "carried_over", "said when it was last done before", by=by, at=at, event_at=done_at)


def _check_dates(plan: Plan, *, at: datetime) -> None:
    if open_next(plan, at=at) is None:
        raise Refused("By this rule it never comes round again. Choose another one.")


def revise(
    plan: Plan, values: Mapping[str, Any], systems: Iterable[System] | None = None, *, by: By, at: datetime, reason: str
) -> Plan:
    """Change a plan. Where its rule changes, the date that stands is withdrawn, and another follows the new rule.

    Refused is raised for another rule while a date that is done waits for its signature.
    """
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        policy.next_plan_state("revise", row.state)
        for name, value in _known(values).items():
            setattr(row, name, value)
        _check(row)
        moves = bool(row.changed_fields(OF_THE_RULE))
        if row.is_in_force and (row.owner is None or row.manager is None):
            raise Refused("A plan in force has an owner and a manager. Name somebody, or retire it.")
        signing = row.occurrences.filter(state=State.TO_SIGN).first() if moves else None
        if signing is not None:
            raise Refused(
                f"{signing.reference} is done and waits for a signature. Sign it off, or send it back; then change how "
                "often it comes round."
            )
        changed = row.changed_fields()
        row.save()
        if systems is not None:
            row.systems.set(list(systems))
        if changed or systems is not None:
            say(row, "revised", "changed the plan", by=by, at=at, reason=reason)
        if moves and row.is_in_force:
            _withdraw(row, "its rule was changed", by=by, at=at, reason=reason)
            _check_dates(row, at=at)
        elif "grace_days" in changed:
            _remind_anew(row, at=at)
    return row


def _remind_anew(plan: Plan, *, at: datetime) -> None:
    """Let the reminders of the date that stands follow the new grace; nobody is told again of what they were told."""
    occurrence = Occurrence.objects.filter(plan=plan, state=State.OPEN).select_for_update(of=("self",)).first()
    if occurrence is None:
        return
    rows = deadlines.of(occurrence, [NOTICE])
    told = set(rows.filter(state=DeadlineState.FIRED).values_list("key", flat=True))
    step = untold_step(course_of(plan, occurrence.due_at), told=told, at=at)
    last = rows.aggregate(last=Max("generation"))["last"] or 0
    deadlines.cancel(subject=occurrence, kind=NOTICE, at=at)
    deadlines.start(
        kind=NOTICE, subject=occurrence, key=step.key, generation=last + 1, started_at=at, due_at=step.at
    )  # fmt: skip


def _withdraw(plan: Plan, why: str, *, by: By, at: datetime, reason: str) -> None:
    """Take back the date that stands."""
    for occurrence in Occurrence.objects.standing().filter(plan=plan).select_for_update(of=("self",)):
        occurrence.state = policy.next_state("withdraw", occurrence.state)
        occurrence.settled_at = at
        occurrence.save()
        deadlines.cancel(subject=occurrence, at=at, kind=NOTICE)
        say(occurrence, "withdrawn", f"withdrew the date: {why}", by=by, at=at, reason=reason)


def hand_over(plans: Iterable[Plan], owner: Contact, *, by: By, at: datetime, reason: str) -> list[Plan]:
    """Give plans to another owner, all or none. A backup who becomes the owner leaves the backup empty."""
    if not owner.active:
        raise Refused(f"{owner} has left. Name somebody who is still there.")
    moved = []
    with transaction.atomic():
        for plan in sorted(plans, key=lambda one: one.pk):
            with locked_plan(plan, by=by, at=at, reason=reason) as row:
                policy.next_plan_state("revise", row.state)
                before = row.owner
                if before == owner:
                    continue
                row.owner = owner
                if row.backup == owner:
                    row.backup = None
                row.save()
                words = f"handed it over from {before} to {owner}" if before else f"gave it to {owner}"
                say(row, "handed_over", words, by=by, at=at, reason=reason)
                moved.append(row)
    return moved


def retire(plan: Plan, *, by: By, at: datetime, reason: str) -> Plan:
    """End a plan: it comes round no more. Its history stays.

    Refused is raised while a recovery plan in force rests on it: nobody would be reminded of its exercises.
    """
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        row.state = policy.next_plan_state("retire", row.state)
        if (upheld := row.upheld) is not None:
            raise Refused(f"It reminds of the exercises of {upheld.reference}. Retire that, and this is retired too.")
        policy.check_reason("retire", reason)
        stamp(row, "retired", by=by, at=at)
        row.save()
        _withdraw(row, "the plan was retired", by=by, at=at, reason=reason)
        say(row, "retired", "retired the plan", by=by, at=at, reason=reason)
    return row


def take_up_again(plan: Plan, *, by: By, at: datetime, reason: str) -> Plan:
    """Make a draft of a plan that was retired."""
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        row.state = policy.next_plan_state("take up again", row.state)
        policy.check_reason("take up again", reason)
        stamp(row, "retired", by=None, at=None)
        row.save()
        say(row, "taken_up", "took the plan up again, as a draft", by=by, at=at, reason=reason)
    return row
