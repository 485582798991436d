"""What an audited save costs beside the same save with django-simple-history alone, and how fast a trail is written."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from incidents.models import Incident
from portal.audit import trail
from portal.audit.actor import Actor, acting
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.directory.models import Severity, System
from tests.bench.report import note, say
from tests.bench.twins.models import TWINS

SAVES = 300
BLOCKS = 12
WRITERS = 4
SECONDS = 8.0
AT = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def run(address: str) -> bool:
    """Measure saves in turns, then appends by several processes."""
    make_tables()
    met = True
    with acting(by=Actor("Bench", user_id=1), reason="Measured", origin="web", address="192.0.2.1"):
        for model, change in ((System, ("version", "{}.0")), (Incident, ("title", "Mail is slow {}"))):
            met &= saves(model, *change)
    return met & appends()


def make_tables() -> None:
    """Make the tables of the twins and of their histories."""
    with connection.schema_editor() as editor:
        for plain in TWINS.values():
            editor.create_model(plain)
            history: Any = plain.history.model  # type: ignore[attr-defined]
            editor.create_model(history)
            for kept in apps.get_app_config("twins").get_models():
                if any(f.related_model is history for f in kept._meta.concrete_fields):
                    editor.create_model(kept)


def saves(model: type[models.Model], field: str, words: str) -> bool:
    """Measure saves of one changed field; each save of either kind is one transaction."""
    audited, plain = make(model), make(TWINS[model])
    ours, theirs = [], []
    for block in range(BLOCKS):
        for row, found in ((audited, ours), (plain, theirs)) if block % 2 else ((plain, theirs), (audited, ours)):
            found.append(block_of(row, field, words, block * SAVES))
    # The first blocks warm caches and the table.
    mine, base = statistics.median(ours[2:]), statistics.median(theirs[2:])
    note(f"  {model.__name__}: {1000 * mine:.3f} ms audited, {1000 * base:.3f} ms with simple-history alone")
    name = f"saving.{model._meta.model_name}"
    return say(name, mine / base, "ratio", limit=1.6, baseline=round(1000 * base, 4), of="ms a plain save")


def make(model: type[models.Model]) -> Any:
    """Return a new row of an audited model or its twin."""
    severity = Severity.objects.order_by("id").first()
    values = {
        "System": {"slug": "bench", "name": "Bench"},
        "Incident": {"reference": "INC-9", "title": "x", "severity": severity, "declared_at": AT, "declared_by": "b"},
    }[model.__name__.removeprefix("Plain")]
    return model._default_manager.create(**values)


def block_of(row: Any, field: str, words: str, start: int) -> float:
    """Return the seconds of one save, over a block of them."""
    before = time.perf_counter()
    for number in range(start, start + SAVES):
        setattr(row, field, words.format(number))
        with transaction.atomic():
            row.save()
    return (time.perf_counter() - before) / SAVES


def appends() -> bool:
    """Measure rows of the trail written by several processes, each row in a transaction of its own."""
    before = TrailRow.objects.count()
    connection.close()
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(WRITERS + 1)
    writers = [context.Process(target=write, args=(ready, number)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    ready.wait()
    for writer in writers:
        writer.join()
    written = TrailRow.objects.count() - before
    whole = all(writer.exitcode == 0 for writer in writers)
    return say(
        "saving.appends", written / SECONDS, "rows/s", limit=1000, at_least=True, whole=whole,
        baseline=round(bare_appends()), of="rows/s by one writer with plain SQL", writers=WRITERS,
    )  # fmt: skip


def write(ready: Any, number: int) -> None:
    """Append rows until the time is over. One of the processes that `appends` starts."""
    ready.wait()
    end = time.perf_counter() + SECONDS
    count = 0
    while time.perf_counter() < end:
        count += 1
        with acting(by=Actor(f"Writer {number}", user_id=number), reason="Measured", origin="web", anew=True):
            trail.record(Action.READ, event="Opened", model="bench.bench", object_id=count, name=f"Row {count}")


def bare_appends() -> float:
    """Return how many rows a second one connection inserts with one prepared statement."""
    told = {
        "actor_name": "Plain", "origin": "web", "address": "", "action": "read", "privileged": "false",
        "model": "bench.bench", "object_id": "1", "reference": "", "name": "Row", "root_model": "bench.bench",
        "root_id": "1", "event": "Opened", "reason": "", "fields": "", "changes": "[]",
    }  # fmt: skip
    values = ", ".join(f"'{value}'" for value in told.values())
    statement = f"INSERT INTO audit_trail (at, {', '.join(told)}) VALUES (%s, {values})"
    count, end = 0, time.perf_counter() + SECONDS / 4
    with connection.cursor() as cursor:
        while time.perf_counter() < end:
            cursor.execute(statement, [AT])
            count += 1
    return count / (SECONDS / 4)
