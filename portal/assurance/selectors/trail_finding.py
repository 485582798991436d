"""How the rows of a page of the trail are found: in the same short time wherever they lie, however many there are.

PostgreSQL is asked as portal.assurance.selectors.trail_spans says; SQLite, which keeps small installations, plainly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from portal.assurance.selectors.trail_filters import Filters, Place
from portal.assurance.selectors.trail_spans import TERMS, Spans, Text
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow

NAME_FIELDS = ("name", "title", "username", "first_name", "last_name", "slug")


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in the order they were asked for. `looked` is how far was looked when time ran out, else nothing."""

    rows: list[TrailRow]
    looked: datetime | None = None


def find(
    seen: QuerySet[TrailRow],
    filters: Filters,
    *,
    limit: int,
    now: datetime,
    place: Place | None = None,
    without: Iterable[Any] = (),
) -> Found:
    """Return at most `limit` of the rows in `seen` that the filters ask for, from `place` on.

    They are read towards older rows, or towards newer ones when the filters say `backwards`. Gestures in `without` are
    passed over. One query.
    """
    starts, ends = filters.bounds(now)
    back = filters.backwards
    rows = seen.order_by().filter(plain(filters))
    if skipped := list(without):
        rows = rows.exclude(gesture__in=skipped)
    if filters.q and not filters.words:
        return Found([])
    if connection.vendor == "postgresql":
        spans = Spans(rows, terms(filters), back, limit, starts, ends, place)
        try:
            text = spans.statement()
        except EmptyResultSet:
            return Found([])
        told: list[Any] = list(rows.raw(text.sql, text.values))
        found = sorted((row for row in told if row.pk is not None), key=lambda row: (row.at, row.pk), reverse=not back)
        return Found(found[:limit], spans.looked([row.cut for row in told if row.cut is not None]))
    rows = rows.filter(_within(starts, ends), _beyond(place, backwards=back), _spelled(filters))
    return Found(list(rows.order_by(*(("at", "id") if back else ("-at", "-id")))[:limit]))


def narrowed(seen: QuerySet[TrailRow], filters: Filters, *, now: datetime) -> QuerySet[TrailRow]:
    """Return all rows in `seen` that the filters ask for, in no order: for what goes through all of them."""
    if filters.odd or (filters.q and not filters.words):
        return seen.none()
    rows = seen.filter(plain(filters), _within(*filters.bounds(now)))
    asked = terms(filters) if connection.vendor == "postgresql" else Text()
    if not asked.sql:
        return rows.filter(_spelled(filters))
    matching = RawSQL(f"{TERMS} @@ ({asked.sql})", asked.values, output_field=BooleanField())  # noqa: S611 - no values
    return rows.filter(matching)


def plain(filters: Filters) -> Q:
    """Return what the columns of a row must hold; words, fields and moments apart."""
    found = Q()
    if filters.person is not None:
        found &= Q(actor_id=filters.person)
    if filters.part:
        found &= Q(actor_id=None, actor_name=filters.part)
    if filters.origin:
        found &= Q(origin=filters.origin)
    if filters.action:
        found &= Q(action=filters.action)
    if filters.object:
        found &= about(filters.model, filters.object)
    elif filters.model:
        found &= Q(model=filters.model)
    return found & _of_kind(filters)


def about(model: str, key: str) -> Q:
    """Return the rows about one object: with those of its parts, unless it is a part itself."""
    parts = {found._meta.label_lower for found in AuditHistory.of if getattr(found, "belongs_to", "")}
    return Q(model=model, object_id=key) if model in parts else Q(root_model=model, root_id=key)


def _of_kind(filters: Filters) -> Q:
    if filters.what == "privileged":
        return Q(privileged=True)
    if filters.what == "approvals":
        return Q(model__in=filters.models()) | Q(action=Action.DECIDED)
    if models := filters.models():
        return Q(model__in=models)
    actions = filters.actions()
    return Q(action__in=actions) if actions else Q()


def terms(filters: Filters) -> Text:
    """Return what PostgreSQL's index of words and fields is asked for; nothing when neither is."""
    parts = ["plainto_tsquery('pg_catalog.simple', %s)"] * len(filters.words)
    values: list[Any] = list(filters.words)
    if filters.field:
        kinds = [filters.model] if filters.model else sorted(_with_field(filters.field))
        parts.append("%s::tsquery")
        values.append(" | ".join(f"'f:{kind}.{filters.field}'" for kind in kinds) or "'f:'")
    return Text(" && ".join(parts), values)


def _with_field(name: str) -> set[str]:
    """Return the kinds of objects that have a field of this name."""
    return {
        model._meta.label_lower
        for model in AuditHistory.of
        if any(found.name == name for found in (*model._meta.concrete_fields, *model._meta.many_to_many))
    }


def _within(starts: datetime | None, ends: datetime | None) -> Q:
    return (Q(at__gte=starts) if starts else Q()) & (Q(at__lt=ends) if ends else Q())


def _beyond(place: Place | None, *, backwards: bool) -> Q:
    if place is None:
        return Q()
    if backwards:
        return Q(at__gte=place.at) & (Q(at__gt=place.at) | Q(id__gt=place.id))
    return Q(at__lte=place.at) & (Q(at__lt=place.at) | Q(id__lt=place.id))


def _spelled(filters: Filters) -> Q:
    """Return the same as the index tells, spelled out: whole words, changed fields, names when they were given."""
    found = Q(action=Action.CHANGED, fields__contains=f" {filters.field} ") if filters.field else Q()
    named = ~Q(action=Action.CHANGED)
    for name in NAME_FIELDS:
        named |= Q(fields__contains=f" {name} ")
    for word in filters.words:
        whole = rf"(?<![^\W_]){word}(?![^\W_])"
        found &= Q(reason__iregex=whole) | named & (Q(name__iregex=whole) | Q(reference__iregex=whole))
    return found
