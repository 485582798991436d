"""How changes went, by the month in which they were closed: each figure with the address of what is behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import TruncMonth

from changes.enums import ChangeType, Outcome, Status
from changes.models import Change
from changes.selectors.filters import Filters
from changes.selectors.listing import caused, month_start

MONTHS = 12
LEAD = ExpressionWrapper(F("verified_at") - F("submitted_at"), output_field=DurationField())


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and the list that it counts."""

    number: int
    url: str


@dataclass(slots=True)
class Tally:
    """What is counted of one month, or of all of them. `month` is such as 2026-11, "" for all."""

    month: str
    closed: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Outcome.values, 0))
    emergencies: int = 0
    caused: int = 0
    leads: list[tuple[timedelta, int]] = field(default_factory=list)

    @property
    def name(self) -> datetime | None:
        """Return the month as a moment in it, to be named."""
        return month_start(self.month) + timedelta(days=14) if self.month else None

    @property
    def successes(self) -> int:
        """Return how many did what they should, with issues or without."""
        return self.outcomes[Outcome.SUCCESSFUL] + self.outcomes[Outcome.WITH_ISSUES]

    @property
    def success_rate(self) -> int | None:
        """Return the share of successes as a whole number of a hundred."""
        return round(100 * self.successes / self.closed) if self.closed else None

    @property
    def emergency_share(self) -> int | None:
        """Return the share of emergencies as a whole number of a hundred."""
        return round(100 * self.emergencies / self.closed) if self.closed else None

    @property
    def lead(self) -> timedelta | None:
        """Return the average time from submission until the work was done."""
        number = sum(count for _, count in self.leads)
        return sum((span * count for span, count in self.leads), timedelta(0)) / number if number else None

    @property
    def figures(self) -> list[Figure]:
        """Return the numbers of the outcomes with their lists, in the order of the outcomes."""
        return [Figure(self.outcomes[one], self._list(outcome=one)) for one in Outcome.values]

    @property
    def closed_figure(self) -> Figure:
        """Return how many were closed."""
        return Figure(self.closed, self._list(status=Status.CLOSED.value))

    @property
    def emergency_figure(self) -> Figure:
        """Return how many were emergencies."""
        return Figure(self.emergencies, self._list(status=Status.CLOSED.value, type=ChangeType.EMERGENCY.value))

    @property
    def caused_figure(self) -> Figure:
        """Return how many caused an incident."""
        return Figure(self.caused, self._list(status=Status.CLOSED.value, caused="1"))

    def _list(self, **asked: Any) -> str:
        return Filters(view="all", month=self.month, **asked).address()


@dataclass(frozen=True, slots=True)
class Report:
    """The months, newest first, and all of them together."""

    months: list[Tally]
    whole: Tally


def report_of(user: Any, *, at: datetime) -> Report:
    """Return the report of the last twelve months as `user` may see it. Three queries."""
    months = _months(at)
    tallies = {month: Tally(month) for month in months}
    since = month_start(months[-1])
    closed = Change.objects.visible_to(user).order_by().filter(status=Status.CLOSED, closed_at__gte=since)
    in_month = closed.annotate(month=TruncMonth("closed_at", tzinfo=UTC))
    counts = in_month.values_list("month", "outcome", "type").annotate(number=Count("pk"))
    for month, outcome, type_, number in counts:
        _count(tallies, month, outcome, type_, number)
    leads = in_month.filter(submitted_at__isnull=False, verified_at__isnull=False).values_list("month")
    for month, span, number in leads.annotate(span=Avg(LEAD), number=Count("pk")):
        if (tally := tallies.get(f"{month:%Y-%m}")) is not None:
            tally.leads.append((span, number))
    for month, number in in_month.filter(pk__in=caused()).values_list("month").annotate(number=Count("pk")):
        if (tally := tallies.get(f"{month:%Y-%m}")) is not None:
            tally.caused += number
    return Report(list(tallies.values()), _whole(tallies.values()))


def _months(at: datetime) -> list[str]:
    """Return the last twelve months, this one first."""
    here = at.astimezone(UTC)
    numbers = [here.year * 12 + here.month - 1 - back for back in range(MONTHS)]
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _count(tallies: dict[str, Tally], month: datetime, outcome: str, type_: str, number: int) -> None:
    tally = tallies.get(f"{month:%Y-%m}")
    if tally is None:
        return
    tally.closed += number
    if outcome in tally.outcomes:
        tally.outcomes[outcome] += number
    if type_ == ChangeType.EMERGENCY:
        tally.emergencies += number


def _whole(tallies: Iterable[Tally]) -> Tally:
    whole = Tally("")
    for one in tallies:
        whole.closed += one.closed
        whole.emergencies += one.emergencies
        whole.caused += one.caused
        whole.leads += one.leads
        for outcome, number in one.outcomes.items():
            whole.outcomes[outcome] += number
    return whole
