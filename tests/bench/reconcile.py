"""How fast everything is compared with its history: `make bench NAME=reconcile`.

WATCHBOOK_BENCH_ROWS chooses how many history rows there are; each incident has five, and a system. The rows are made by
SQL. What is measured is the portal's own reconciliation, before and after some rows were changed by hand.
"""

from __future__ import annotations

import os
import random
import resource
import time
from datetime import timedelta

from django.db import connection

from incidents.models import Incident
from portal.audit import reconciling
from portal.audit.actor import acting
from portal.lib import clock
from tests.bench import seed
from tests.bench.report import say

ROWS = int(os.environ.get("WATCHBOOK_BENCH_ROWS", "1000000"))
VERSIONS = 5
LEAST = 50_000  # rows a second
MOST_GROWTH = 50  # MiB: memory stays flat however many rows there are
TAMPERED = 20


def run(_address: str) -> bool:
    """Measure a run in which nothing differs, and one in which twenty rows do."""
    now = clock.now()
    seed.company(now)
    incidents = ROWS // VERSIONS
    seed.incidents(incidents, declared_at=now - timedelta(days=30))
    _tell_them()
    seconds, rows, found, growth = _reconcile()
    met = say(
        "reconcile", rows / seconds, "rows/s", limit=LEAST, at_least=True, whole=found == 0, rows=rows, seconds=seconds
    )
    met &= say("reconcile.memory", growth, "MiB", limit=MOST_GROWTH, rows=rows)
    chosen = _tamper()
    seconds, rows, found, _ = _reconcile()
    named = {int(one.object_id) for one in reconciling.last_run().findings}  # type: ignore[union-attr]
    return met & say(
        "reconcile.found", len(named & chosen), "rows", limit=TAMPERED, at_least=True, whole=found == TAMPERED,
        seconds=seconds,
    )  # fmt: skip


def _reconcile() -> tuple[float, int, int, float]:
    """Return seconds, rows read, findings, and by how many MiB the process grew."""
    before, started = _peak(), time.perf_counter()
    with acting(by="bench", reason="A benchmark", origin="command"):
        row = reconciling.begin(by="bench", at=clock.now())
        reconciling.run(row, now=clock.now, settle=lambda *_: None, tell=lambda _: None)
    return time.perf_counter() - started, row.rows, row.found, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _tell_them() -> None:
    """Give each incident its history and the trail its rows: the last version is as the incident stands."""
    history = Incident.history.model
    same = ", ".join(f'"{f.column}"' for f in Incident._meta.concrete_fields)
    own = "history_date, history_type, history_change_reason, actor_name, origin, remote_address, gesture"
    told = (
        "at, actor_name, origin, address, gesture, action, privileged, model, object_id, reference, name, "
        "root_model, root_id, event, reason, fields, changes, history_id"
    )
    kept = Incident.history.model._meta.apps.get_model("incidents", "HistoricalIncident_systems")._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {history._meta.db_table} ({same}, {own}) "
            f"SELECT {same}, now(), CASE v WHEN 1 THEN '+' ELSE '~' END, '', 'bench', 'web', '', gen_random_uuid() "
            f"FROM incidents_incident, generate_series(1, {VERSIONS}) v ORDER BY v, id"
        )
        cursor.execute(
            f"INSERT INTO {kept} (id, incident_id, system_id, history_id) "
            "SELECT t.id, t.incident_id, t.system_id, h.history_id "
            f"FROM incidents_incident_systems t JOIN {history._meta.db_table} h ON h.id = t.incident_id "
            "AND h.history_type = '~'"
        )
        cursor.execute(
            f"INSERT INTO audit_trail ({told}) SELECT history_date, 'bench', 'web', '', gesture, "
            "CASE history_type WHEN '+' THEN 'created' ELSE 'changed' END, false, 'incidents.incident', id::text, "
            "reference, title, 'incidents.incident', id::text, '', '', ' status ', '[]', history_id "
            f"FROM {history._meta.db_table} ORDER BY history_id"
        )
        for table in (history._meta.db_table, kept, "audit_trail", "incidents_incident", "incidents_incident_systems"):
            cursor.execute(f"ANALYZE {table}")


def _tamper() -> set[int]:
    """Change rows by hand, in the database, at random places; return their ids."""
    chance = random.Random(3)
    chosen = chance.sample(list(Incident.objects.values_list("pk", flat=True)), TAMPERED)
    with connection.cursor() as cursor:
        for pk in chosen[::2]:
            cursor.execute("UPDATE incidents_incident SET title = 'Nothing happened' WHERE id = %s", [pk])
        for pk in chosen[1::2]:
            cursor.execute("DELETE FROM incidents_incident_systems WHERE incident_id = %s", [pk])
    return set(chosen)
