"""How often a task comes round: the rule as a value, the words for it, and what is refused of it."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from dateutil.rrule import rrule, rrulestr

from maintenance.enums import Basis, Frequency, Shift
from portal.lib.businesstime import WorkCalendar

LONGEST_WAIT = timedelta(days=12 * 366)
"""A rule must come round within it: 29 February is at most eight years away."""
MOST = {Frequency.DAILY: 1096, Frequency.WEEKLY: 520, Frequency.MONTHLY: 120, Frequency.ANNUAL: 10}
MOST_CEILING = 1096  # days
UNITS = {
    Frequency.DAILY: "day", Frequency.WEEKLY: "week", Frequency.MONTHLY: "month", Frequency.ANNUAL: "year",
    Frequency.NTH_WEEKDAY: "month", Frequency.LAST_DAY: "month",
}  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_OFTEN = re.compile(r"FREQ=(HOURLY|MINUTELY|SECONDLY)|BYHOUR|BYMINUTE|BYSECOND")
_ENDS = re.compile(r"\b(COUNT|UNTIL)=")
_MONTHS = re.compile(r"\bBYMONTH=((?:0?[1-9]|1[0-2])(?:,(?:0?[1-9]|1[0-2]))*)(?:;|$)")
_MONTH_DAYS = re.compile(r"\bBYMONTHDAY=([-+]?\d{1,2}(?:,[-+]?\d{1,2})*)(?:;|$)")
_ONE_RULE = re.compile(r"(RRULE:)?[A-Z]+=[^;:=\s]+(;[A-Z]+=[^;:=\s]+)*;?")
_EVERY = re.compile(r"\bINTERVAL=([^;]*)")
_EARLIEST, _LATEST = date(1970, 1, 1), date(2200, 1, 1)
_UNREADABLE = "This rule cannot be read. Write one such as FREQ=MONTHLY;BYDAY=2TU."


class Impossible(ValueError):
    """A rule that has no dates, or that says two things at once. The sentence is shown to the user."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How often a task comes round.

    `every` counts the units of the frequency. `nth` and `weekday` (Monday is 0) are of a weekday in a month, -1 is the
    last one. `rrule` is a recurrence rule (RFC 5545). A fixed rule counts from the anchor, a floating one from the last
    completion. `ceiling_days` is after how many days a task that is done as needed is due anyway. `at` is the hour on
    the wall clock. A date that is not worked in `calendar` is moved as `shift` says.
    """

    frequency: Frequency
    every: int = 1
    basis: Basis = Basis.FIXED
    nth: int = 1
    weekday: int = 0
    rrule: str = ""
    ceiling_days: int | None = None
    at: time = time(17)
    shift: Shift = Shift.NONE
    calendar: WorkCalendar | None = None

    @property
    def words(self) -> str:
        """The rule in words, such as "Every 2 weeks" or "The last Friday of every month"."""
        if self.frequency == Frequency.AS_NEEDED:
            return f"As needed, at the latest after {self.ceiling_days} days"
        if self.frequency == Frequency.CUSTOM:
            return f"By the rule {self.rrule}"
        unit = UNITS[self.frequency]
        often = f"very {unit}" if self.every == 1 else f"very {self.every} {unit}s"
        if self.frequency == Frequency.NTH_WEEKDAY:
            return f"The {ORDINALS.get(self.nth, '')} {WEEKDAYS[self.weekday]} of e{often}"
        return f"The last day of e{often}" if self.frequency == Frequency.LAST_DAY else f"E{often}"

    @property
    def phrase(self) -> str:
        """The same within a sentence: names of days and recurrence rules keep their capitals."""
        return self.words[:1].lower() + self.words[1:]

    @property
    def interval_days(self) -> int:
        """About how many days lie between two dates: reminders that are longer than it make no sense."""
        if self.frequency == Frequency.AS_NEEDED:
            return self.ceiling_days or 1
        if self.frequency == Frequency.CUSTOM:
            return _custom_interval(self.rrule)
        return self.every * {"day": 1, "week": 7, "month": 28, "year": 365}[UNITS[self.frequency]]


def check(rule: Rule, anchor: date) -> None:
    """Refuse with Impossible a rule that has no dates, too many, an end, or that says two things at once."""
    if not _EARLIEST <= anchor <= _LATEST:
        raise Impossible(f"Its first date lies between {_EARLIEST.year} and {_LATEST.year}. Check the year.")
    if rule.frequency == Frequency.AS_NEEDED:
        if not rule.ceiling_days or not 1 <= rule.ceiling_days <= MOST_CEILING:
            raise Impossible(f"Say after how many days it is due anyway: 1 to {MOST_CEILING}.")
        return
    if rule.frequency == Frequency.CUSTOM:
        _check_custom(rule, anchor)
    elif not 1 <= rule.every <= MOST.get(rule.frequency, 120):
        most = MOST.get(rule.frequency, 120)
        raise Impossible(f"It comes round every 1 to {most} {UNITS[rule.frequency]}s. Choose a number between them.")
    if rule.frequency == Frequency.NTH_WEEKDAY:
        _check_weekday(rule)
    if rule.basis == Basis.FLOATING and rule.frequency not in MOST:
        raise Impossible(
            "A floating plan counts from when it was last done. Choose daily, weekly, monthly or annual, or let it be "
            "fixed."
        )
    if rule.shift != Shift.NONE and rule.calendar is None:
        raise Impossible("Choose the calendar that says which days are worked, or let its dates stand as they are.")


def _check_weekday(rule: Rule) -> None:
    if rule.nth not in ORDINALS:
        raise Impossible("Not every month has such a weekday. Choose the first to the fourth, or the last.")
    if rule.weekday not in range(7):
        raise Impossible("Choose a day of the week.")


def _check_custom(rule: Rule, anchor: date) -> None:
    words = rule.rrule.upper()
    if not words.strip():
        raise Impossible("Write the rule, such as FREQ=MONTHLY;BYDAY=2TU, or choose another frequency.")
    if _OFTEN.search(words):
        raise Impossible("It would come round more than once a day. Choose FREQ=DAILY or something rarer.")
    if _ENDS.search(words):
        raise Impossible("A plan has no end in its rule: leave out COUNT and UNTIL, and retire the plan when it ends.")
    every = _EVERY.search(words)
    if every is not None and not (every[1].isdecimal() and 1 <= int(every[1][:9]) <= MOST[Frequency.DAILY]):
        raise Impossible(f"Its INTERVAL is a number from 1 to {MOST[Frequency.DAILY]:,}.")
    if "FREQ=DAILY" in words and "BYSETPOS" in words:
        raise Impossible("BYSETPOS chooses among the days of a week, month or year. Leave it out of a daily rule.")
    if _names_no_day(words) or not _comes(rule.rrule, anchor):
        raise Impossible("By this rule it does not come round within twelve years. Choose another one.")


def _names_no_day(words: str) -> bool:
    """Tell whether no month that a rule names has a day that it names: python-dateutil would look until 9999."""
    by_month, by_day = _MONTHS.search(words), _MONTH_DAYS.search(words)
    if by_month is None or by_day is None:
        return False
    longest = max(monthrange(2024, int(month))[1] for month in by_month[1].split(","))
    return all(abs(int(number)) > longest for number in by_day[1].split(","))


@lru_cache(maxsize=1024)
def _comes(words: str, anchor: date) -> bool:
    until = anchor + LONGEST_WAIT
    # python-dateutil looks for a day that no year has until 9999: a year at a time that takes a tenth.
    by_year = words.upper().replace("FREQ=DAILY", "FREQ=YEARLY") if "BY" in words.upper() else words
    by_year = _EVERY.sub("INTERVAL=1", by_year)
    kinds = [by_year, words] if "FREQ=DAILY" in words.upper() else [words]
    return all(next(iter(read(kind, anchor, until=until)), None) is not None for kind in kinds)


def read(words: str, anchor: date, *, until: date) -> rrule:
    """Return a recurrence rule from its words, from the anchor on, looked at no farther than `until`."""
    if not _ONE_RULE.fullmatch(words.strip().upper()) or "BYEASTER" in words.upper():
        raise Impossible(_UNREADABLE)
    try:
        found = rrulestr(words.strip(), dtstart=datetime.combine(anchor, time.min))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as problem:
        raise Impossible(_UNREADABLE) from problem
    if not isinstance(found, rrule):
        raise Impossible(_UNREADABLE)
    return found.replace(until=datetime.combine(until, time.max))


@lru_cache(maxsize=1024)
def _custom_interval(words: str) -> int:
    """Return the shortest of the first gaps of a recurrence rule in days."""
    start = date(2024, 1, 1)
    found = read(words, start, until=start + LONGEST_WAIT)
    moments = [wall for wall, _ in zip(found, range(12), strict=False)]
    gaps = [(later - earlier).days for earlier, later in pairwise(moments)]
    return min(gaps, default=365)
