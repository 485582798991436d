"""Conflicts of one change against a hundred thousand planned ones, and what people do in any order."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from changes import conflicts
from changes.enums import Status
from changes.models import Change, Freeze
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import System
from tests.bench import seed
from tests.bench.report import note, percentile, say
from tests.changes import test_any_order as machine

PLANNED, FREEZES, SYSTEMS = 100_000, 200, 400
ROUNDS, WARM_UP = 60, 5
STEPS, EXAMPLES = 50, 400
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(_address: str) -> bool:
    """Measure both."""
    with acting(by="bench", reason="A benchmark", origin="command"):
        met = _conflicts()
        return _any_order() and met


def _conflicts() -> bool:
    user = User.objects.create_user("bench-changer", is_staff=True)
    systems = _write(System(slug=f"change-{n}", name=f"System {n}") for n in range(SYSTEMS))
    changes = _write(
        Change(
            reference=f"CHG-{n:06d}", title=f"Change {n}", status=Status.SCHEDULED, requester=user, implementer=user,
            planned_start=NOON + n * HOUR / 12, planned_end=NOON + n * HOUR / 12 + HOUR,
            requested_at=NOON, requested_by="bench",
        )
        for n in range(1, PLANNED + 1)
    )  # fmt: skip
    through = Change.systems.through
    _write(through(change=change, system=systems[n % SYSTEMS]) for n, change in enumerate(changes))
    _write(
        Freeze(name=f"Freeze {n}", starts=NOON + n * 7 * HOUR, ends=NOON + n * 7 * HOUR + HOUR, rule="FREQ=MONTHLY")
        for n in range(FREEZES)
    )
    seed.analyze()
    seconds = []
    for number in range(WARM_UP + ROUNDS):
        change = Change.objects.get(pk=changes[(number * 1499 + 40_000) % PLANNED].pk)
        begun = time.perf_counter()
        found = conflicts.of_change(change)
        seconds.append(time.perf_counter() - begun)
        assert found
    with CaptureQueriesContext(connection) as queries:
        conflicts.of_change(change)
    wanted = seconds[WARM_UP:]
    return say(
        "changes.conflicts", 1000 * percentile(wanted, 0.95), "ms p95", limit=50,
        baseline=round(1000 * percentile(wanted, 0.5), 1), of="ms p50", planned=PLANNED, freezes=FREEZES,
        queries=len(queries),
    )  # fmt: skip


def _any_order() -> bool:
    begun = time.perf_counter()
    with transaction.atomic():
        machine.settle()
        began = machine.play(examples=EXAMPLES, steps=STEPS)
        transaction.set_rollback(True)
    note(f"  {EXAMPLES * STEPS} steps in {time.perf_counter() - begun:.0f} s began {dict(began)}")
    return say(
        "changes.any_order", sum(began.values()), "changes begun", limit=1, at_least=True, baseline=0,
        steps=EXAMPLES * STEPS, broken=0,
    )  # fmt: skip


def _write(rows):  # type: ignore[no-untyped-def]
    """Insert rows past their history, which is not what is measured."""
    given = list(rows)
    return models.QuerySet(type(given[0])).bulk_create(given, batch_size=2000)
