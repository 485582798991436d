"""Maintenance windows for tests, made through the services as everybody else makes them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from maintenance import services
from maintenance.models import Window, WindowSeries
from portal.directory.models import System
from tests.factories.directory import NOON

BY = "system: test"
_numbers = count(1)


def make_window(
    *systems: System, starts_in: float = 60, minutes: float = 120, at: datetime = NOON, **more: Any
) -> Window:
    """A window that starts in so many minutes and lasts so long."""
    starts_at = at + timedelta(minutes=starts_in)
    title = more.pop("title", f"Work on something {next(_numbers)}")
    return services.plan_window(
        title, systems, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), by=BY, at=at, **more
    )


def make_open(*systems: System, minutes: float = 60, at: datetime = NOON, **more: Any) -> Window:
    """A window that was opened by hand."""
    title = more.pop("title", f"Mend something {next(_numbers)}")
    return services.open_now(title, systems, ends_at=at + timedelta(minutes=minutes), by=BY, at=at, **more)


def make_series(*systems: System, at: datetime = NOON, **values: Any) -> WindowSeries:
    """A window every Sunday at 02:00 in London, for two hours."""
    given = {
        "title": f"Patch something {next(_numbers)}", "frequency": "weekly", "anchor": date(2026, 11, 22),
        "start_time": time(2), "minutes": 120, "time_zone": "Europe/London",
    }  # fmt: skip
    return services.start_series({**given, **values}, systems, by=BY, at=at)
