"""What stands in place of words that a tombstone has removed: nothing where a column allows it, else "[removed]"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.audit.history import AuditHistory
from portal.audit.shapes import PAYLOAD, definition_of, kind_of
from portal.audit.tables import TrailRow

REMOVED = "[removed]"
OF_TRAIL = {"actor_name": REMOVED, "changes": "[]"}  # of the other columns nothing is left
# What a history row keeps: no more than the envelope of its row in the trail says, too.
OF_HISTORY = frozenset(["history_id", "history_date", "history_type", "gesture", "origin"])
NOTHING: dict[str, Any] = {
    "integer": 0,
    "boolean": False,
    "moment": datetime(1970, 1, 1, tzinfo=UTC),
    "date": date(1970, 1, 1),
    "time": time(0),
    "span": timedelta(0),
    "decimal": Decimal(0),
    "uuid": UUID(int=0),
    "bytes": b"",
    "address": "0.0.0.0",  # noqa: S104 - it stands for no address
}


class Replaced(NamedTuple):
    """One table of which rows lose their words: its key, and the assignments of an UPDATE with their values."""

    table: str
    key: str
    assignments: str
    values: list[Any]


def of_trail(connection: BaseDatabaseWrapper) -> Replaced:
    """Return how a row of the trail loses its payload."""
    names = {column.name for column in definition_of(TrailRow).of(PAYLOAD)}
    fields = [field for field in TrailRow._meta.concrete_fields if field.column in names]
    given = {f.attname: (None if f.null else OF_TRAIL.get(f.attname, "")) for f in fields}
    return _replaced(TrailRow, [(f, "%s", [given[f.attname]]) for f in fields], connection)


def of_facts(model: type[models.Model], connection: BaseDatabaseWrapper) -> Replaced:
    """Return how a row of a table of facts loses its words. Codes and choices stay: they are nobody's words."""
    names = {column.name for column in definition_of(model).of(PAYLOAD)}
    codes = getattr(model, "codes", ())
    fields = [f for f in model._meta.concrete_fields if f.column in names and not f.choices and f.attname not in codes]
    return _replaced(model, [(f, *_value(f, connection)) for f in fields], connection)


def of_history(owner: Any, connection: BaseDatabaseWrapper) -> Replaced:
    """Return how a history row of a model loses everything but what its envelope in the trail says too."""
    kept = {*OF_HISTORY, owner._meta.pk.attname}
    if getattr(owner, "belongs_to", ""):
        kept.add(owner._meta.get_field(owner.belongs_to).attname)
    model = owner.history.model
    fields = [f for f in model._meta.concrete_fields if not f.primary_key and f.attname not in kept]
    return _replaced(model, [(f, *_value(f, connection)) for f in fields], connection)


def of_relations(owner: Any, connection: BaseDatabaseWrapper) -> list[tuple[Replaced, str]]:
    """Return how the relations of a history row lose what they point at, each with the column of the history row."""
    found = []
    history = AuditHistory.of[owner]
    for field in history.get_m2m_fields_from_model(owner):
        model = history.m2m_models[field]
        through = field.remote_field.through
        kept = {"history_id", through._meta.pk.attname, through._meta.get_field(field.m2m_field_name()).attname}
        fields = [f for f in model._meta.concrete_fields if not f.primary_key and f.attname not in kept]
        replaced = _replaced(model, [(f, *_value(f, connection)) for f in fields], connection)
        found.append((replaced, str(model._meta.get_field("history").column)))
    return found


def _value(field: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    """Return the expression that takes the place of a column's value. What was empty stays so."""
    if field.null:
        return "NULL", []
    kind = kind_of(field).partition(":")[0]
    if kind == "text":
        name = connection.ops.quote_name(field.column)
        return f"CASE WHEN {name} = '' THEN '' ELSE %s END", [REMOVED[: field.max_length or len(REMOVED)]]
    if kind == "json":
        return "%s", [field.get_default() if field.has_default() else {}]
    return "%s", [NOTHING[kind]]


def _replaced(
    model: type[models.Model], found: Iterable[tuple[Any, str, list[Any]]], connection: BaseDatabaseWrapper
) -> Replaced:
    quote = connection.ops.quote_name
    assignments, values = [], []
    for field, expression, given in found:
        assignments.append(f"{quote(field.column)} = {expression}")
        values += [field.get_db_prep_save(value, connection) for value in given]
    key = model._meta.pk
    assert key is not None  # noqa: S101 - for the type checker
    return Replaced(model._meta.db_table, str(key.column), ", ".join(assignments), values)
