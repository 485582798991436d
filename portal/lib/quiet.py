"""Hours of the day in which somebody is not to be disturbed, by the clock on their wall. Pure functions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def until(starts: time | None, ends: time | None, zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return when the quiet hours end in which `at` lies, or nothing when it lies in none.

    They begin at `starts` of a local day and end at `ends`, of the next day when that is no later. Each is one span of
    real time: where the clocks change it is shorter or longer, and an hour that comes twice ends once.
    """
    if starts is None or ends is None or starts == ends:
        return None
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        end = _moment(day if starts < ends else day + timedelta(days=1), ends, zone)
        if _moment(day, starts, zone) <= at < end:
            return end
    return None


def _moment(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC: within one zone Python compares what the clocks show, not the moments."""
    return datetime.combine(day, hour.replace(fold=0), tzinfo=zone).astimezone(UTC)
