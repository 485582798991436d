"""When a time that repeats comes round: RFC 5545 rules on the wall clock of a zone.

A time keeps its hour over a clock change, as people mean it; how long it lasts is meant by the wall clock too. An hour
that comes twice, or not at all, is meant in full: a time begins at the earlier and ends at the later moment of the two.
The first time counts whether the rule names its day or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

LONGEST_FREEZE = timedelta(days=92)
_OFTEN = re.compile(r"FREQ=(HOURLY|MINUTELY|SECONDLY)|BYHOUR|BYMINUTE|BYSECOND")
_UNREADABLE = "This rule cannot be read. Write one such as FREQ=MONTHLY;BYMONTHDAY=-1, or leave it empty."


def check_rule(rule: str, *, lasts: timedelta) -> None:
    """Refuse with ValueError a rule that cannot be read, comes round too often, or before the last time has ended."""
    if not rule:
        return
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock
    found = _read(rule, start)
    if _OFTEN.search(rule.upper()):
        raise ValueError("It would come round more than once a day. Choose FREQ=DAILY or something rarer.")
    first, second = next(iter(found), None), None
    if first is not None:
        second = found.after(first)
    if first is None:
        raise ValueError("By this rule it never comes. Write one such as FREQ=MONTHLY;BYMONTHDAY=-1.")
    if second is not None and second - first < lasts:
        raise ValueError("It would begin again before it has ended. Make it shorter, or let it come round less often.")


def times(
    starts: datetime, ends: datetime, rule: str, zone: str, *, since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times that share a moment with the span from `since` to `until`, in UTC and in their order."""
    if not rule:
        if starts < until and ends > since:
            yield starts.astimezone(UTC), ends.astimezone(UTC)
        return
    info = ZoneInfo(zone)
    first, last = (moment.astimezone(info).replace(tzinfo=None) for moment in (starts, ends))
    lasts = last - first
    low, high = (moment.astimezone(info).replace(tzinfo=None) for moment in (since, until))
    day = timedelta(days=1)  # clocks change by less: what lies near the edge is looked at exactly below
    later = (wall for wall in _read(rule, first).between(low - lasts - day, high + day, inc=True) if wall != first)
    for wall in (first, *later):
        begin, end = min(_moments(wall, info)), max(_moments(wall + lasts, info))
        if begin < until and end > since:
            yield begin, end


def _moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two moments that a wall clock can mean; but for the hour of a clock change they are the same."""
    earlier, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return earlier, later


def _read(rule: str, start: datetime) -> rrule:
    try:
        found = rrulestr(rule, dtstart=start)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as problem:
        raise ValueError(_UNREADABLE) from problem
    if not isinstance(found, rrule):
        raise ValueError(_UNREADABLE)  # noqa: TRY004 - it is what somebody wrote, not what a caller passed
    return found
