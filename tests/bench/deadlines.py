"""How many deadlines a second one sweep settles through the real code of incidents, beside plain SQL."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import psycopg

from incidents import sweeps
from incidents.models import EscalationPolicy
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from portal.records.models import Note
from tests.bench import plain, seed
from tests.bench.report import note, percentile, say

DUE = 20_000
OPEN = 100_000
QUIET_SWEEPS = 300
NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def run(address: str) -> bool:
    """Measure the burst, its plain twin, and the quiet sweep."""
    policy = seed.company(NOON)
    rate = burst(policy)
    plain_rate = plain_burst(policy, address)
    met = say("deadlines", rate, "deadlines/s", limit=2000, at_least=True, baseline=round(plain_rate), count=DUE)
    met &= say(
        "deadlines.share_of_plain_sql", rate / plain_rate, "ratio", limit=0.12, at_least=True,
        baseline=round(plain_rate), goal=0.25,
    )  # fmt: skip
    quiet = percentile([1000 * seconds for seconds in quiet_sweeps(policy)], 0.99)
    bare = percentile([1000 * seconds for seconds in bare_queries(address)], 0.99)
    return met & say("deadlines.none_due_p99", quiet, "ms", limit=5, baseline=round(bare, 4), of="one query", open=OPEN)


def load(policy: EscalationPolicy, count: int, due_at: datetime) -> None:
    """Put `count` escalating incidents into an otherwise empty engine."""
    seed.clear()
    ids = seed.incidents(count, declared_at=NOON - timedelta(minutes=5))
    seed.escalating(ids, policy, started_at=NOON - timedelta(minutes=5), due=[due_at] * count)
    seed.analyze()


def burst(policy: EscalationPolicy) -> float:
    """Return deadlines a second for a burst, after checking that each did all of its work."""
    load(policy, DUE, NOON)
    before = time.perf_counter()
    fired = sweeps.sweep_incidents(at=NOON + timedelta(seconds=1))
    seconds = time.perf_counter() - before
    work = (fired, Note.objects.count(), Message.objects.count(), Deadline.objects.filter(state="pending").count())
    if work != (DUE, DUE, 2 * DUE, DUE):
        raise AssertionError(f"the sweep did not do all of its work: {work}")
    note(f"  {DUE} deadlines in {seconds:.2f} s")
    return DUE / seconds


def plain_burst(policy: EscalationPolicy, address: str) -> float:
    """Return deadlines a second for the same rows, written by one statement for each 500."""
    load(policy, DUE, NOON)
    with psycopg.connect(address) as connection:
        before = time.perf_counter()
        fired = plain.sweep(connection, at=NOON + timedelta(seconds=1))
        seconds = time.perf_counter() - before
    work = (fired, Note.objects.count(), Message.objects.count(), Deadline.objects.filter(state="pending").count())
    if work != (DUE, DUE, 2 * DUE, DUE):
        raise AssertionError(f"the plain twin did not do all of its work: {work}")
    note(f"  {DUE} in plain SQL in {seconds:.2f} s")
    return DUE / seconds


def quiet_sweeps(policy: EscalationPolicy) -> list[float]:
    """Return the seconds of each of many sweeps that find nothing due among many open deadlines."""
    load(policy, OPEN, NOON + timedelta(days=1))
    seconds = []
    for _ in range(QUIET_SWEEPS):
        before = time.perf_counter()
        sweeps.sweep_incidents(at=NOON)
        seconds.append(time.perf_counter() - before)
    return seconds


def bare_queries(address: str) -> list[float]:
    """Return the seconds of each of many plain queries for what is due, on what `quiet_sweeps` has left open."""
    seconds = []
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(QUIET_SWEEPS):
            before = time.perf_counter()
            connection.execute(
                "SELECT id FROM deadlines_deadline WHERE state = 'pending' AND due_at <= %s ORDER BY due_at LIMIT 500",
                [NOON],
            ).fetchall()
            seconds.append(time.perf_counter() - before)
    return seconds
