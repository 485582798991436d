"""Many new rows in one statement, for the few places where a storm writes thousands.

`bulk_create` prepares every value of every row in Python. In a storm most columns hold the same value in all rows: here
those are given once, and the others travel as one JSON text that PostgreSQL takes apart. SQLite keeps `bulk_create`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Field

Values = Mapping[str, Any]


def insert_many(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert unsaved rows of one model; with `ignore_conflicts`, those whose unique key stands are left out.

    The instances stay as they are: they learn neither their ids nor whether they were left out. Audited models refuse
    `bulk_create` and must not come here.
    """
    if rows:
        insert_values(type(rows[0]), [row.__dict__ for row in rows], ignore_conflicts=ignore_conflicts)


def insert_values(model: type[models.Model], rows: Sequence[Values], *, ignore_conflicts: bool = False) -> None:
    """Insert rows given as values by column attribute (`contact_id`, not `contact`); all rows name the same columns.

    A column that they do not name gets its default, the same in all rows.
    """
    if not rows:
        return
    if hasattr(model, "history"):
        raise TypeError(f"{model.__name__} is audited: insert_many would leave no history. Use portal.audit.bulk.")
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    if connection.vendor != "postgresql":
        names = [field.attname for field in fields if field.attname in rows[0]]
        made = [model(**{name: row[name] for name in names}) for row in rows]
        model._default_manager.bulk_create(made, ignore_conflicts=ignore_conflicts)
        return
    same, varying = _split(fields, rows)
    first = rows[0]
    values = [field.get_db_prep_save(first.get(field.attname, field.get_default()), connection) for field in same]
    names = [field.attname for field in varying]
    records = [{f"c{number}": row[name] for number, name in enumerate(names)} for row in rows]
    statement = _statement(model, same, varying, ignore_conflicts=ignore_conflicts)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(statement, [*values, json.dumps(records, default=str)])


def _split(fields: list[Any], rows: Sequence[Values]) -> tuple[list[Any], list[Any]]:
    """Return the columns that hold one value in all rows, and the others."""
    same: list[Any] = []
    varying: list[Any] = []
    for field in fields:
        name = field.attname
        alike = name not in rows[0] or all(row[name] == rows[0][name] for row in rows)
        (same if alike else varying).append(field)
    return same, varying


def _statement(model: type[models.Model], same: list[Any], varying: list[Any], *, ignore_conflicts: bool) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in [*same, *varying])
    chosen = [f"%s::{_type(field)}" for field in same] + [f"x.c{number}" for number in range(len(varying))]
    # A record needs a column even when all rows are alike.
    record = ", ".join(f"c{number} {_type(field)}" for number, field in enumerate(varying)) or "c0 text"
    tail = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "  # noqa: S608 - names of our own models
        f"SELECT {', '.join(chosen)} FROM json_to_recordset(%s::json) AS x({record}){tail}"
    )


def _type(field: Field[Any, Any]) -> str:
    """Return the type without its length: a text that is too long must be refused, and a cast would cut it."""
    return str(field.db_type(connection)).partition("(")[0]
