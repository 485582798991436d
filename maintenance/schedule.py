"""When a task of maintenance is due, and why. Pure: nothing here reads the database or a clock.

A date comes from the rule alone: the anchor and whole intervals after it, never from the date before. So 31 January
is followed by 28 February and then by 31 March. Only then is it moved to a working day, and only then does it become a
moment, on the wall clock of the plan's place.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count

from maintenance.enums import Basis, Frequency, Shift
from maintenance.rules import LONGEST_WAIT, Impossible, Rule, check, read
from portal.lib.businesstime import WorkCalendar

__all__ = ["Due", "Impossible", "Rule", "check", "dates", "due_on", "explain", "following", "next_due"]

DAY = timedelta(days=1)
FARTHEST_SHIFT = 31  # days off in a row, after which a calendar is no working calendar


@dataclass(frozen=True, slots=True)
class Due:
    """One date of a plan: as the rule says it, after it was moved to a working day, and as a moment in UTC."""

    scheduled_on: date
    due_on: date
    due_at: datetime


def next_due(
    rule: Rule, anchor: date, last_completed: date | datetime | None, tz: tzinfo, *, fulfilled: Due | None = None
) -> datetime:
    """Return the moment, in UTC, at which the task is due next.

    `anchor` is the first date, `last_completed` when the task was last done, `fulfilled` which date that was for: a
    task that is done early must not fall due for the same date again. Impossible says why a rule has no next date.
    """
    return following(rule, anchor, last_completed, tz, fulfilled=fulfilled).due_at


def following(
    rule: Rule, anchor: date, last_completed: date | datetime | None, tz: tzinfo, *, fulfilled: Due | None = None
) -> Due:
    """Return the next date of a plan in all its forms; the arguments are those of `next_due`."""
    check(rule, anchor)
    done = _local_day(last_completed, tz)
    if rule.frequency == Frequency.AS_NEEDED:
        return due_on(rule, (done or anchor) + timedelta(days=rule.ceiling_days or 0), tz)
    if rule.basis == Basis.FLOATING and done is not None:
        return due_on(rule, _step(rule, done, 1), tz)
    after = max((day for day in (done, fulfilled.scheduled_on if fulfilled else None) if day), default=None)
    for day in dates(rule, anchor, after=after):
        found = due_on(rule, day, tz)
        # Saturday, Sunday and Monday may all be moved to the same Monday: that is one task, not three.
        if fulfilled is None or found.due_on > fulfilled.due_on:
            return found
    raise Impossible("By this rule it never comes round again. Choose another one.")


def dates(rule: Rule, anchor: date, *, after: date | None = None) -> Iterator[date]:
    """Yield the dates of a rule in their order, from the anchor on, or those after a day. It has no end but time's."""
    if rule.frequency == Frequency.CUSTOM:
        yield from _custom(rule, anchor, after)
    elif rule.frequency in (Frequency.NTH_WEEKDAY, Frequency.LAST_DAY):
        yield from _of_months(rule, anchor, after)
    else:
        start = 0 if after is None else max(0, _intervals(rule, anchor, after))
        for number in count(start):
            day = _step(rule, anchor, number)
            if after is None or day > after:
                yield day


def due_on(rule: Rule, day: date, tz: tzinfo) -> Due:
    """Return a date of the rule after its move to a working day, and the moment at which it is due."""
    moved = _moved(rule, day)
    return Due(day, moved, _moment(moved, rule.at, tz))


def _local_day(moment: date | datetime | None, tz: tzinfo) -> date | None:
    return moment.astimezone(tz).date() if isinstance(moment, datetime) else moment


def _step(rule: Rule, start: date, number: int) -> date:
    """Return `start` and so many intervals: whole days, or months with the day cut to what the month has."""
    every = rule.every * number
    if rule.frequency == Frequency.DAILY:
        return start + timedelta(days=every)
    if rule.frequency == Frequency.WEEKLY:
        return start + timedelta(weeks=every)
    return _months_after(start, every * (12 if rule.frequency == Frequency.ANNUAL else 1))


def _months_after(start: date, number: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
    return date(year, month + 1, min(start.day, months.monthrange(year, month + 1)[1]))


def _intervals(rule: Rule, anchor: date, after: date) -> int:
    """Return how many whole intervals lie between the anchor and a day, rounded down by one to be safe."""
    if rule.frequency in (Frequency.DAILY, Frequency.WEEKLY):
        return (after - anchor).days // (rule.every * (7 if rule.frequency == Frequency.WEEKLY else 1)) - 1
    between = (after.year - anchor.year) * 12 + after.month - anchor.month
    return between // (rule.every * (12 if rule.frequency == Frequency.ANNUAL else 1)) - 1


def _of_months(rule: Rule, anchor: date, after: date | None) -> Iterator[date]:
    """Yield one date of each month that counts, from the anchor's month on, but none before the anchor."""
    first = anchor.replace(day=1)
    start = 0
    if after is not None:
        start = max(0, ((after.year - first.year) * 12 + after.month - first.month) // rule.every - 1)
    for number in count(start):
        month = _months_after(first, number * rule.every)
        day = _in_month(rule, month.year, month.month)
        if day >= anchor and (after is None or day > after):
            yield day


def _in_month(rule: Rule, year: int, month: int) -> date:
    last = date(year, month, months.monthrange(year, month)[1])
    if rule.frequency == Frequency.LAST_DAY:
        return last
    if rule.nth == -1:
        return last - timedelta(days=(last.weekday() - rule.weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(rule.weekday - first.weekday()) % 7 + 7 * (rule.nth - 1))


def _custom(rule: Rule, anchor: date, after: date | None) -> Iterator[date]:
    since = max(anchor, after + DAY) if after is not None else anchor
    found = read(rule.rrule, anchor, until=since + LONGEST_WAIT)
    for wall in found.xafter(datetime.combine(since, time.min), inc=True):
        yield wall.date()


def _moved(rule: Rule, day: date) -> date:
    """Return the working day that a date is moved to; the date itself where the rule moves nothing."""
    if rule.shift == Shift.NONE or rule.calendar is None:
        return day
    step = DAY if rule.shift == Shift.NEXT else -DAY
    moved = day
    for _ in range(FARTHEST_SHIFT):
        if rule.calendar.is_business_day(moved):
            return moved
        moved += step
    raise Impossible(f"The calendar {rule.calendar.name} has no working day near {_words(day)}. Give it working days.")


def _moment(day: date, at: time, tz: tzinfo) -> datetime:
    """Return a wall clock time in UTC.

    An hour that a clock change skips is the hour after the gap, as clocks show it; one that comes twice is meant the
    first time.
    """
    return datetime.combine(day, at, tz).replace(fold=0).astimezone(UTC)


def explain(
    rule: Rule,
    anchor: date,
    last_completed: date | datetime | None,
    tz: tzinfo,
    *,
    fulfilled: Due | None = None,
    due: Due | None = None,
    because: str = "",
) -> list[str]:
    """Return why the task is due next when it is, a sentence each; the arguments are those of `next_due`.

    `due` is the next date where it is computed already, and `because` says why where that is none of the rule's.
    """
    due = due or following(rule, anchor, last_completed, tz, fulfilled=fulfilled)
    return [
        f"{because}: {_words(due.scheduled_on)}."
        if because
        else _why_this_date(rule, anchor, _local_day(last_completed, tz), due.scheduled_on),
        *_why_moved(rule.calendar, rule, due),
        *_why_this_hour(rule, due, tz),
    ]


def _why_this_date(rule: Rule, anchor: date, done: date | None, day: date) -> str:
    if rule.frequency == Frequency.AS_NEEDED:
        since = f"last done on {_words(done)}" if done else f"never done since {_words(anchor)}"
        return f"It is done when it is needed; {since}, it is due after {rule.ceiling_days} days anyway: {_words(day)}."
    if rule.basis == Basis.FLOATING and done is not None:
        return f"{rule.words} after it was last done, on {_words(done)}: {_words(day)}.{_cut(rule, done, day)}"
    if rule.frequency == Frequency.CUSTOM:
        return f"By the rule {rule.rrule} from {_words(anchor)} on: {_words(day)}."
    if day == anchor:
        return f"{rule.words}, and {_words(day)} is its first date."
    if rule.frequency in (Frequency.NTH_WEEKDAY, Frequency.LAST_DAY):
        return f"{rule.words}, from {_words(anchor)} on: {_words(day)}."
    return f"{rule.words}, counted from {_words(anchor)}: {_words(day)}.{_cut(rule, anchor, day)}"


def _cut(rule: Rule, start: date, day: date) -> str:
    if rule.frequency not in (Frequency.MONTHLY, Frequency.ANNUAL) or day.day == start.day:
        return ""
    return f" {day:%B} {day.year} has no {'31st' if start.day == 31 else f'{start.day}th'}, so its last day counts."


def _why_moved(calendar: WorkCalendar | None, rule: Rule, due: Due) -> list[str]:
    if calendar is None or due.due_on == due.scheduled_on:
        return []
    which = "next" if rule.shift == Shift.NEXT else "previous"
    why = calendar.why_not(due.scheduled_on)
    moved = f"so it is due on the {which} working day, {_words(due.due_on)}."
    return [f"{_words(due.scheduled_on)} is not worked ({why}), {moved}"]


def _why_this_hour(rule: Rule, due: Due, tz: tzinfo) -> list[str]:
    shown = due.due_at.astimezone(tz)
    sentences = [f"At {shown:%H:%M} by the clock of {tz}."]
    if shown.time() != rule.at:
        sentences.append(f"{rule.at:%H:%M} does not exist there on that day: the clocks go forward.")
    elif shown.utcoffset() != shown.replace(fold=1).utcoffset():
        sentences.append(f"{rule.at:%H:%M} comes twice there on that day: the first one counts.")
    return sentences


def _words(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b} {day.year}"
