"""How long it takes to find who is on call for five hundred schedules, beside the same from shifts by hand."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from portal.directory import services
from portal.directory.models import Contact, Layer, LayerMember, OnCallShift, Schedule, Team
from tests.bench.report import percentile, say

SCHEDULES, PEOPLE, MEMBERS = 500, 300, 4
ROUNDS, WARM_UP = 40, 3
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe")


def run(_address: str) -> bool:
    """Measure both, on as many teams each."""
    people = _write(Contact(name=f"Person {n}") for n in range(PEOPLE))
    by_schedule = _teams("rotating")
    _schedules(by_schedule, people)
    by_hand = _teams("by-hand")
    until = BEGAN + timedelta(days=365)
    _write(
        OnCallShift(team=team, contact=people[n % PEOPLE], starts=BEGAN, until=until) for n, team in enumerate(by_hand)
    )
    plain, plain_queries = _measure(by_hand)
    begun = clock.process_time()
    seconds, queries = _measure(by_schedule)
    of_processor = 1000 * (clock.process_time() - begun) / (WARM_UP + ROUNDS)
    return say(
        "oncall.holders", 1000 * percentile(seconds, 0.95), "ms p95", limit=50,
        baseline=round(1000 * percentile(plain, 0.95), 1), of="ms p95, shifts by hand alone",
        processor=round(of_processor, 1), p50=round(1000 * percentile(seconds, 0.5), 1),
        schedules=SCHEDULES, queries=queries,
        queries_by_hand=plain_queries,
    )  # fmt: skip


def _teams(kind: str) -> list[Team]:
    return _write(Team(slug=f"{kind}-{n}", name=f"{kind} {n}") for n in range(SCHEDULES))


def _schedules(teams: list[Team], people: list[Contact]) -> None:
    """Give each team a schedule of two layers: weeks at all hours, and days in the working week on top."""
    schedules = _write(Schedule(team=team, name="Primary") for team in teams)
    layers = _write(
        Layer(
            schedule=schedule, name="Layer", position=position, time_zone=ZONES[n % len(ZONES)], unit=unit, every=1,
            first_day=date(2026, 1, 5), handoff=time(9), hours=hours, starts=BEGAN,
        )
        for n, schedule in enumerate(schedules)
        for position, unit, hours in ((1, "weeks", ""), (2, "days", "Mon-Fri 09:00-17:00"))
    )  # fmt: skip
    _write(
        LayerMember(layer=layer, contact=people[(n + place) % PEOPLE], position=place)
        for n, layer in enumerate(layers)
        for place in range(1, MEMBERS + 1)
    )


def _write(rows):  # type: ignore[no-untyped-def]
    """Insert rows past their history, which is not what is measured."""
    given = list(rows)
    return models.QuerySet(type(given[0])).bulk_create(given)


def _measure(teams: list[Team]) -> tuple[list[float], int]:
    ids, found = [team.pk for team in teams], []
    for number in range(WARM_UP + ROUNDS):
        at = BEGAN + timedelta(days=100, hours=7 * number)
        begun = clock.perf_counter()
        holders = services.on_call_many(ids, at=at)
        found.append(clock.perf_counter() - begun)
        assert len(holders) == len(teams)
    with CaptureQueriesContext(connection) as queries:
        services.on_call_many(ids, at=BEGAN + timedelta(days=100))
    return found[WARM_UP:], len(queries)
