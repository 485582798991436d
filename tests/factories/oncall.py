"""Schedules for tests: each factory makes the smallest one that holds the duty."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from portal.directory.models import Contact, Layer, LayerMember, Schedule, Team
from tests.factories.directory import NOON, make_team

LONG_AGO = NOON - timedelta(days=400)
MONDAY = date(2026, 11, 16)  # of the week of NOON
_numbers = count(1)


def make_schedule(team: Team | None = None, *members: Contact, name: str = "", **layer: Any) -> Schedule:
    """A schedule of a team in London; with members also a layer of weeks from Monday at 09:00."""
    schedule = Schedule.objects.create(
        team=team or make_team(), name=name or f"Schedule {next(_numbers)}", time_zone="Europe/London"
    )
    if members:
        make_layer(schedule, *members, **layer)
    return schedule


def make_layer(schedule: Schedule, *members: Contact, starts: datetime = LONG_AGO, **fields: Any) -> Layer:
    """A layer of these people, a week each, the first from Monday of the week of NOON at 09:00."""
    given = {"name": "Week", "time_zone": schedule.time_zone, "first_day": MONDAY, "handoff": time(9), **fields}
    layer = Layer.objects.create(schedule=schedule, starts=starts, **given)
    for position, contact in enumerate(members, start=1):
        LayerMember.objects.create(layer=layer, contact=contact, position=position)
    return layer
