"""From rotations to the people who hold the duty, minute by minute. Pure: no model, no query, no clock.

A handoff is written as the clock on the wall shows it. It happens at the first moment at which that clock shows its
time or a later one: an hour that the clock skips hands over when the skipping is done, an hour that comes twice hands
over the first time. So turns follow one another without gap or overlap, whatever the clock does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.directory.oncall.hours import Window

Working = Callable[[date], tuple[time, time] | None]
DAY = timedelta(days=1)
ONE = timedelta(microseconds=1)
LATEST = datetime.max.replace(tzinfo=UTC) - 2 * DAY


@dataclass(frozen=True, slots=True)
class Segment:
    """Somebody holds the duty from `starts` until just before `until`. `source` says by which layer or shift."""

    starts: datetime
    until: datetime
    contact_id: int
    source: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns. `first` is when the first of them begins, as the clock on the wall of `zone` shows it.

    It counts from `starts` until just before `until`, and only in its windows and on its working days where it has
    any: outside of them the layer below holds the duty.
    """

    pk: int
    members: tuple[int, ...]
    zone: ZoneInfo
    first: datetime
    step: timedelta
    starts: datetime
    until: datetime | None = None
    windows: tuple[Window, ...] = ()
    working: Working | None = None

    def holder(self, at: datetime) -> int | None:
        """Return who holds the duty by this rotation at that moment; nothing where it does not count."""
        if not self.members or at < self.starts or (self.until is not None and at >= self.until):
            return None
        if self.is_restricted and not _is_open(self.windows, self.working, self.zone, at):
            return None
        return self.members[turn_at(self, at) % len(self.members)]

    @property
    def is_restricted(self) -> bool:
        """Tell whether there are hours at which it does not count."""
        return bool(self.windows) or self.working is not None

    def segments(self, starts: datetime, until: datetime) -> list[Segment]:
        """Return who holds the duty by this rotation in that time, turn by turn, in order."""
        starts = max(starts, self.starts)
        until = until if self.until is None else min(until, self.until)
        if not self.members or starts >= until:
            return []
        turns = self._turns(starts, until)
        return list(_within(turns, self._open(starts, until)) if self.is_restricted else turns)

    def _turns(self, starts: datetime, until: datetime) -> Iterator[Segment]:
        number = turn_at(self, starts)
        while starts < until:
            end = min(handoff(self, number + 1), until)
            if end > starts:  # a turn that lies in an hour which the clock skips is nobody's
                yield Segment(starts, end, self.members[number % len(self.members)], ("layer", self.pk))
                starts = end
            number += 1

    def _open(self, starts: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Return the times in which it counts, in order and apart from one another."""
        return _joined(sorted(_opening(self.windows, self.working, self.zone, starts, until)))


# The hours in which a rotation counts.


@lru_cache(maxsize=256)  # schedules share their hours: of five hundred, a handful differ at one moment
def _is_open(windows: tuple[Window, ...], working: Working | None, zone: ZoneInfo, at: datetime) -> bool:
    """Tell whether a rotation of these hours counts at that moment."""
    return any(start <= at < end for start, end in _opening(windows, working, zone, at, at + ONE))


def _opening(
    windows: tuple[Window, ...], working: Working | None, zone: ZoneInfo, starts: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times of these hours between two moments, day by day; they may touch and overlap."""
    day, last = wall(starts, zone).date() - 2 * DAY, wall(until, zone).date() + DAY
    while day <= last:
        for opens, closes in _hours(windows, working, day):
            start, end = max(first_moment(opens, zone), starts), min(first_moment(closes, zone), until)
            if start < end:
                yield start, end
        day += DAY


def _hours(windows: tuple[Window, ...], working: Working | None, day: date) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours of one day: those of its windows, of the working calendar, or what lies in both."""
    shown = [window.on(day) for window in windows if window.weekday == day.weekday()]
    if working is None:
        yield from shown
        return
    for near in (day - DAY, day, day + DAY) if windows else (day,):
        hours = working(near)
        if hours is None:
            continue
        worked = datetime.combine(near, hours[0]), datetime.combine(near, hours[1])
        for opens, closes in shown if windows else [worked]:
            if max(opens, worked[0]) < min(closes, worked[1]):
                yield max(opens, worked[0]), min(closes, worked[1])


# The clock on the wall.


@lru_cache(maxsize=4096)  # schedules share their zones and hours: one look serves many of them
def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


@lru_cache(maxsize=16384)
def first_moment(shown: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) at which the clock on the wall shows this time or a later one.

    An hour that is skipped gives the end of the gap; an hour that comes twice gives its first time.
    """
    early = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    back = wall(early, zone)
    if back == shown:
        return early
    # In a gap: `fold=0` reads it with the offset before the gap, so that it lies behind the change by as much as it
    # lies inside of the gap; `fold=1` lies before it. The change itself is between the two.
    low, high = shown.replace(tzinfo=zone, fold=1).astimezone(UTC), early
    while high - low > ONE:
        middle = low + (high - low) / 2
        low, high = (low, middle) if wall(middle, zone) >= shown else (middle, high)
    return high


def handoff(rotation: Rotation, number: int) -> datetime:
    """Return the moment at which the turn of that number begins; numbers before the first are negative."""
    try:
        return first_moment(rotation.first + number * rotation.step, rotation.zone)
    except OverflowError:
        return LATEST


def turn_at(rotation: Rotation, at: datetime) -> int:
    """Return the number of the turn that runs at that moment."""
    number = (wall(at, rotation.zone) - rotation.first) // rotation.step
    while handoff(rotation, number) > at:
        number -= 1
    while handoff(rotation, number + 1) <= at:  # the hour that comes twice was shown, and handed over, before
        number += 1
    return number


# Layers on top of one another.


def stack(layers: Sequence[Sequence[Segment]]) -> list[Segment]:
    """Lay segments over one another, the last layer on top, and return who holds the duty, in order, no two at once.

    Each layer is in order and free of overlaps itself.
    """
    held: list[Segment] = []
    for layer in layers:
        held = _over(held, layer)
    return held


def _over(below: Sequence[Segment], top: Sequence[Segment]) -> list[Segment]:
    """Return what is left of the lower segments between the upper ones, and the upper ones."""
    rest: list[Segment] = []
    position = 0
    for segment in below:
        starts = segment.starts
        while position < len(top) and top[position].until <= starts:
            position += 1
        look = position
        while look < len(top) and top[look].starts < segment.until and starts < segment.until:
            if starts < top[look].starts:
                rest.append(replace(segment, starts=starts, until=top[look].starts))
            starts = max(starts, top[look].until)
            look += 1
        if starts < segment.until:
            rest.append(replace(segment, starts=starts))
    return list(heapq.merge(rest, top, key=lambda one: one.starts))


def overrides(shifts: Iterable[Segment], starts: datetime, until: datetime) -> list[Segment]:
    """Return shifts by hand as one layer of that time: where they overlap, the one that started last counts.

    Give those that started at the same time in the order in which they were written.
    """
    layers = [
        [replace(shift, starts=max(shift.starts, starts), until=min(shift.until, until))]
        for shift in sorted(shifts, key=lambda shift: shift.starts)
        if shift.starts < until and shift.until > starts
    ]
    return stack(layers)


def merged(segments: Iterable[Segment]) -> list[Segment]:
    """Return the segments with those of one person that follow one another made one."""
    found: list[Segment] = []
    for segment in segments:
        if found and found[-1].until == segment.starts and found[-1].contact_id == segment.contact_id:
            found[-1] = replace(found[-1], until=segment.until)
        else:
            found.append(segment)
    return found


def gaps(segments: Iterable[Segment], starts: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Return the times in which nobody holds the duty. The segments are in order and free of overlaps."""
    found = []
    for segment in segments:
        if starts < segment.starts:
            found.append((starts, min(segment.starts, until)))
        starts = max(starts, segment.until)
    return [*found, (starts, until)] if starts < until else found


def _within(turns: Iterator[Segment], hours: list[tuple[datetime, datetime]]) -> Iterator[Segment]:
    """Yield what of the turns lies in these hours."""
    position = 0
    for turn in turns:
        while position < len(hours) and hours[position][1] <= turn.starts:
            position += 1
        for opens, closes in hours[position:]:
            if opens >= turn.until:
                break
            yield replace(turn, starts=max(turn.starts, opens), until=min(turn.until, closes))


def _joined(times: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for start, end in times:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
