"""Months, quarters, half-years and years of the calendar, in one time zone. Pure functions."""

from __future__ import annotations

from datetime import datetime, tzinfo


def period_of(moment: datetime, months: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the period of so many months that holds a moment: from its first midnight to that of the next period.

    `months` divides a year, so that periods begin where people expect: quarters in January, April, July and October.
    """
    local = moment.astimezone(zone)
    first = (local.month - 1) // months * months + 1
    starts = datetime(local.year, first, 1, tzinfo=zone)
    following = first + months
    ends = datetime(local.year + (following - 1) // 12, (following - 1) % 12 + 1, 1, tzinfo=zone)
    return starts, ends


def period_before(moment: datetime, months: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the newest period that is over at a moment."""
    starts, _ = period_of(moment, months, zone)
    year, month = (starts.year, starts.month - months) if starts.month > months else (starts.year - 1, 13 - months)
    return datetime(year, month, 1, tzinfo=zone), starts
