"""Opening occurrences: the next date of one plan, or of thousands at once in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from maintenance.enums import Basis, Frequency, State
from maintenance.exercises.policy import AGAIN_WITHIN, again_on
from maintenance.models import Exercise, Occurrence, Plan
from maintenance.reminding import Course, first_step
from maintenance.schedule import Due, Impossible, Rule, due_on, explain, following
from maintenance.services.asking import ask_for_change
from maintenance.services.common import NOTICE
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory import calendars
from portal.directory.enums import Verdict
from portal.directory.models import Calendar
from portal.lib.businesstime import WorkCalendar
from portal.lib.inserting import insert_values

AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Before:
    """What stands behind the next date of a plan: when it was last done, for which date, and its last number.

    `failed` is the exercise that showed last how a system is recovered, where that did not keep what is promised.
    """

    done_at: datetime | None = None
    fulfilled: Due | None = None
    opened_at: datetime | None = None
    last_state: str = ""
    number: int = 0
    failed: Exercise | None = None


def course_of(plan: Plan, due_at: datetime) -> Course:
    """Return what the reminders of an occurrence of this plan follow from."""
    return Course(due_at, plan.as_rule(_NO_CALENDAR).interval_days, plan.grace_days, plan.zone)


_NO_CALENDAR = WorkCalendar("", None, frozenset(), None, None)  # type: ignore[arg-type]  # never asked: interval only


@transaction.atomic
def open_next(plan: Plan, *, at: datetime) -> Occurrence | None:
    """Open the next occurrence of a plan whose lock the caller holds, and return the one that stands.

    Nothing is returned for a plan that is not in force, or whose rule has no further date.
    """
    if plan.is_in_force:
        open_many([plan], at=at)
    found: Occurrence | None = Occurrence.objects.standing().filter(plan=plan).first()
    return found


@transaction.atomic
def open_many(plans: Iterable[Plan], *, at: datetime) -> int:
    """Open the next occurrence of each of these plans in force, with its first reminder; return how many there are.

    One that stands already is left alone, so that any number of these may run at once.
    """
    wanted = {plan.pk: plan for plan in plans if plan.is_in_force}
    # SQLite refuses a row whose key stands before it could be left out, and there nobody writes beside this.
    for pk in Occurrence.objects.standing().filter(plan__in=wanted).values_list("plan_id", flat=True):
        del wanted[pk]
    given = list(wanted.values())
    before, working = _before([plan.pk for plan in given]), _calendars(given)
    rows = []
    for plan in given:
        try:
            rows.append(_row(plan, before.get(plan.pk, Before()), working.get(plan.calendar_id or 0), at))
        except Impossible:
            continue  # its page says so; it must not stop the others
    if not rows:
        return 0
    insert_values(Occurrence, rows, ignore_conflicts=True)
    _begin({plan.pk: plan for plan in given}, [row["reference"] for row in rows], at)
    return len(rows)


def _before(ids: Collection[int]) -> dict[int, Before]:
    """Return what stands behind the next date of each plan. Three queries, however many plans."""
    mine = Occurrence.objects.filter(plan=OuterRef("plan")).order_by("-number")
    done = mine.filter(state=State.COMPLETED).values("done_at")[:1]
    newest = mine.exclude(state=State.WITHDRAWN).values("number")[:1]
    rows = Occurrence.objects.filter(plan__in=ids).order_by()
    found = {pk: Before(number=number) for pk, number in rows.values_list("plan").annotate(last=Max("number"))}
    for row in rows.filter(number=Subquery(newest)).annotate(last_done=Subquery(done)) if found else ():
        due = Due(row.scheduled_on, row.due_on, row.due_at)
        found[row.plan_id] = replace(
            found[row.plan_id], done_at=row.last_done, fulfilled=due, opened_at=row.opened_at, last_state=row.state
        )
    for pk, exercise in _failed(found).items() if found else ():
        found[pk] = replace(found[pk], failed=exercise)
    return found


def _failed(ids: Collection[int]) -> dict[int, Exercise]:
    """Return the last exercise that had a verdict, of each plan that reminds of exercises, where it was not met."""
    rows = Exercise.objects.judged().filter(plan__upkeep__in=ids).select_related("plan").order_by("ended_at", "pk")
    last = {row.plan.upkeep_id: row for row in rows}
    return {pk: row for pk, row in last.items() if row.verdict == Verdict.NOT_MET}


def _calendars(plans: Iterable[Plan]) -> dict[int, WorkCalendar]:
    wanted = {plan.calendar_id for plan in plans if plan.calendar_id}
    rows = Calendar.objects.filter(pk__in=wanted).prefetch_related("own_days") if wanted else ()
    return {row.pk: calendars.build(row, row.own_days.all()) for row in rows}


def _row(plan: Plan, before: Before, calendar: WorkCalendar | None, at: datetime) -> Mapping[str, Any]:
    rule = plan.as_rule(calendar)
    given = _asked(plan, rule, before, at)
    due = following(rule, *given, plan.zone, fulfilled=before.fulfilled)
    because = ""
    if before.failed is not None and (again := _again(plan, rule, before)).due_at < due.due_at:
        due = again
        tried = before.failed.reference
        because = f"{tried} did not keep what is promised, so it is tried again within {AGAIN_WITHIN.days} days"
    why = explain(rule, *given, plan.zone, fulfilled=before.fulfilled, due=due, because=because)
    return {
        "plan_id": plan.pk,
        "number": before.number + 1,
        "reference": f"{plan.reference}.{before.number + 1}",
        "scheduled_on": due.scheduled_on,
        "due_on": due.due_on,
        "due_at": due.due_at,
        "starts_at": _start(plan, before, due, at),
        "why": " ".join(why),
        "opened_at": at,
    }


def _again(plan: Plan, rule: Rule, before: Before) -> Due:
    """Return until when an exercise has to be held again: what followed without a verdict counts as tried."""
    failed_at = before.failed.ended_at if before.failed is not None else None
    moments = [moment for moment in (failed_at, before.done_at) if moment is not None]
    return due_on(rule, again_on(max(moments).astimezone(plan.zone).date()), plan.zone)


def _asked(plan: Plan, rule: Rule, before: Before, at: datetime) -> tuple[date, date | datetime | None]:
    """Return the anchor and the last completion that the next date follows from.

    A plan owes nothing from before it came into force, be it for the first time or once it was taken up again. One
    that floats and whose last date was skipped goes on from that date.
    """
    floats = plan.basis == Basis.FLOATING or plan.frequency == Frequency.AS_NEEDED
    last, since = before.fulfilled, plan.activated_at or at
    began = since.astimezone(plan.zone).date()
    if last is not None:
        given = plan.anchor, last.due_on if floats and before.last_state == State.SKIPPED else before.done_at
        is_of_before = before.opened_at is not None and before.opened_at < since
        if not is_of_before or following(rule, *given, plan.zone, fulfilled=last).due_on >= began:
            return given
    if floats:
        return max(plan.anchor, began), None
    return plan.anchor, began - timedelta(days=1) if plan.anchor < began else None


def _start(plan: Plan, before: Before, due: Due, at: datetime) -> datetime:
    """Return from when on what is done counts for this date, not for the one before."""
    since = plan.activated_at or at
    if plan.basis == Basis.FLOATING or plan.frequency == Frequency.AS_NEEDED:
        return min(max(since, before.done_at or since), due.due_at)
    if before.fulfilled is not None:
        half = before.fulfilled.due_at + (due.due_at - before.fulfilled.due_at) / 2
        since = max(since, half, before.done_at or since)
    if plan.lead_days is not None:
        since = max(since, due.due_at - timedelta(days=plan.lead_days))
    return min(since, due.due_at)


def _begin(plans: Mapping[int, Plan], references: list[str], at: datetime) -> None:
    """Write down when somebody is first reminded of what was opened just now, and ask for the changes that do it."""
    kind = ContentType.objects.get_for_model(Occurrence)
    fresh: list[Deadline] = []
    for start in range(0, len(references), AT_ONCE):
        chosen = Occurrence.objects.filter(reference__in=references[start : start + AT_ONCE], opened_at=at)
        for occurrence in chosen.only("pk", "plan_id", "reference", "due_at"):
            occurrence.plan = plans[occurrence.plan_id]
            step = first_step(course_of(occurrence.plan, occurrence.due_at), at=at)
            fresh.append(
                Deadline(
                    kind=NOTICE, subject_type=kind, subject_id=occurrence.pk, key=step.key, started_at=at,
                    due_at=step.at,
                )
            )  # fmt: skip
            if occurrence.plan.topic:
                ask_for_change(occurrence, at=at)
    deadlines.start_many(fresh)
