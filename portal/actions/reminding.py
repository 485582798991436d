"""When somebody is reminded of what is due on a day. Pure: functions over moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import count, dropwhile, islice
from typing import NamedTuple

BEFORE = (7, 1)
"""How many days before its day somebody is reminded."""
HOUR = time(17)
DUE, OVERDUE = "due", "overdue"


class Step(NamedTuple):
    """One reminder: when it is due, and its key."""

    at: datetime
    key: str


def due_moment(day: date, zone: tzinfo) -> datetime:
    """Return the moment at which something is due that is due on a day: the end of the working day there."""
    return datetime.combine(day, HOUR, zone)


def steps(due_at: datetime, zone: tzinfo) -> Iterator[Step]:
    """Yield every reminder in its order: before, on the day, then each week at the same hour on the wall clock."""

    def day(number: int) -> datetime:
        wall = due_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=number)
        return wall.replace(tzinfo=zone).astimezone(due_at.tzinfo)

    for days in BEFORE:
        yield Step(day(-days), f"before:{days}")
    yield Step(day(0), DUE)
    for week in count(1):
        yield Step(day(7 * week), f"{OVERDUE}:{week}")


def first_step(due_at: datetime, zone: tzinfo, *, at: datetime) -> Step:
    """Return the first reminder that is still to come, on the day itself at the latest."""
    return next(step for step in steps(due_at, zone) if step.at > at or step.key == DUE)


def steps_between(due_at: datetime, zone: tzinfo, *, after: str, until: datetime) -> tuple[list[Step], Step]:
    """Return the reminders after the one with a key that fall due until a moment, and the one that comes next.

    By its key, not its moment: that moves by an hour once somebody on another clock is the one who is reminded.
    """
    due: list[Step] = []
    later = dropwhile(lambda step: step.key != after, steps(due_at, zone))
    for step in islice(later, 1, None):
        if step.at > until:
            return due, step
        due.append(step)
    raise AssertionError("The reminders of what is overdue have no end.")
