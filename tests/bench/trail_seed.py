"""A long and uneven trail, made by SQL: who, what, when and why as real rows are, and incidents with their history."""

from __future__ import annotations

import time

from django.db import connection

from incidents.models import Incident
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow

INCIDENT = Incident._meta.label_lower
PEOPLE = 40
OWN_ID = 100_000_000  # reference data has its rows below
AVERAGE_GESTURE = 5

WORDS = "CREATE TEMP TABLE words AS SELECT n, substr(md5(n::text), 1, 4 + n % 6) AS w FROM generate_series(0, 4999) n"
# One row for each gesture: when, by whom, and the luck of its rows.
GESTURES = """
CREATE TEMP TABLE gestures AS
SELECT n AS g, 1 + (random() * 8)::int AS size,
  now() - interval '365 days' + interval '365 days' * (n::float / %(gestures)s) AS at,
  (41 * power(random(), 3))::int AS actor, power(random(), 2.5) AS kind, random() AS act, random() AS why,
  random() AS way, random() AS weight,
  (power(random(), 3) * 4999)::int AS w1, (power(random(), 3) * 4999)::int AS w2, (power(random(), 3) * 4999)::int AS w3
FROM generate_series(1, %(gestures)s) n"""
# Models: incidents have two fifths of the rows, the last few models next to none.
ROWS = """
CREATE UNLOGGED TABLE bench_rows AS
SELECT row_number() OVER (ORDER BY g.g, i) AS n, g.*, i, m.model,
  row_number() OVER (PARTITION BY m.model ORDER BY g.g, i) AS nth
FROM gestures g CROSS JOIN LATERAL generate_series(1, g.size) i
CROSS JOIN LATERAL (
  SELECT CASE WHEN (hashint8(g.g * 31 + i) & 1023) < 410 THEN %(incident)s
    ELSE (%(models)s::text[])[1 + (power(g.kind, 1 + i %% 3) * (cardinality(%(models)s::text[]) - 1))::int] END AS model
) m"""
# Each eighth row of a model makes an object; the others touch one of the newest five hundred, or now and then any.
FILL = """
INSERT INTO audit_trail (at, actor_name, actor_id, contact_id, origin, address, gesture, action, privileged, model,
  object_id, reference, name, root_model, root_id, event, reason, fields, changes, history_id)
SELECT r.at + r.i * interval '1 ms',
  CASE WHEN actor < 2 THEN 'system: escalation' WHEN actor = 2 THEN 'intake: Alerts' ELSE 'Person Number ' || actor END,
  CASE WHEN actor < 3 THEN NULL ELSE 1000 + actor END, NULL,
  CASE WHEN actor < 2 THEN 'task' WHEN actor = 2 THEN 'api' WHEN way < .85 THEN 'web' WHEN way < .98 THEN 'admin'
    WHEN way < .99 THEN 'command' ELSE 'import' END,
  CASE WHEN actor < 2 THEN '' ELSE '10.20.4.' || actor END, md5('gesture ' || g)::uuid, a.action, weight < .01, r.model,
  o.key::text, CASE WHEN r.model = %(incident)s THEN 'INC-' || lpad(o.key::text, 6, '0') ELSE '' END,
  'Object ' || o.key || ' ' || w1.w, r.model, o.key::text, '',
  CASE WHEN why < .15 THEN 'Agreed in the service review, item ' || (g %% 9) || ' ' || w1.w || ' ' || w2.w
    WHEN why < .35 THEN w1.w || ' ' || w2.w || ' ' || w3.w
    WHEN g %% 40000 = 7 THEN 'Bindings were not moved'
    WHEN why > .55 AND g BETWEEN %(gestures)s / 10 AND %(gestures)s / 5 THEN 'migration of the mail nodes'
    WHEN why > .9 AND g > %(gestures)s * .98 THEN 'freeze before the release' ELSE '' END,
  CASE WHEN a.action IN ('created', 'deleted') THEN ' reference title description type severity status declared_at '
    WHEN a.action <> 'changed' THEN ''
    WHEN act < .35 THEN ' status acknowledged_at acknowledged_by '
    WHEN act < .9995 THEN ' field_' || (nth %% 40) || ' field_' || (nth %% 17) || ' '
    ELSE ' response_time ' END,
  '[["status","Declared","Acknowledged"],["title","' || repeat(w1.w, 4) || '","' || repeat(w2.w, 4) || '"]]',
  CASE WHEN a.action IN ('created', 'changed', 'deleted') THEN %(own)s + r.n END
FROM bench_rows r
CROSS JOIN LATERAL (
  SELECT CASE WHEN nth %% 8 = 1 THEN 'created' WHEN act > .99995 THEN 'deleted' WHEN i > 1 THEN 'changed'
    WHEN act < .03 THEN 'signed-in' WHEN act < .035 THEN 'sign-in-refused' WHEN act < .05 THEN 'read'
    WHEN act < .052 THEN 'exported' ELSE 'changed' END AS action
) a
CROSS JOIN LATERAL (
  SELECT CASE WHEN nth %% 8 = 1 THEN 1 + nth / 8 ELSE GREATEST(1, 1 + nth / 8 -
    CASE WHEN nth %% 50 = 0 THEN (power(weight, 2) * nth / 8)::bigint ELSE hashint8(r.n) & 511 END) END AS key
) o
JOIN words w1 ON w1.n = r.w1 JOIN words w2 ON w2.n = r.w2 JOIN words w3 ON w3.n = r.w3
ORDER BY r.n"""


def fill(rows: int) -> float:
    """Fill the trail with about so many rows, and the history of incidents with theirs; return the seconds."""
    began = time.perf_counter()
    labels = sorted({model._meta.label_lower for model in AuditHistory.of if not model._meta.proxy} - {INCIDENT})
    values = {"gestures": rows // AVERAGE_GESTURE, "incident": INCIDENT, "models": labels, "own": OWN_ID}
    tables = [TrailRow._meta.db_table, Incident.history.model._meta.db_table]
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SELECT setseed(0.42)")
        kept = [index for table in tables for index in _without_indexes(cursor, table)]
        for statement in (WORDS, GESTURES, ROWS, FILL):
            cursor.execute(statement, values if "%(" in statement else None)
        cursor.execute("DROP TABLE bench_rows")
        _history(cursor)
        for definition in kept:
            cursor.execute(definition)
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
    return time.perf_counter() - began


def _without_indexes(cursor, table: str) -> list[str]:
    """Drop the indexes of a table that are no constraint, and return what makes them again: filling is faster so."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [table],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _history(cursor) -> None:
    """Give each row about an incident its history row."""
    values = {
        "id": "object_id::bigint", "history_id": "history_id", "history_date": "at", "actor_name": "actor_name",
        "history_type": "CASE action WHEN 'created' THEN '+' WHEN 'deleted' THEN '-' ELSE '~' END",
        "reference": "reference", "title": "name", "severity_id": "(SELECT min(id) FROM directory_severity)",
        "declared_at": "at", "gesture": "gesture", "origin": "origin", "status": "'declared'", "generation": "1",
        "is_major": "false", "restricted": "false", "is_drill": "false",
    }  # fmt: skip
    columns = {}
    for field in Incident.history.model._meta.concrete_fields:
        plain = "NULL" if field.null else "''"
        columns[field.column] = values.get(field.column, plain)
    cursor.execute(
        f"INSERT INTO {Incident.history.model._meta.db_table} ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())} FROM audit_trail WHERE model = %s AND history_id >= %s ORDER BY id",
        [INCIDENT, OWN_ID],
    )
