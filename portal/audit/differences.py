"""What changed between history rows, in words: every concrete field and every audited many-to-many field."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.text import Truncator, capfirst

from portal.audit.history import AuditHistory
from portal.lib import times

LONGEST_VALUE = 300
MASKED = "not shown"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one history row, before and after; "" is nothing. Of a relation: what left and what came."""

    field: str
    old: str
    new: str


class Differ:
    """Compares history rows of one model in a fixed number of queries, however many rows there are.

    `masked` names fields whose change is told without its values.
    """

    def __init__(self, model: type[models.Model], masked: Collection[str] = ()) -> None:
        history = AuditHistory.of[model]
        self._fields: list[models.Field[Any, Any]] = history.fields_included(model)
        self._relations = history.get_m2m_fields_from_model(model)
        self._stores = {field.name: history.m2m_models[field] for field in self._relations}
        self._masked = masked
        self._names: dict[type[models.Model], dict[Any, str]] = {}

    def changes(self, rows: Sequence[Any]) -> list[list[Change]]:
        """Return the changes of each row against the next one. `rows` stand newest first; the last has none."""
        related = self._related(rows)
        self._learn_names(rows, related)
        found = [
            self._between(new, old, related) if new.history_type == "~" else [] for new, old in itertools.pairwise(rows)
        ]
        return [*found, []] if rows else []

    def values(self, row: Any) -> list[Change]:
        """Return every field of one row, as its value then stood in `new`."""
        related = self._related([row])
        self._learn_names([row], related)
        plain = [self._change(f, None, getattr(row, f.attname)) for f in self._fields]
        return [*plain, *(self._relation(f, set(), related[row.pk][f.name]) for f in self._relations)]

    def _between(self, new: Any, old: Any, related: dict[Any, dict[str, set[Any]]]) -> list[Change]:
        plain = [
            self._change(f, getattr(old, f.attname), getattr(new, f.attname))
            for f in self._fields
            if getattr(old, f.attname) != getattr(new, f.attname)
        ]
        relations = [(f, related[old.pk][f.name], related[new.pk][f.name]) for f in self._relations]
        return [*plain, *(self._relation(f, before, after) for f, before, after in relations if before != after)]

    def _change(self, field: models.Field[Any, Any], old: Any, new: Any) -> Change:
        label = capfirst(str(field.verbose_name))
        if field.name in self._masked:
            return Change(label, MASKED if old else "", MASKED if new else "")
        return Change(label, self._words(field, old), self._words(field, new))

    def _relation(self, field: Any, old: set[Any], new: set[Any]) -> Change:
        def joined(keys: Iterable[Any]) -> str:
            return ", ".join(sorted(self._name(field.related_model, key) for key in keys))

        return Change(capfirst(str(field.verbose_name)), joined(old - new), joined(new - old))

    def _words(self, field: models.Field[Any, Any], value: Any) -> str:
        if value is None or value == "":
            return ""
        if field.is_relation:
            return self._name(field.related_model, value)
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        return Truncator(_plain(value)).chars(LONGEST_VALUE)

    def _name(self, model: Any, key: Any) -> str:
        return self._names.get(model, {}).get(key, f"number {key}, which is gone")

    def _related(self, rows: Sequence[Any]) -> dict[Any, dict[str, set[Any]]]:
        """Return the ids in each relation at each row: one query for each relation."""
        found: dict[Any, dict[str, set[Any]]] = {row.pk: {f.name: set() for f in self._relations} for row in rows}
        for field in self._relations:
            target = field.remote_field.through._meta.get_field(field.m2m_reverse_field_name()).attname
            kept = self._stores[field.name].objects.filter(history_id__in=list(found))
            kept = kept.exclude(**{target: None})  # a tombstone has removed what it pointed at
            for history_id, key in kept.values_list("history_id", target):
                found[history_id][field.name].add(key)
        return found

    def _learn_names(self, rows: Sequence[Any], related: dict[Any, dict[str, set[Any]]]) -> None:
        """Look up what the ids are called: one query for each model that is pointed at."""
        wanted: dict[Any, set[Any]] = defaultdict(set)
        for field in self._fields:
            if field.is_relation:
                wanted[field.related_model] |= {getattr(row, field.attname) for row in rows} - {None}
        for field in self._relations:
            for kept in related.values():
                wanted[field.related_model] |= kept[field.name]
        for model, keys in wanted.items():
            if keys:
                heads = [f.name for f in model._meta.concrete_fields if f.is_relation]
                known = model._base_manager.select_related(*heads).in_bulk(keys)
                self._names[model] = {key: str(row) for key, row in known.items()}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return times.exact(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
