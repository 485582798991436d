"""Changes where there are many: the calendar, the conflicts of one among a hundred thousand, the release checklist."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from changes import conflicts
from changes.enums import Status
from changes.models import Cell, Change, Freeze, Module, ReleaseCheck
from changes.services.releasing import set_cells
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import System
from tests.bench import seed
from tests.bench.report import note, percentile, say

PLANNED, SYSTEMS = 100_000, 400
OF_ONE_MONTH, FREEZES = 5000, 200
ROUNDS, WARM_UP = 60, 5
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
AFTER = datetime(2027, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTES = 30 * 24 * 60


def run(_address: str) -> bool:
    """Measure each, and say each figure as soon as it is known."""
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_superuser("bench-changer")
        systems = _write(System(slug=f"change-{n}", name=f"System {n}") for n in range(SYSTEMS))
        kinds = cycle(("FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=2", ""))
        _write(
            Freeze(name=f"Freeze {n}", starts=MONTH + n * 3 * HOUR, ends=MONTH + n * 3 * HOUR + HOUR, rule=next(kinds))
            for n in range(FREEZES)
        )
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        met = _calendar(client, user, systems)
        met &= _matrix(client, user, systems)
        return _conflicts(user, systems) and met


def _calendar(client: Client, user: User, systems: list[Any]) -> bool:
    note(f"  {OF_ONE_MONTH} changes in a month, {FREEZES} freezes that come round")
    _changes(OF_ONE_MONTH, user, systems, begin=MONTH, apart=timedelta(minutes=MINUTES / OF_ONE_MONTH))
    seed.analyze()
    met = True
    for view in ("month", "week", "list"):
        address = f"/changes/calendar/?view={view}&on=2026-11-02"
        met &= _said(f"changes.{view}", 200, lambda: client.get(address), changes=OF_ONE_MONTH, freezes=FREEZES)  # noqa: B023
    return met


def _conflicts(user: User, systems: list[Any]) -> bool:
    note(f"  {PLANNED} planned changes")
    first = _changes(PLANNED, user, systems, begin=AFTER, apart=HOUR / 12)
    seed.analyze()
    asked = (Change.objects.get(pk=first + (number * 1499 + 40_000) % PLANNED) for number in range(10_000))

    def find() -> None:
        assert conflicts.of_change(next(asked))

    return _said("changes.conflicts", 50, find, planned=PLANNED, freezes=FREEZES)


def _matrix(client: Client, user: User, systems: list[Any]) -> bool:
    """Open the checklist of forty modules with five checks, and tick its cells one after another, as htmx does."""
    first = _changes(1, user, systems, begin=AFTER - 20 * HOUR, apart=HOUR)
    change = Change.objects.get(pk=first)
    change.modules.set(Module.objects.filter(active=True))
    set_cells(change)
    address = f"{change.get_absolute_url()}matrix/"
    cells = Cell.objects.filter(change=change)
    shape = {"modules": change.modules.count(), "checks": ReleaseCheck.objects.filter(active=True).count()}
    met = _said("changes.matrix", 150, lambda: client.get(address), **shape)
    open_ones = iter(cells.filter(check_of__opens_review=False).values_list("module_id", "check_of_id"))

    def tick() -> Any:
        module, check = next(open_ones)
        return client.post(address, {"done": f"{module}:{check}"}, headers={"HX-Request": "true"})

    met &= _said("changes.tick", 60, tick, **shape)
    assert cells.exclude(answered_at=None).count() == ROUNDS + WARM_UP + 1
    return met


def _said(name: str, limit: int, act: Callable[[], Any], **more: Any) -> bool:
    """Do something many times, and say how long it takes."""
    seconds = []
    for _ in range(WARM_UP + ROUNDS):
        before = time.perf_counter()
        answer = act()
        seconds.append(time.perf_counter() - before)
        if answer is not None:
            assert answer.status_code == 200, answer.status_code
            more["kilobytes"] = round(len(answer.content) / 1000, 1)
    begun = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        act()
    wanted = seconds[WARM_UP:]
    return say(
        name, 1000 * percentile(wanted, 0.95), "ms p95", limit=limit, baseline=round(1000 * percentile(wanted, 0.5), 1),
        of="ms p50", processor=round(1000 * (time.process_time() - begun), 1), queries=len(queries), **more,
    )  # fmt: skip


def _changes(count: int, user: User, systems: list[Any], *, begin: datetime, apart: timedelta) -> int:
    """Insert scheduled changes of an hour each, one system each, past their history; return the id of the first.

    One is written as a row, and the database copies it: a hundred thousand rows out of Python take minutes.
    """
    number = Change.objects.count() + 1
    (row,) = _write([
        Change(
            reference=f"CHG-{number:06d}", title="Change the version of a part", status=Status.SCHEDULED,
            requester=user, implementer=user, planned_start=begin, planned_end=begin + HOUR, requested_at=begin,
            requested_by="bench", submitted_at=begin, submitted_by="bench", assessed_at=begin, assessed_by="bench",
            approved_at=begin, approved_by="bench", scheduled_at=begin, scheduled_by="bench",
        )
    ])  # fmt: skip
    columns = [field.column for field in Change._meta.concrete_fields if not field.primary_key]
    own = {
        "reference": "'CHG-' || lpad((%(number)s + n)::text, 6, '0')",
        "planned_start": "planned_start + n * %(apart)s",
        "planned_end": "planned_end + n * %(apart)s",
    }
    values = {"number": number, "apart": apart, "pk": row.pk, "last": count - 1, "first": systems[0].pk}
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO changes_change ({', '.join(columns)}) SELECT {', '.join(own.get(c, c) for c in columns)}"
            " FROM changes_change, generate_series(1, %(last)s) AS n WHERE id = %(pk)s ORDER BY n",
            values,
        )
        cursor.execute(
            "INSERT INTO changes_change_systems (change_id, system_id)"
            f" SELECT id, %(first)s + id %% {SYSTEMS} FROM changes_change WHERE id >= %(pk)s",
            values,
        )
    return int(row.pk)


def _write(rows: Iterable[Any]) -> list[Any]:
    """Insert rows past their history, which is not what is measured."""
    given = list(rows)
    return models.QuerySet(type(given[0])).bulk_create(given, batch_size=2000)
