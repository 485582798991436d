"""Times as people promise them: "≤ 24 h", "4h business-hours / 8h after-hours", "7-14 days", "Test pending"."""

from __future__ import annotations

import re

from portal.lib import durations

MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
_TIME = re.compile(
    r"(?<![\w.])(\d+(?:[.,]\d+)?)\s*-?\s*"
    r"(seconds?|secs?|s|minutes?|mins?|min\.?|m|hours?|hrs?|hr|h|days?|d|weeks?|w)(?![\w])",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"^(?:[≤<~≈]|<=|at most|up to|within|under|less than|about|max\.?|target:?)*\s*" + _TIME.pattern + r"\s*\.?$",
    re.IGNORECASE,
)
_NONE = re.compile(r"^(?:none|zero|0|no data loss|zero data loss)$", re.IGNORECASE)


def minutes_of(words: str) -> int | None:
    """Return the one time that the words mean, in whole minutes; nothing when they mean several, or something else.

    A range, a time for each tier, a condition, or a working day is not one time: whoever reads it decides.
    """
    said = re.sub(r"[*_`]", "", words).strip()
    said = re.sub(r"^[≤<~≈]=?\s*", "", said)
    if _NONE.match(said):
        return 0
    found = _ONE.match(said)
    if found is None:
        return _compound(said)
    count = float(found[1].replace(",", "."))
    return round(count * MINUTES[found[2].lower()[0]])


def _compound(words: str) -> int | None:
    """Return a span in two units, such as "1 h 30 min"."""
    try:
        return round(durations.parse(words).total_seconds() / durations.MINUTE)
    except ValueError:
        return None


def speaks_of_time(words: str) -> bool:
    """Tell whether there is any time in the words."""
    return bool(_TIME.search(words))
