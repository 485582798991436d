"""The chips above the trail: each is a link that narrows it, or widens it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from portal.accounts.models import User
from portal.assurance.selectors.trail_filters import ORIGINS, PERIODS, WHATS, Filters
from portal.assurance.selectors.trail_naming import field_label, kind_of, kinds_of, title_of
from portal.audit.enums import Action
from portal.audit.models import TrailRow

MOST_NAMED, MOST_PEOPLE, MOST_THINGS = 4, 8, 8
ACTIONS = (Action.CREATED, Action.CHANGED, Action.DELETED, Action.DECIDED)  # the others have a choice of "What"


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter. `count` is empty where counting would cost too much."""

    label: str
    url: str
    current: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its choices."""

    label: str
    chips: list[Chip]
    dates: bool = False


def facets_of(filters: Filters, counts: Mapping[str, str]) -> list[Facet]:
    """Return the filters with their choices. `counts` says how many rows a period holds, where that is known."""
    periods = [Chip("Any time", filters.address(period="", starts=None, ends=None), not _has_time(filters))]
    periods += [
        Chip(
            label,
            filters.address(period=key, starts=None, ends=None),
            filters.period == key,
            counts.get(key, ""),
        )
        for key, label in PERIODS.items()
    ]
    whats = [Chip("Everything", filters.address(what=""), not filters.what)]
    whats += [Chip(label, filters.address(what=key), filters.what == key) for key, label in WHATS.items()]
    named = [*ORIGINS, *([filters.origin] if filters.origin not in {"", *ORIGINS} else [])]
    origins = [Chip("Any", filters.address(origin=""), not filters.origin)]
    origins += [Chip(origin, filters.address(origin=origin), filters.origin == origin) for origin in named]
    actions = [Chip("Any", filters.address(action=""), not filters.action)]
    actions += [Chip(a.label, filters.address(action=a.value), filters.action == a.value) for a in ACTIONS]
    return [
        Facet("Period", periods, dates=True),
        Facet("What", whats),
        Facet("Action", actions),
        Facet("Origin", origins),
    ]


def things_of(filters: Filters, rows: Iterable[TrailRow]) -> Facet | None:
    """Return the kinds of what these rows tell of, or of one kind the objects; nothing once an object is chosen."""
    found: dict[str, Chip] = {}
    if filters.object:
        return None
    for row in rows:
        if len(found) == MOST_THINGS:
            break
        if filters.model and row.model == filters.model and row.object_id and row.object_id not in found:
            found[row.object_id] = Chip(title_of(row), filters.address(object=row.object_id), current=False)
        elif row.model and not filters.model and row.model not in found:
            kinds = kinds_of(row.model)
            label = f"{kinds[:1].upper()}{kinds[1:]}"
            found[row.model] = Chip(label, filters.address(model=row.model), current=False)
    return Facet("Object" if filters.model else "Kind", list(found.values())) if found else None


def people_of(filters: Filters, rows: Iterable[TrailRow], reader: Any) -> list[Chip]:
    """Return whose name the words are, then who acted in these rows, each to see only that; none once one is chosen.

    One query where there are words.
    """
    if filters.person is not None or filters.part:
        return []
    found: dict[int | str, Chip] = {
        user.pk: Chip(str(user), filters.address(person=user.pk, q=""), current=False)
        for user in _named(filters.words, reader)
    }
    for row in rows:
        whose = row.actor_id or row.actor_name
        if whose not in found and len(found) < MOST_PEOPLE:
            asked = {"person": row.actor_id} if row.actor_id is not None else {"part": row.actor_name}
            found[whose] = Chip(row.actor_name, filters.address(**asked), current=False)
    return list(found.values())


def _named(words: list[str], reader: Any) -> list[User]:
    """Return the accounts that the words name: each word begins a part of the name."""
    if not words:
        return []
    asked = Q()
    for word in words:
        asked &= Q(first_name__istartswith=word) | Q(last_name__istartswith=word) | Q(username__istartswith=word)
    return list(User.objects.visible_to(reader).filter(asked).order_by("last_name", "first_name", "pk")[:MOST_NAMED])


def _has_time(filters: Filters) -> bool:
    return bool(filters.period or filters.starts or filters.ends)


def chosen(filters: Filters, rows: list[TrailRow]) -> list[Chip]:
    """Return what else was chosen, each to be taken away again. Names come from the rows that were found."""
    found: list[Chip] = []

    def add(label: str, **without: object) -> None:
        found.append(Chip(label, filters.address(**without), current=True))

    if filters.person is not None:
        name = next((row.actor_name for row in rows if row.actor_id == filters.person), "")
        add(f"by {name}" if name else f"by account {filters.person}", person=None)
    if filters.part:
        add(f"by {filters.part}", part="")
    if filters.object:
        title = next((title_of(row) for row in rows if _is_asked_for(row, filters)), "")
        add(title or f"{kind_of(filters.model)} {filters.object}", model="", object="")
    elif filters.model:
        add(kinds_of(filters.model), model="")
    if filters.field:
        add(f"field {field_label(filters.model, filters.field)}", field="")
    if filters.action and filters.action not in ACTIONS:
        add(Action(filters.action).label, action="")
    if filters.q:
        add(f"“{filters.q}”", q="")
    return found


def _is_asked_for(row: TrailRow, filters: Filters) -> bool:
    return row.model == filters.model and row.object_id == filters.object


def in_short(filters: Filters) -> str:
    """Return the filters in one line, for the button that opens them on a phone."""
    period = PERIODS.get(filters.period, "Chosen dates" if _has_time(filters) else "Any time")
    what = WHATS.get(filters.what, "Everything").lower()
    return f"{period}, {what}, {filters.origin or 'any origin'}"
