"""What a record held at a moment, field by field, from its history; names are those of that time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.http import urlencode

from portal.assurance.selectors.trail_naming import Value
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow
from portal.audit.trail import MASKED, plain

Key = tuple[str, str]  # model and id
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Held:
    """One field with what it held then; no values for nothing."""

    name: str
    label: str
    values: list[Value]


class Values:
    """Reads the values of history rows of one model, in a fixed number of queries however many rows there are."""

    def __init__(
        self, model: Any, *, seen: QuerySet[TrailRow], at: datetime, only: Sequence[str] | None = None
    ) -> None:
        history = AuditHistory.of[model]
        self.model, self.seen, self.at = model, seen, at
        self.fields = [f for f in history.fields_included(model) if only is None or f.name in only]
        relations = history.get_m2m_fields_from_model(model)
        self.relations = [f for f in relations if only is None or f.name in only]
        self.masked = frozenset(getattr(model, "masked", ()))
        self._stores = {f.name: history.m2m_models[f] for f in relations}

    def of(self, rows: Sequence[Any]) -> list[list[Held]]:
        """Return the fields of each row, in the order of the model."""
        related = self._related(rows)
        names = names_at(self.seen, self._keys(rows, related), at=self.at)
        return [[*self._columns(row, names), *self._many(row, related, names)] for row in rows]

    def _columns(self, row: Any, names: dict[Key, str]) -> Iterable[Held]:
        for field in self.fields:
            value = getattr(row, field.attname)
            told = self._told(field, value, names)
            yield Held(field.name, str(field.verbose_name), [] if told is None else [told])

    def _told(self, field: Any, value: Any, names: dict[Key, str]) -> Value | None:
        if value is None or value in ("", [], {}):
            return None
        if field.name in self.masked:
            return Value(MASKED)
        if field.is_relation:
            return self._pointed(field.related_model, value, names)
        if field.choices and (label := dict(field.flatchoices).get(value)) is not None:
            return Value(str(label))
        if isinstance(value, datetime):
            return Value(plain(value), value)
        return Value(plain(value)[:LONGEST])

    def _pointed(self, model: Any, key: Any, names: dict[Key, str]) -> Value:
        label = model._meta.label_lower
        name = names.get((label, str(key)), "")
        known = bool(name) and model in AuditHistory.of
        return Value(name or f"number {key}", url=address(label, key, self.at) if known else "")

    def _many(self, row: Any, related: dict[str, dict[Any, list[Any]]], names: dict[Key, str]) -> Iterable[Held]:
        for field in self.relations:
            if field.name in self.masked:
                keys: list[Any] = []
            else:
                keys = related[field.name].get(row.history_id, [])
            told = [self._pointed(field.related_model, key, names) for key in keys]
            yield Held(field.name, str(field.verbose_name), sorted(told, key=lambda value: value.text.lower()))

    def _related(self, rows: Sequence[Any]) -> dict[str, dict[Any, list[Any]]]:
        found: dict[str, dict[Any, list[Any]]] = {field.name: {} for field in self.relations}
        for field in self.relations:
            target = field.remote_field.through._meta.get_field(field.m2m_reverse_field_name()).attname
            kept = self._stores[field.name].objects.filter(history_id__in=[row.history_id for row in rows])
            kept = kept.exclude(**{target: None})  # a tombstone has removed what it pointed at
            for history_id, key in kept.order_by(target).values_list("history_id", target):
                found[field.name].setdefault(history_id, []).append(key)
        return found

    def _keys(self, rows: Sequence[Any], related: dict[str, dict[Any, list[Any]]]) -> set[Key]:
        heads = [field for field in self.fields if field.is_relation and field.name not in self.masked]
        found = {
            (field.related_model._meta.label_lower, str(key))
            for field in heads
            for row in rows
            if (key := getattr(row, field.attname)) is not None
        }
        for field in self.relations:
            label = field.related_model._meta.label_lower
            found |= {(label, str(key)) for keys in related[field.name].values() for key in keys}
        return found


def names_at(seen: QuerySet[TrailRow], keys: Iterable[Key], *, at: datetime) -> dict[Key, str]:
    """Return what objects were called at a moment, else first afterwards, as far as the reader may see. One query."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    same = RawSQL(
        '"audit_trail"."model" = wanted.column1 AND "audit_trail"."object_id" = wanted.column2',
        [],
        output_field=BooleanField(),
    )
    named = seen.filter(same).exclude(name="").values("name")
    try:
        before, before_values = named.filter(at__lte=at).order_by("-pk")[:1].query.sql_with_params()
        after, after_values = named.filter(at__gt=at).order_by("pk")[:1].query.sql_with_params()
    except EmptyResultSet:
        return {}
    listed = ", ".join(["(%s, %s)"] * len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT column1, column2, COALESCE(({before}), ({after})) FROM (VALUES {listed}) wanted",  # noqa: S608
            [*before_values, *after_values, *(text for key in wanted for text in key)],
        )
        return {(model, key): name for model, key, name in cursor.fetchall() if name}


def address(model: str, key: Any, at: datetime | None) -> str:
    """Return the address of an object as of a moment."""
    return _at(reverse("assurance:object-as-of", args=[model, key]), at)


def register_address(model: str, at: datetime | None) -> str:
    """Return the address of all objects of a kind as of a moment."""
    return _at(reverse("assurance:register", args=[model]), at)


def _at(path: str, at: datetime | None) -> str:
    return f"{path}?{urlencode({'at': plain(at)})}" if at is not None else path
