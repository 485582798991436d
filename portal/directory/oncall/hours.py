"""The hours of a week in which a layer counts, written as in "Mon-Fri 18:00-09:00; Sat 00:00-24:00". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_WINDOWS = 28
MIDNIGHT = time(0)
_PART = re.compile(
    r"(?P<first>[A-Za-z]{3})[a-z]*(?:\s*[-\u2013]\s*(?P<last>[A-Za-z]{3})[a-z]*)?\s+"
    r"(?P<opens>\d{1,2}:\d{2})\s*[-\u2013]\s*(?P<closes>\d{1,2}:\d{2})"
)
FORM = "Write days and hours as in Mon-Fri 18:00-09:00; Sat-Sun 00:00-24:00."


class Unreadable(ValueError):
    """A text names no hours; the message says which part and how to write it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of one weekday (Monday is 0). One that closes no later than it opens ends on the next day."""

    weekday: int
    opens: time
    closes: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Return when it opens and closes on a day, as the clock on the wall shows it."""
        end = day if self.closes > self.opens else day + timedelta(days=1)
        return datetime.combine(day, self.opens), datetime.combine(end, self.closes)


def parse(text: str) -> tuple[Window, ...]:
    """Return the hours that a text names, in the order of the week; none for an empty one, which means always.

    Unreadable is raised with a sentence for anything else.
    """
    found: set[Window] = set()
    for part in filter(None, (part.strip() for part in re.split(r"[;,\n]", text))):
        match = _PART.fullmatch(part)
        if match is None:
            raise Unreadable(f"“{part[:40]}” is not understood. {FORM}")
        opens, closes = _hour(match["opens"], part), _hour(match["closes"], part)
        found.update(Window(day, opens, closes) for day in _days(match["first"], match["last"], part))
    if len(found) > MOST_WINDOWS:
        raise Unreadable(f"A layer has at most {MOST_WINDOWS} windows in a week. Make a second layer of the others.")
    return tuple(sorted(found, key=lambda window: (window.weekday, window.opens, window.closes)))


def normal(text: str) -> str:
    """Return the text as it is kept: one part for each run of days with the same hours. It reads as the same hours."""
    by_hours: dict[tuple[time, time], list[int]] = {}
    for window in parse(text):
        by_hours.setdefault((window.opens, window.closes), []).append(window.weekday)
    parts = [
        (run[0], f"{_run(run)} {opens:%H:%M}-{_end(closes)}")
        for (opens, closes), days in by_hours.items()
        for run in _runs(days)
    ]
    return "; ".join(words for _, words in sorted(parts))


def _end(closes: time) -> str:
    return "24:00" if closes == MIDNIGHT else f"{closes:%H:%M}"


def _run(days: list[int]) -> str:
    return DAYS[days[0]] if len(days) == 1 else f"{DAYS[days[0]]}-{DAYS[days[-1]]}"


def _runs(days: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _hour(text: str, part: str) -> time:
    hour, minute = map(int, text.split(":"))
    if (hour, minute) == (24, 0):
        return MIDNIGHT
    if hour > 23 or minute > 59:
        raise Unreadable(f"“{text}” in “{part[:40]}” is no hour of the day. {FORM}")
    return time(hour, minute)


def _days(first: str, last: str | None, part: str) -> list[int]:
    names = {name.lower(): number for number, name in enumerate(DAYS)}
    try:
        start, end = names[first.lower()], names[(last or first).lower()]
    except KeyError as unknown:
        raise Unreadable(f"{unknown} in “{part[:40]}” is no day of the week. {FORM}") from None
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]
