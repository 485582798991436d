"""What a seal covers: which columns of which table, found in the models and kept beside the seals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, Self

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from portal.audit.canonical import Column, compact
from portal.audit.history import AuditHistory, HistoryFields
from portal.audit.tables import TrailRow

ENVELOPE, PAYLOAD = "envelope", "payload"
# "table.column", or a whole "table", that a release has dropped although seals cover it: older seals then prove their
# place in the chain, no longer what they cover. Whatever else is gone is a finding.
DROPPED: frozenset[str] = frozenset()
MOMENTS = ("at", "recorded_at", "decided_at", "asked_at", "confirmed_at", "created_at", "first_used_at")
# The columns of the trail that a tombstone leaves alone: where, when and as part of what, without who and why.
ENVELOPE_OF_TRAIL = frozenset(
    ["at", "origin", "gesture", "model", "object_id", "root_model", "root_id", "action", "privileged", "history_id"]
)
KINDS = {
    "AutoField": "integer",
    "BigAutoField": "integer",
    "SmallAutoField": "integer",
    "IntegerField": "integer",
    "BigIntegerField": "integer",
    "SmallIntegerField": "integer",
    "PositiveIntegerField": "integer",
    "PositiveBigIntegerField": "integer",
    "PositiveSmallIntegerField": "integer",
    "BooleanField": "boolean",
    "DateTimeField": "moment",
    "DateField": "date",
    "TimeField": "time",
    "DurationField": "span",
    "UUIDField": "uuid",
    "JSONField": "json",
    "BinaryField": "bytes",
    "CharField": "text",
    "TextField": "text",
    "SlugField": "text",
    "EmailField": "text",
    "URLField": "text",
    "FileField": "text",
    "FilePathField": "text",
    "GenericIPAddressField": "address",
}


@dataclass(frozen=True)
class Relation:
    """The rows of a many-to-many field that belong to a history row: in which table, by which key, in which order."""

    name: str
    table: str
    key: str
    order: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Definition:
    """Which columns of which table a digest covers, in which order. Columns that hold JSON come last."""

    source: str
    table: str
    key: str
    columns: tuple[Column, ...]
    relations: tuple[Relation, ...] = ()

    def of(self, part: str) -> tuple[Column, ...]:
        """Return the columns of the envelope or of the payload."""
        return tuple(column for column in self.columns if column.part == part)

    @cached_property
    def text(self) -> str:
        """The definition as it is kept and digested: JSON with sorted names and without spaces."""
        return compact(
            {
                "source": self.source,
                "table": self.table,
                "key": self.key,
                "columns": self.columns,
                "relations": [vars(relation) for relation in self.relations],
            }
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal: the name by which a seal calls the definition."""
        return sha256(self.text.encode()).hexdigest()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the definition that a text holds. ValueError, KeyError or TypeError is raised when it holds none."""
        found = json.loads(text)
        relations = [Relation(**(kept | {"columns": _columns(kept["columns"])})) for kept in found["relations"]]
        return cls(found["source"], found["table"], found["key"], _columns(found["columns"]), tuple(relations))


def _columns(kept: Iterable[Sequence[str]]) -> tuple[Column, ...]:
    return tuple(Column(*column) for column in kept)


@cache
def definition_of(model: type[models.Model]) -> Definition:
    """Return what the seals of a model's rows cover today: of the trail, of a table of facts or of a history model.

    ImproperlyConfigured is raised for a column whose text would not be the same on every database.
    """
    meta = model._meta
    key = _key(model)
    columns = sorted(
        (_column(model, field) for field in meta.concrete_fields if not field.primary_key),
        key=lambda column: column.kind == "json",
    )
    return Definition(meta.label_lower, meta.db_table, key.column, tuple(columns), tuple(_relations(model)))


def _key(model: type[models.Model]) -> Any:
    key = model._meta.pk
    if key is None or kind_of(key) != "integer":
        raise ImproperlyConfigured(f"{model._meta.label}: a sealed table is numbered; its key must be an integer.")
    return key


def _column(model: type[models.Model], field: Any) -> Column:
    return Column(field.column, kind := kind_of(field), _part(model, field, kind))


def _part(model: type[models.Model], field: Any, kind: str) -> str:
    """Return whether a tombstone leaves the column alone. In a table of facts, words and `personal` columns go."""
    if issubclass(model, TrailRow):
        return ENVELOPE if field.attname in ENVELOPE_OF_TRAIL else PAYLOAD
    if issubclass(model, HistoryFields) or hasattr(model, "m2m_history_id"):
        return PAYLOAD
    wordy = kind in {"text", "json", "bytes", "address"}
    return PAYLOAD if wordy or field.name in getattr(model, "personal", ()) else ENVELOPE


def _relations(model: type[models.Model]) -> Iterable[Relation]:
    if not issubclass(model, HistoryFields):
        return
    owner: Any = model.instance_type  # type: ignore[attr-defined]
    history = AuditHistory.of[owner]
    for field in history.get_m2m_fields_from_model(owner):
        through = history.m2m_models[field]
        meta = through._meta
        columns = tuple(_column(through, column) for column in meta.concrete_fields)
        key, order = meta.get_field("history").column, meta.pk.column
        yield Relation(field.name, meta.db_table, key, order, columns)


def kind_of(field: Any) -> str:
    """Return the kind of a column: how its value is written as text."""
    while field.is_relation:
        field = field.target_field
    name = field.get_internal_type()
    if name == "DecimalField":
        return f"decimal:{field.decimal_places}"
    if name not in KINDS:
        raise ImproperlyConfigured(
            f"{field}: a {name} has no text that is the same on every database, so that it cannot be sealed."
        )
    return KINDS[name]


@cache
def sources() -> tuple[type[models.Model], ...]:
    """Return every model whose rows are sealed: the trail first, then the tables that carry facts of their own."""
    facts = [model for model in apps.get_models() if _carries_facts(model)]
    return (TrailRow, *sorted(facts, key=lambda model: str(model._meta.label_lower)))


def _carries_facts(model: type[models.Model]) -> bool:
    own_table = model._meta.managed and not model._meta.proxy
    return (
        own_table and model is not TrailRow and getattr(model, "append_only", False) and getattr(model, "sealed", True)
    )


@cache
def history_of(label: str) -> Definition | None:
    """Return what the seals of a model's history rows cover, by the model's label; nothing when it has no history."""
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    history = getattr(model, "history", None)
    return definition_of(history.model) if history is not None else None


@cache
def moment_of(model: type[models.Model]) -> str | None:
    """Return the column that says when a row of a source was written; nothing when none does.

    A column that may be empty says something else, such as since when somebody holds what a review goes through.
    """
    names = {field.name for field in model._meta.concrete_fields if not field.null}
    return next((name for name in MOMENTS if name in names), None)
