"""How fast a long record is sealed and read back whole, beside a plain SHA-256 chain over the same rows.

The rows and their history rows, with relations, are made by SQL. WATCHBOOK_BENCH_ROWS chooses how many: 1,000,000
unless it says otherwise. Making and sealing them takes most of the time.
"""

from __future__ import annotations

import os
import resource
import time
from hashlib import sha256
from typing import Any

from django.db import connection

from incidents.models import Incident
from portal.audit.models import Seal, TrailRow
from portal.audit.reading import Reader
from portal.audit.sealing import BATCH, seal
from portal.audit.shapes import definition_of, kind_of
from portal.audit.verifying import verify
from portal.directory.models import Contact, System
from portal.lib import clock
from tests.bench.report import note, say

ROWS = int(os.environ.get("WATCHBOOK_BENCH_ROWS", "1000000"))
LEAST = 50_000  # rows a second
MOST_GROWTH = 150  # MiB: memory stays flat however many rows there are
BASE = 1_000_000  # reference data has its rows below
SHARES = ((Incident, 6), (Contact, 2), (System, 2))  # tenths of the rows
VALUES = {
    "integer": "g % 1000 + 1",
    "boolean": "g % 3 = 0",
    "moment": "now() - interval '30 days' + g * interval '1 second'",
    "date": "date '2026-01-01' + (g % 300)::int",
    "time": "time '09:00'",
    "span": "interval '5 minutes'",
    "uuid": "gen_random_uuid()",
    "json": """'{"source": "mail", "tries": 3}'""",
    "text": "'What happened here ' || g % 5000",
}
TOLD = '[["status","Declared (declared)","Acknowledged (acknowledged)"],["commander",null,"Amara Okafor (12)"]]'


def seed() -> None:
    """Make the rows: every row of the trail tells of a history row, and every tenth incident has two systems."""
    first = 1
    for model, tenths in SHARES:
        count = ROWS * tenths // 10
        history, label = model.history.model, model._meta.label_lower
        _insert(history, f"generate_series(1, {count}) g", history_id=f"{BASE} + g", history_type="'~'")
        _insert(
            TrailRow,
            f"generate_series(1, {count}) g",
            id=f"{BASE} + {first} - 1 + g",
            action="'changed'",
            model=f"'{label}'",
            object_id="(g % 20000)::text",
            root_model=f"'{label}'",
            root_id="(g % 20000)::text",
            reference="'INC-' || lpad((g % 20000)::text, 6, '0')",
            fields="' status commander '",
            changes=f"'{TOLD}'",
            history_id=f"{BASE} + g",
            at="now() - interval '30 days' + g * interval '1 second'",
        )
        first += count
    kept: Any = Incident.history.model._meta.apps.get_model("incidents", "HistoricalIncident_systems")
    _insert(
        kept,
        f"generate_series(1, {ROWS * 6 // 100}) g",
        m2m_history_id=f"{BASE} + g",
        history_id=f"{BASE} + (g + 1) / 2 * 10",
    )
    with connection.cursor() as cursor:
        for table in (TrailRow, *(model.history.model for model, _ in SHARES), kept):
            name, key = table._meta.db_table, table._meta.pk.column
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{name}', '{key}'), max({key})) FROM {name}")
            cursor.execute(f"ANALYZE {name}")


def _insert(table: Any, rows: str, /, **given: str) -> None:
    columns = {field.column: given.get(field.column) or _value(field) for field in table._meta.concrete_fields}
    with connection.cursor() as cursor:
        chosen = f"SELECT {', '.join(columns.values())} FROM {rows}"
        cursor.execute(f"INSERT INTO {table._meta.db_table} ({', '.join(columns)}) {chosen}")


def _value(field: Any) -> str:
    value = VALUES[kind_of(field)]
    return f"left({value}, {field.max_length})" if kind_of(field) == "text" and field.max_length else value


def plain() -> float:
    """Return how many rows a second a plain chain hashes: the rows' texts, one SHA-256 each, nothing compared."""
    reader, digest, began, after, count = Reader(definition_of(TrailRow)), b"", time.perf_counter(), 0, 0
    while rows := reader.select("t.id > %s", [after], tail=f"ORDER BY t.id LIMIT {BATCH}"):
        for _, envelope, payload in rows:
            digest = sha256(digest + envelope + payload).digest()
        after, count = rows[-1][0], count + len(rows)
    return count / (time.perf_counter() - began)


def run(_address: str) -> bool:
    """Seed, seal, verify; return whether verification is fast enough and its memory flat."""
    note(f"{ROWS:,} rows and their history rows are made ...")
    seed()
    began = time.perf_counter()
    sealed = seal(at=clock.database_now(), limit=10 * ROWS)
    sealing = sealed / (time.perf_counter() - began)
    note(f"{sealed:,} rows were sealed, {sealing:,.0f} a second")
    baseline = plain()
    before, began, used = _peak(), time.perf_counter(), time.process_time()
    report = verify(at=clock.database_now())
    seconds, used = time.perf_counter() - began, time.process_time() - used
    fast = say(
        "verify", report.rows / seconds, "rows/s", limit=LEAST, at_least=True,
        whole=report.is_clean and report.rows == Seal.objects.count() >= ROWS,
        baseline={"plain chain, rows/s": round(baseline)},
        rows=report.rows, history_rows=report.history_rows, seconds=round(seconds, 1),
        of_which_python_computed=round(used, 1), sealing_rows_per_second=round(sealing),
    )  # fmt: skip
    flat = say("verify: memory that grew", _peak() - before, "MiB", limit=MOST_GROWTH)
    return fast and flat


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
