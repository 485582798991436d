"""Records as of a moment: one object with every field, or all objects of a kind.

What a reader may see of history is what they may see of the trail: each history row has its row there, with the name
of then. Objects of a kind are listed by when they were made, newest first, so that a page costs the same at any
moment and however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.assurance.selectors.asof_values import Held, Values, address
from portal.assurance.selectors.trail_filters import Filters, Place
from portal.assurance.selectors.trail_finding import find
from portal.assurance.selectors.trail_naming import kind_of, kinds_of, label_of, model_of
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow

PAGE = 25
CHUNKS = (250, 750)  # objects that are looked through at once where the register is narrowed
COLUMNS = 4
_LAST = timedelta(microseconds=1)
_TOO_LONG = frozenset({"description", "text", "body", "snapshot", "content", "facts"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of audited objects that the reader may look at."""

    label: str
    name: str


def kinds_for(user: Any) -> list[Kind]:
    """Return the kinds of objects whose past the reader may read, by name. No query beyond permissions."""
    found = [
        Kind(model._meta.label_lower, kinds_of(model._meta.label_lower))
        for model in AuditHistory.of
        if not model._meta.proxy and user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
    ]
    return sorted(found, key=lambda kind: kind.name.lower())


def model_for(user: Any, label: str) -> Any:
    """Return the audited model of that label which the reader may look at; nothing otherwise."""
    model = model_of(label)
    return model if any(kind.label == label for kind in kinds_for(user)) else None


def moment_of(text: str) -> datetime:
    """Read a moment: a local one of the active zone, or one that names its offset. ValidationError says what to do."""
    sentence = "Give a day and an hour, such as 2026-11-17 09:00."
    try:
        found = parse_datetime(text.strip().replace(" ", "T", 1) if len(text) < 40 else "")
        if found is None:
            raise ValidationError(sentence)
        aware = timezone.make_aware(found) if timezone.is_naive(found) else found
        moment = aware.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise ValidationError(sentence) from problem
    if not 1970 < moment.year < 9000:
        raise ValidationError(sentence)
    return moment


@dataclass(frozen=True, slots=True)
class Then:
    """One object at a moment. `row` is the newest row of the trail about it up to then; `fields` are empty when gone.

    `first` is the oldest row about it at all: when it came to be.
    """

    kind: str
    model: str
    key: str
    row: TrailRow | None
    first: TrailRow | None
    next: TrailRow | None
    fields: list[Held]

    @property
    def title(self) -> str:
        """What it was called then, or first."""
        row = self.row or self.first
        return label_of(row) if row is not None else f"{self.kind} {self.key}"

    @property
    def gone(self) -> bool:
        """Whether it had been deleted."""
        return self.row is not None and self.row.action == Action.DELETED

    @property
    def not_yet(self) -> bool:
        """Whether it did not exist yet."""
        return self.row is None


def _versions(seen: QuerySet[TrailRow]) -> QuerySet[TrailRow]:
    """Return the rows that tell of a history row."""
    return seen.filter(history_id__isnull=False)


def object_then(seen: QuerySet[TrailRow], model: Any, key: str, *, at: datetime) -> Then | None:
    """Return an object as it was at a moment, or nothing when the reader may see none of it."""
    label = model._meta.label_lower
    own = _versions(seen).filter(model=label, object_id=key)
    first = own.order_by("pk").first()
    if first is None:
        return None
    row = own.filter(at__lte=at).order_by("-pk").first()
    following = own.filter(at__gt=at).order_by("pk").first()
    fields: list[Held] = []
    if row is not None and row.action != Action.DELETED:
        versions = model.history.filter(history_id=row.history_id)
        fields = next(iter(Values(model, seen=seen, at=at).of(list(versions))), [])
    return Then(kind_of(label), label, key, row, first, following, fields)


@dataclass(frozen=True, slots=True)
class Listed:
    """One object in a register: what it was called, where it leads, and the columns shown of it."""

    row: TrailRow
    title: str
    name: str
    url: str
    fields: list[Held]


@dataclass(frozen=True, slots=True)
class Register:
    """A page of the objects of a kind at a moment. `older` is the place to go on from, `looked` how far was looked."""

    columns: list[str]
    rows: list[Listed]
    older: Place | None = None
    looked: datetime | None = None


def register_then(
    seen: QuerySet[TrailRow], model: Any, *, at: datetime, now: datetime, words: str = "", place: Place | None = None
) -> Register:
    """Return the objects of a kind that existed at a moment, those made last first. `words` stand in their names."""
    label = model._meta.label_lower
    asked = words.casefold().split()[:8]
    chunks = CHUNKS if asked else (PAGE + 1, PAGE + 1)
    from_here = place or Place(at + _LAST, 0)
    filters = Filters(model=label, action=Action.CREATED.value)
    found: list[tuple[Place, TrailRow]] = []
    looked: datetime | None = None
    more = False
    for chunk in chunks:
        made = find(_versions(seen), filters, limit=chunk, now=now, place=from_here)
        found += _standing(seen, made.rows, at=at, words=asked)
        more = len(made.rows) == chunk or made.looked is not None
        if made.looked is not None:
            from_here = Place(made.looked, 0)
        elif made.rows:
            from_here = Place(made.rows[-1].at, made.rows[-1].pk)
        if not more or len(found) > PAGE or made.looked is not None:
            break
    full = len(found) > PAGE
    if full:
        found = found[:PAGE]
        from_here = found[-1][0]
    elif more:
        looked = from_here.at
    columns = _columns(model)
    return Register(
        [str(model._meta.get_field(name).verbose_name) for name in columns],
        _listed(seen, model, [row for _, row in found], columns, at=at),
        older=from_here if more or full else None,
        looked=looked,
    )


def _standing(
    seen: QuerySet[TrailRow], made: Iterable[TrailRow], *, at: datetime, words: list[str]
) -> list[tuple[Place, TrailRow]]:
    """Return the newest row up to the moment of each object that existed then, with the place where it was made."""
    places = {(row.model, row.object_id): Place(row.at, row.pk) for row in made}
    if not places:
        return []
    newest = (
        _versions(seen).filter(model=OuterRef("model"), object_id=OuterRef("object_id"), at__lte=at).order_by("-pk")
    )
    ids = seen.filter(pk__in=[place.id for place in places.values()]).order_by()
    rows = seen.filter(pk__in=list(ids.values_list(Subquery(newest.values("pk")[:1]), flat=True)))
    standing = {(row.model, row.object_id): row for row in rows if row.action != Action.DELETED}
    return [
        (place, row)
        for key, place in places.items()
        if (row := standing.get(key)) is not None and _is_called(row, words)
    ]


def _is_called(row: TrailRow, words: list[str]) -> bool:
    name = f"{row.reference} {row.name}".casefold()
    return all(word in name for word in words)


def _columns(model: Any) -> list[str]:
    """Return the fields that a register shows beside the name: the first few that are short and tell something."""
    fields = [
        field
        for field in AuditHistory.of[model].fields_included(model)
        if not field.primary_key
        and field.name not in {*_TOO_LONG, *getattr(model, "masked", ()), "reference", "name", "title", "slug"}
        and field.get_internal_type() not in {"TextField", "JSONField", "BinaryField"}
    ]
    fields.sort(key=lambda field: not (field.choices or field.is_relation))
    return [field.name for field in fields[:COLUMNS]]


def _listed(
    seen: QuerySet[TrailRow], model: Any, rows: list[TrailRow], columns: list[str], *, at: datetime
) -> list[Listed]:
    versions = {found.history_id: found for found in model.history.filter(history_id__in=[r.history_id for r in rows])}
    shown = [row for row in rows if row.history_id in versions]
    values = Values(model, seen=seen, at=at, only=columns).of([versions[row.history_id] for row in shown])
    return [
        Listed(
            row,
            label_of(row),
            row.name.removeprefix(row.reference).strip(),
            address(row.model, row.object_id, at),
            _in_order(held, columns),
        )
        for row, held in zip(shown, values, strict=True)
    ]


def _in_order(held: list[Held], columns: list[str]) -> list[Held]:
    return sorted(held, key=lambda one: columns.index(one.name))
