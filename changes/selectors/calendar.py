"""The change calendar: changes, freezes, maintenance windows and open grave incidents, day by day.

Many changes cost little: the database counts them, and only those that a day may show are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncDate
from django.urls import reverse
from django.utils import timezone

from changes.conflicts import GRAVE, INCIDENT, MAINTENANCE
from changes.enums import PLANNED, ChangeType, Status
from changes.looks import STATUS_LOOKS
from changes.models import Change, Freeze
from changes.recurrence import times
from portal.lib.visibility import narrowed
from portal.records.models import Period

DAY = timedelta(days=1)
SHOWN = (*PLANNED, Status.CLOSED)
VIEWS = {"month": 3, "week": 12, "list": 5}
"""The views, and how many changes of one day each shows; a list of one day shows more."""
MOST_OF_ONE_DAY = 400
CROWDED, OF_CROWDED = 300, 2
"""From how many changes on a month shows less of each day, so that the page stays light; and how many it shows then."""
AROUND = 3
LIST_DAYS = 14
MOST_PERIODS = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """Something on one day. `starts` and `ends` are in the reader's zone; `whole` when it fills the day."""

    kind: str
    title: str
    reference: str
    url: str
    icon: str
    tone: str
    word: str
    starts: datetime
    ends: datetime | None
    whole: bool

    @property
    def css(self) -> str:
        """Return the class of its icon's colour."""
        return f"is-{self.tone}" if self.tone and self.tone != "plain" else "is-grey"


@dataclass(slots=True)
class Day:
    """One day: what is shown of it, how many more there are, and how many changes it has in all."""

    date: date
    is_today: bool
    is_out: bool
    around: list[Entry] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    more: int = 0
    most_around: int = AROUND

    def crowd(self) -> None:
        """Show less of it: the page holds many more."""
        left_out = len(self.entries[OF_CROWDED:])
        self.entries, self.more, self.most_around = self.entries[:OF_CROWDED], self.more + left_out, 1

    @property
    def shown_around(self) -> list[Entry]:
        """Return what is shown of what goes on around its changes."""
        return self.around[: self.most_around]

    @property
    def more_around(self) -> int:
        """Return how much of that is left out."""
        return len(self.around) - len(self.shown_around)

    @property
    def changes(self) -> int:
        """Return how many changes it has."""
        return len(self.entries) + self.more

    @property
    def frozen(self) -> bool:
        """Tell whether a freeze touches it."""
        return any(entry.kind == "freeze" for entry in self.around)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is on."""
        return not (self.around or self.entries)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the calendar is asked for. What an address misspells is left out."""

    view: str
    on: date
    days: int

    @classmethod
    def of(cls, query: Any, *, today: date) -> Asked:
        """Read the address."""
        view = query.get("view", "")
        try:
            on = date.fromisoformat(query.get("on", "")[:10])
        except ValueError:
            on = today
        on = min(max(on, date(2000, 1, 1)), date(2200, 1, 1))
        return cls(view if view in VIEWS else "month", on, 1 if query.get("days") == "1" else LIST_DAYS)

    @property
    def first(self) -> date:
        """Return the first day that is shown: a Monday in the month and the week."""
        if self.view == "list":
            return self.on
        begin = self.on.replace(day=1) if self.view == "month" else self.on
        return begin - timedelta(days=begin.weekday())

    @property
    def last(self) -> date:
        """Return the day after the last one that is shown."""
        if self.view == "list":
            return self.on + timedelta(days=self.days)
        if self.view == "week":
            return self.first + timedelta(days=7)
        ends = self.next_month()
        return ends + timedelta(days=-ends.weekday() % 7)

    def next_month(self) -> date:
        """Return the first day of the month after."""
        return (self.on.replace(day=1) + timedelta(days=32)).replace(day=1)

    def address(self, **changes: Any) -> str:
        """Return the address of the calendar with something else asked."""
        view, on, days = changes.get("view", self.view), changes.get("on", self.on), changes.get("days", self.days)
        one = "&days=1" if view == "list" and days == 1 else ""
        return f"{reverse('changes:calendar')}?view={view}&on={on.isoformat()}{one}"

    @property
    def previous(self) -> str:
        """Return the address of what comes before."""
        if self.view == "month":
            return self.address(on=(self.on.replace(day=1) - DAY).replace(day=1))
        return self.address(on=self.first - timedelta(days=7 if self.view == "week" else self.days))

    @property
    def following(self) -> str:
        """Return the address of what comes after."""
        return self.address(on=self.next_month() if self.view == "month" else self.last)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that are shown, in weeks, and how many changes they have."""

    asked: Asked
    weeks: list[list[Day]]
    total: int

    @property
    def days(self) -> list[Day]:
        """Return the days in one row."""
        return [day for week in self.weeks for day in week]


def calendar_of(user: Any, asked: Asked, *, at: datetime) -> Calendar:
    """Return the calendar as `user` may see it. Five queries."""
    zone = timezone.get_current_timezone()
    now = timezone.localtime(at)
    today = now.date()
    count = (asked.last - asked.first).days
    dates = [asked.first + timedelta(days=number) for number in range(count)]
    days = {
        one: Day(one, is_today=one == today, is_out=asked.view == "month" and one.month != asked.on.month)
        for one in dates
    }
    since = datetime.combine(asked.first, time(), zone).astimezone(UTC)
    until = datetime.combine(asked.last, time(), zone).astimezone(UTC)
    for entry in (*_freezes(user, since, until, zone), *_periods(user, since, until, zone)):
        for day in _touched(entry.starts, entry.ends, days, now=now):
            day.around.append(entry)
    most = MOST_OF_ONE_DAY if asked.view == "list" and asked.days == 1 else VIEWS[asked.view]
    total = _place_at_once(user, days, since, until, now=now, most=most)
    total += _place_changes(user, days, since, until, zone, most=most)
    rows = list(days.values())
    for day in rows:
        day.entries.sort(key=lambda entry: entry.starts)
    if asked.view == "month" and total > CROWDED:
        for day in rows:
            day.crowd()
    weeks = [rows[start : start + 7] for start in range(0, len(rows), 7)]
    return Calendar(asked, weeks, total)


def _touched(
    starts: datetime, ends: datetime | None, days: dict[date, Day], *, now: datetime | None = None
) -> Iterator[Day]:
    """Yield the days that share a moment with a time; of an open one up to `now`."""
    last = (max(ends - timedelta(microseconds=1), starts) if ends is not None else now or starts).date()
    one = max(starts.date(), next(iter(days)))
    while (day := days.get(one)) is not None and one <= last:
        yield day
        one += DAY


def _at_once(user: Any, since: datetime, until: datetime) -> QuerySet[Any, Any]:
    """Return what is or was carried out without a slot, as emergencies are that start at once: its actual times."""
    rows = Change.objects.visible_to(user).filter(status__in=SHOWN, planned_start=None, started_at__lt=until)
    found: QuerySet[Any, Any] = rows.filter(Q(verified_at=None) | Q(verified_at__gt=since)).order_by("started_at", "pk")
    return found.values_list("reference", "title", "status", "type", "started_at", "verified_at")


def _place_at_once(
    user: Any, days: dict[date, Day], since: datetime, until: datetime, *, now: datetime, most: int
) -> int:
    """Put onto their days what has no slot, and return how many there are. One query."""
    base, total, zone = reverse("changes:list"), 0, now.tzinfo
    for reference, title, status, type_, starts, ends in _at_once(user, since, until):
        total += 1
        until_ = ends.astimezone(zone) if ends is not None else None
        entry = _of_change(reference, title, status, type_, starts.astimezone(zone), until_, base)
        for day in _touched(entry.starts, entry.ends, days, now=now):
            if len(day.entries) < most:
                day.entries.append(entry)
            else:
                day.more += 1
    return total


def _place_changes(
    user: Any, days: dict[date, Day], since: datetime, until: datetime, zone: tzinfo, *, most: int
) -> int:
    """Put the changes onto their days, the earliest first, and return how many there are. One query.

    The database counts those that begin and end on the same two days, and hands over the first of them: no day shows
    more.
    """
    last_moment = F("planned_end") - timedelta(microseconds=1)
    rows = Change.objects.visible_to(user).filter(status__in=SHOWN).overlapping(since, until).order_by()
    rows = rows.annotate(first=TruncDate("planned_start", tzinfo=zone), last=TruncDate(last_moment, tzinfo=zone))
    alike = [F("first"), F("last")]
    rows = rows.annotate(
        number=Window(RowNumber(), partition_by=alike, order_by=["planned_start", "pk"]),
        of=Window(Count("pk"), partition_by=alike),
    )
    wanted = rows.filter(number__lte=most).order_by("planned_start", "pk").values_list(
        "number", "of", "reference", "title", "status", "type", "planned_start", "planned_end"
    )  # fmt: skip
    base, total = reverse("changes:list"), 0
    for number, of, reference, title, status, type_, starts, ends in wanted:
        total += of if number == 1 else 0
        entry = _of_change(reference, title, status, type_, starts.astimezone(zone), ends.astimezone(zone), base)
        for day in _touched(entry.starts, entry.ends, days):
            day.more += of if number == 1 else 0
            if len(day.entries) < most:
                day.entries.append(entry)
                day.more -= 1
    return total


def _of_change(
    reference: str, title: str, status: str, type_: str, starts: datetime, ends: datetime | None, base: str
) -> Entry:
    look = STATUS_LOOKS[status]
    icon = "siren" if type_ == ChangeType.EMERGENCY else look.icon
    tone = "red" if type_ == ChangeType.EMERGENCY and status != Status.CLOSED else look.tone
    return Entry("change", title, reference, f"{base}{reference}/", icon, tone, look.word, starts, ends, whole=False)


def _freezes(user: Any, since: datetime, until: datetime, zone: tzinfo) -> Iterator[Entry]:
    rows = Freeze.objects.visible_to(user).filter(active=True, starts__lt=until)
    wanted = rows.filter(Q(ends__gt=since) | ~Q(rule="")).order_by("starts", "pk")
    for freeze in wanted:
        for starts, ends in _times(freeze.starts, freeze.ends, freeze.rule, freeze.time_zone, since, until):
            yield Entry(
                "freeze", f"{freeze.name} ({freeze.get_domain_display().lower()})", "", "", "ban", "violet", "Freeze",
                starts.astimezone(zone), ends.astimezone(zone), whole=True,
            )  # fmt: skip


@lru_cache(maxsize=4096)
def _times(
    starts: datetime, ends: datetime, rule: str, zone: str, since: datetime, until: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when a freeze comes round. A rule that began long ago takes a while to read, and says the same again."""
    return tuple(times(starts, ends, rule, zone, since=since, until=until))


def _periods(user: Any, since: datetime, until: datetime, zone: tzinfo) -> Iterator[Entry]:
    """Yield the maintenance windows and the grave incidents that are open, each once, with all of its systems."""
    kinds = Q(kind=MAINTENANCE, ends__gt=since) | Q(kind=INCIDENT, weight__lte=GRAVE, ends=None)
    rows = narrowed(Period.objects.filter(kinds, starts__lt=until), user).select_related("system")
    found: dict[tuple[str, int, int], list[Period]] = {}
    for row in rows.order_by("starts", "pk")[:MOST_PERIODS]:
        found.setdefault((row.kind, row.record_type_id, row.record_id), []).append(row)
    for periods in found.values():
        yield _of_periods(periods, zone)


def _of_periods(periods: list[Period], zone: tzinfo) -> Entry:
    first = periods[0]
    names = ", ".join(dict.fromkeys(period.system.name for period in periods))
    ends = max((period.ends for period in periods if period.ends is not None), default=None)
    url = f"{reverse('dashboard:jump')}?q={first.reference}" if first.reference else ""
    if first.kind == INCIDENT:
        words = (f"SEV-{first.weight} on {names}", "siren", "red", "Open incident")
    else:
        words = (f"Maintenance of {names}", "wrench", "blue", "Maintenance window")
    title, icon, tone, word = words
    return Entry(
        first.kind, title, first.reference, url, icon, tone, word, first.starts.astimezone(zone),
        ends.astimezone(zone) if ends else None, whole=True,
    )  # fmt: skip


def feed_entries(user: Any, *, since: datetime, until: datetime, most: int) -> Iterable[Entry]:
    """Return what the calendar of somebody's program shows: changes and freezes, in UTC. Three queries."""
    rows = Change.objects.visible_to(user).filter(status__in=SHOWN).overlapping(since, until)
    fields = ("reference", "title", "status", "type", "planned_start", "planned_end")
    base = reverse("changes:list")
    for reference, title, status, type_, starts, ends in _at_once(user, since, until)[:most]:
        yield _of_change(reference, title, status, type_, starts, ends, base)
    for reference, title, status, type_, starts, ends in rows.order_by("planned_start", "pk").values_list(*fields)[
        :most
    ]:
        yield _of_change(reference, title, status, type_, starts, ends, base)
    yield from _freezes(user, since, until, UTC)
