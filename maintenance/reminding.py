"""When somebody is reminded of an occurrence, and who. Pure: tables and functions over moments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import NamedTuple

BEFORE = (30, 7, 1)
"""How many days before its date somebody is reminded, as far as that is shorter than the interval."""
WEEK = timedelta(days=7)


class Step(NamedTuple):
    """One reminder: when, its rank among those of the same moment, its key, and how grave it is."""

    at: datetime
    rank: int
    key: str


@dataclass(frozen=True, slots=True)
class Course:
    """What the reminders of one occurrence follow from. Days are those of the wall clock of `zone`."""

    due_at: datetime
    interval_days: int
    grace_days: int
    zone: tzinfo

    def day(self, number: int) -> datetime:
        """Return the moment so many days after the date, or before it, at the same hour on the wall clock."""
        wall = self.due_at.astimezone(self.zone).replace(tzinfo=None) + timedelta(days=number)
        return wall.replace(tzinfo=self.zone).astimezone(self.due_at.tzinfo)


MANAGER, TEAM, DUE, OVERDUE = "manager", "team", "due", "overdue"


def steps(course: Course) -> Iterator[Step]:
    """Yield every reminder of an occurrence in its order: before, on the day, then each week, and up the line."""
    for days in BEFORE:
        if days < course.interval_days:
            yield Step(course.day(-days), 0, f"before:{days}")
    yield Step(course.day(0), 0, DUE)
    up = [
        Step(course.day(course.grace_days), 1, MANAGER),
        Step(course.day(course.grace_days + max(course.grace_days, 1)), 2, TEAM),
    ]
    for week in count(1):
        following = Step(course.day(7 * week), 0, f"{OVERDUE}:{week}")
        while up and up[0][:2] < following[:2]:
            yield up.pop(0)
        yield following


def first_step(course: Course, *, at: datetime) -> Step:
    """Return the first reminder of an occurrence that is opened at a moment: on its date at the latest."""
    return next(step for step in steps(course) if step.at > at or step.key == DUE)


def untold_step(course: Course, *, told: Collection[str], at: datetime) -> Step:
    """Return what comes next of a course that was changed: a level that passed untold, else what is still to come."""
    return next(
        step for step in steps(course) if step.key not in told and (step.at > at or step.key in (DUE, MANAGER, TEAM))
    )


def steps_between(
    course: Course, *, after: Step, until: datetime, told: Collection[str] = ()
) -> tuple[list[Step], Step]:
    """Return the reminders after one that fall due until a moment, and the one that comes next.

    `told` are the keys of what an earlier course of the same date has told already.
    """
    due: list[Step] = []
    for step in steps(course):
        if step[:2] <= after[:2] or step.key in told:
            continue
        if step.at > until:
            return due, step
        due.append(step)
    raise AssertionError("The reminders of what is overdue have no end.")


def kind_of(key: str) -> str:
    """Return the kind of a reminder without its number: before, due, overdue, manager or team."""
    return key.partition(":")[0]
