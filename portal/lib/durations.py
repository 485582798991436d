"""Spans of time in words, and back. Pure functions."""

import re
from datetime import timedelta

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"s": 1, "sec": 1, "second": 1, "m": MINUTE, "min": MINUTE, "minute": MINUTE}
_UNITS |= {"h": HOUR, "hr": HOUR, "hour": HOUR, "d": DAY, "day": DAY, "w": 7 * DAY, "week": 7 * DAY}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)")
_LONGEST_TEXT = 60
_LONGEST = 100 * 366 * DAY


def words(seconds: float) -> str:
    """Return a span in its two largest units: "52 s", "4 min 08 s", "2 h 06 min", "3 days 4 h".

    The sign is not said ("3 min late" and "3 min left" are the caller's words); parts of a second are dropped.
    """
    whole = abs(int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two(whole, MINUTE, "min", 1, "s")
    if whole < DAY:
        return _two(whole, HOUR, "h", MINUTE, "min")
    days, rest = divmod(whole, DAY)
    hours = f" {rest // HOUR} h" if rest >= HOUR else ""
    return f"{days} day{'' if days == 1 else 's'}{hours}"


def minutes(seconds: float) -> str:
    """Return a span as words does, but in whole minutes at the least: "less than a minute", "43 min", "2 h 06 min"."""
    whole = abs(int(seconds))
    return words(whole - whole % MINUTE) if whole >= MINUTE else "less than a minute"


def _two(seconds: int, large: int, large_word: str, small: int, small_word: str) -> str:
    count, rest = divmod(seconds, large)
    return f"{count} {large_word} {rest // small:02d} {small_word}" if rest >= small else f"{count} {large_word}"


def parse(text: str) -> timedelta:
    """Return the span that a person wrote: "90 min", "4 h", "1 d", "2 h 06 min", "3 days 4 h".

    ValueError with a sentence is raised for anything else, for nothing, and for more than a century.
    """
    cleaned = text.strip().lower()
    parts = _PART.findall(cleaned) if len(cleaned) <= _LONGEST_TEXT else []
    rest = _PART.sub("", cleaned).strip(" ,")
    seconds = 0.0
    for number, unit in parts:
        size = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if size is None:
            raise ValueError(f"“{unit}” is no unit of time here. Write s, min, h, d or w, such as 90 min.")
        seconds += float(number) * size
    if not parts or rest:
        raise ValueError("Write a span such as 90 min, 4 h or 1 d.")
    if seconds > _LONGEST:
        raise ValueError("That is longer than a century. Write a shorter span.")
    return timedelta(seconds=seconds)
