"""The weeks of a schedule as a picture: rows of seven days with whoever holds the duty. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Protocol

TONES = 6
DAYS = 7


class Drawn(Protocol):
    """What is read of a turn."""

    @property
    def starts(self) -> datetime:
        """When it begins."""

    @property
    def until(self) -> datetime:
        """When it ends."""

    @property
    def contact_id(self) -> int:
        """The key of the person."""

    @property
    def is_by_hand(self) -> bool:
        """Whether it lies over the schedule."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a row: where it lies, in hundredths of its width, and what is written in it."""

    x: str
    width: str
    label: str
    tone: str
    starts: datetime
    until: datetime
    by_hand: bool = False
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """One row of blocks with its name."""

    name: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days, from the beginning of the first in the reader's zone."""

    days: list[date]
    tracks: list[Track]
    now: str = ""  # where the present lies, in hundredths of the width; "" when it is in another week
    today: int | None = None
    weekend: list[int] = field(default_factory=list)

    @property
    def columns(self) -> list[tuple[str, str, date]]:
        """Return place, middle and day of each column."""
        return [(_figure(n / DAYS), _figure((n + 0.5) / DAYS), day) for n, day in enumerate(self.days)]


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn in every week: its name, the turns, the names of the people, whether gaps are shown."""

    name: str
    turns: Sequence[Drawn]
    names: Mapping[int, str]
    shows_gaps: bool = False


def weeks(rows: Iterable[Row], *, first: date, count: int, zone: tzinfo, now: datetime) -> list[Week]:
    """Return so many weeks from a day on. Days are those of the reader's zone, however long the clock makes them."""
    given = list(rows)
    tones = tones_of(pk for row in given for pk in row.names)
    found = []
    for number in range(count):
        days = [first + timedelta(days=number * DAYS + step) for step in range(DAYS)]
        edges = [midnight(day, zone) for day in [*days, days[-1] + timedelta(days=1)]]
        here = edges[0] <= now < edges[-1]
        tracks = [Track(row.name, _blocks(row, edges, tones)) for row in given]
        today = next((n for n in range(DAYS) if edges[n] <= now < edges[n + 1]), None)
        found.append(
            Week(
                days,
                tracks,
                _figure(_place(now, edges)) if here else "",
                today,
                [n for n, day in enumerate(days) if day.weekday() >= 5],
            )
        )
    return found


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins in that zone."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def tones_of(people: Iterable[int]) -> dict[int, str]:
    """Return a tone for each person; the first six differ from one another."""
    return {pk: f"who{number % TONES + 1}" for number, pk in enumerate(dict.fromkeys(people))}


def _blocks(row: Row, edges: Sequence[datetime], tones: Mapping[int, str]) -> list[Block]:
    blocks, reached = [], edges[0]
    for turn in row.turns:
        starts, until = max(turn.starts, edges[0]), min(turn.until, edges[-1])
        if starts >= until:
            continue
        if row.shows_gaps and reached < starts:
            blocks.append(_gap(reached, starts, edges))
        name = row.names[turn.contact_id]
        x, width = _span(starts, until, edges)
        blocks.append(Block(x, width, name, tones[turn.contact_id], turn.starts, turn.until, turn.is_by_hand))
        reached = until
    if row.shows_gaps and reached < edges[-1]:
        blocks.append(_gap(reached, edges[-1], edges))
    return blocks


def _gap(starts: datetime, until: datetime, edges: Sequence[datetime]) -> Block:
    x, width = _span(starts, until, edges)
    return Block(x, width, "Nobody", "gap", starts, until, is_gap=True)


def _span(starts: datetime, until: datetime, edges: Sequence[datetime]) -> tuple[str, str]:
    left, right = _place(starts, edges), _place(until, edges)
    return _figure(left), _figure(right - left)


def _place(moment: datetime, edges: Sequence[datetime]) -> float:
    """Return how far across the week a moment lies, from 0 to 1; each day is as wide as the next."""
    for number, (start, end) in enumerate(pairwise(edges)):
        if moment < end:
            return (number + max((moment - start) / (end - start), 0)) / DAYS
    return 1.0


def _figure(share: float) -> str:
    return f"{share * 100:.2f}%"
