"""The calendar of maintenance: what stands, what became of the past, and what the rules say of the days to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from maintenance.enums import Basis, Frequency, PlanState, State, WindowState
from maintenance.looks import Look, look_of
from maintenance.models import Occurrence, Plan, Window
from maintenance.rules import Impossible
from maintenance.schedule import dates, due_on
from maintenance.selectors.due import of_whom
from portal.directory.models import Contact, Team

DAY = timedelta(days=1)
SHOWN = 4
MOST_ROWS, MOST_PLANS = 4000, 400
TO_COME = Look("To come", "", "clock")


@dataclass(frozen=True, slots=True)
class Entry:
    """A task on a day."""

    task: str
    url: str
    look: Look
    due_at: datetime
    reference: str

    @property
    def css(self) -> str:
        """The class of its icon's colour."""
        return f"is-{self.look.tone}" if self.look.tone and self.look.tone != "plain" else "is-grey"


@dataclass(slots=True)
class Day:
    """One day of the month, and what is due on it."""

    date: date
    is_today: bool
    is_out: bool
    entries: list[Entry] = field(default_factory=list)

    @property
    def shown(self) -> list[Entry]:
        """Return the entries that have room."""
        return self.entries[:SHOWN]

    @property
    def more(self) -> int:
        """Return how many more there are."""
        return max(len(self.entries) - SHOWN, 0)


@dataclass(frozen=True, slots=True)
class Month:
    """The weeks of a month. `foreseen` says that the dates to come are in it."""

    on: date
    weeks: list[list[Day]]
    total: int
    foreseen: bool

    @property
    def days(self) -> list[Day]:
        """Return the days of the month on which something is due."""
        return [day for week in self.weeks for day in week if day.entries and not day.is_out]


def month_of(user: Any, whose: str, person: Contact | None, *, on: date, at: datetime, today: date) -> Month:
    """Return a month of what is somebody's, with the days around it that fill its weeks."""
    first = on.replace(day=1)
    after = (first + 32 * DAY).replace(day=1)
    begin, end = first - first.weekday() * DAY, after + (-after.weekday() % 7) * DAY
    days = {
        day: Day(day, is_today=day == today, is_out=not first <= day < after)
        for day in (begin + number * DAY for number in range((end - begin).days))
    }
    rows = of_whom(Occurrence.objects.visible_to(user).exclude(state=State.WITHDRAWN), whose, person)
    entries = list(_standing(rows.filter(due_on__gte=begin, due_on__lt=end), at))
    entries += list(_windows(user, begin, end))
    plans = plans_of(user, whose, person)
    foreseen = plans.count() <= MOST_PLANS
    if foreseen:
        entries += list(to_come(plans, begin, end))
    for when, entry in entries:
        days[when].entries.append(entry)
    for day in days.values():
        day.entries.sort(key=lambda entry: (entry.look.tone != "red", entry.due_at, entry.task))
    ordered = list(days.values())
    total = sum(len(day.entries) for day in ordered if not day.is_out)
    return Month(first, [ordered[start : start + 7] for start in range(0, len(ordered), 7)], total, foreseen)


def plans_of(user: Any, whose: str, person: Contact | None) -> QuerySet[Any]:
    """Return the plans in force that are somebody's, their teams', or that they manage."""
    plans = Plan.objects.visible_to(user).filter(state=PlanState.IN_FORCE)
    if whose == "all":
        return plans
    if person is None:
        return plans.none()
    if whose == "team":
        return plans.filter(team__in=Team.objects.filter(members=person).values("pk"))
    return plans.filter(manager=person) if whose == "managed" else plans.filter(Q(owner=person) | Q(backup=person))


def _windows(user: Any, begin: date, end: date) -> Iterator[tuple[date, Entry]]:
    """Yield the windows of these days, each on the day on which it begins. They are everybody's."""
    rows = Window.objects.visible_to(user).exclude(state=WindowState.CANCELLED)
    near = rows.filter(starts_at__date__gte=begin - DAY, starts_at__date__lte=end)
    for row in near.order_by("starts_at", "pk")[:MOST_ROWS]:
        day = timezone.localtime(row.starts_at).date()
        if begin <= day < end:
            look = Look("Window", "violet", "wrench")
            yield day, Entry(row.title, row.get_absolute_url(), look, row.starts_at, row.reference)


def _standing(rows: QuerySet[Any], at: datetime) -> Iterator[tuple[date, Entry]]:
    for row in rows.select_related("plan").order_by("due_at", "pk")[:MOST_ROWS]:
        yield row.due_on, Entry(
            row.plan.task, row.get_absolute_url(), look_of(row, at=at), row.due_at, row.reference
        )  # fmt: skip


def to_come(plans: QuerySet[Any], begin: date, end: date) -> Iterator[tuple[date, Entry]]:
    """Yield the dates that fixed plans will have after the one that stands. What floats has none that is known."""
    fixed = plans.filter(basis=Basis.FIXED).exclude(frequency=Frequency.AS_NEEDED).select_related("calendar")
    found = {plan.pk: plan for plan in fixed.prefetch_related("calendar__own_days")[:MOST_PLANS]}
    last = dict(Occurrence.objects.standing().filter(plan__in=found).order_by().values_list("plan_id", "scheduled_on"))
    for pk, scheduled_on in last.items():
        plan = found[pk]
        try:
            yield from _of_plan(plan, max(scheduled_on, begin - 10 * DAY), begin, end)
        except Impossible:
            continue


def _of_plan(plan: Plan, after: date, begin: date, end: date) -> Iterator[tuple[date, Entry]]:
    rule, zone, last = plan.as_rule(), plan.zone, None
    for day in dates(rule, plan.anchor, after=after):
        due = due_on(rule, day, zone)
        if day >= end + 10 * DAY:
            return
        if begin <= due.due_on < end and due.due_on != last:
            last = due.due_on
            yield due.due_on, Entry(plan.task, plan.get_absolute_url(), TO_COME, due.due_at, plan.reference)
