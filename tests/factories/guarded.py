"""Rows of the guarded tables, whatever they keep, and what stands in them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.db import connection, models

from portal.audit import guards
from tests.factories.anything import SPECIAL, some_value


def insert(model: type[models.Model]) -> int:
    """Insert a row past the ORM and return its key; what it points at is made.

    The guards are lifted meanwhile where a table, or what it points at, may have rules of its own.
    """
    given = SPECIAL.get(model._meta.label, dict)
    counted = isinstance(model._meta.pk, models.AutoField)
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key and counted)]
    plain = "database_guards" not in vars(model) and not any(
        field.is_relation and _is_needed(field) for field in fields
    )
    with nullcontext() if plain else guards.lifted(), connection.cursor() as cursor:
        special = given()
        values = [
            field.get_db_prep_save(_key(special.get(field.name)) or _value(field), connection) for field in fields
        ]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in fields)
        places = ", ".join(["%s"] * len(fields))
        key = quote(model._meta.pk.column)
        cursor.execute(f"INSERT INTO {table(model)} ({columns}) VALUES ({places}) RETURNING {key}", values)
        return cursor.fetchone()[0]


def table(model: type[models.Model]) -> str:
    """Return the quoted name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def standing(model: type[models.Model]) -> list[tuple[Any, ...]]:
    """Return every row of a table as it stands."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table(model)} ORDER BY {connection.ops.quote_name(model._meta.pk.column)}")
        return list(cursor.fetchall())


def _is_needed(field: Any) -> bool:
    return field.db_constraint and not field.null


def _value(field: Any) -> Any:
    if field.is_relation and not _is_needed(field):
        return None if field.null else 1
    return _key(some_value(field))


def _key(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value
