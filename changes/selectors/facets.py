"""The tabs and chips above the list of changes: each is a link that narrows it, or widens it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from changes.enums import ChangeType, Level, Outcome, Status
from changes.models import Change
from changes.selectors.filters import ENDED, Filters
from changes.selectors.listing import OPEN, of_view
from portal.directory.models import System
from portal.lib.counting import counts_of
from portal.lib.paging import COUNT_CAP

SHOWN_AT_ONCE = 6
TABS = {
    "open": ("Open", ""),
    "mine": ("Mine", ""),
    "decide": ("Waiting for me", "amber"),
    "reviews": ("Reviews owed", "red"),
    "closed": ("Closed", ""),
    "all": ("All", ""),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter. `count` is nothing where counting would cost too much."""

    label: str
    url: str
    current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its choices; those that do not fit are behind "more"."""

    label: str
    chips: list[Chip]
    more: list[Chip] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the views."""

    label: str
    url: str
    current: bool
    count: str
    tone: str = ""


def tabs_of(user: Any, filters: Filters, *, at: datetime) -> list[Tab]:
    """Return the views with how many changes each has, counted no further than a thousand. One query."""
    seen = Change.objects.visible_to(user).order_by()
    counts = counts_of(**{view: of_view(seen, view, user=user, at=at)[: COUNT_CAP + 1] for view in TABS})
    return [
        Tab(label, Filters(view=view).address(), filters.view == view, _capped(counts[view]),
            tone if counts[view] else "")
        for view, (label, tone) in TABS.items()
    ]  # fmt: skip


def _capped(count: int) -> str:
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else str(count)


def facets_of(user: Any, filters: Filters) -> list[Facet]:
    """Return the filters with their choices. Only open changes are counted: there are few of them. Two queries."""
    seen = Change.objects.visible_to(user).order_by().filter(status__in=OPEN)
    groups = list(seen.values_list("type", "status", "risk_level").annotate(number=Count("pk")))
    counting = filters.view == "open"
    states = OPEN if counting else ENDED if filters.view == "closed" else tuple(Status)
    return [
        _of_choices("State", "status", states, filters, _sum(groups, 1) if counting else None),
        _of_choices("Type", "type", tuple(ChangeType), filters, _sum(groups, 0) if counting else None),
        _of_choices("Risk", "risk", tuple(Level), filters, _sum(groups, 2) if counting else None),
        *([] if counting else [_of_choices("Outcome", "outcome", tuple(Outcome), filters, None)]),
        _systems(user, filters),
        *_asked(filters),
    ]


def _sum(groups: list[tuple[Any, ...]], place: int) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in groups:
        found[row[place]] += row[3]
    return found


def _chip(filters: Filters, name: str, value: Any, label: str, count: int | None = None) -> Chip:
    current = getattr(filters, name) == value
    return Chip(label, filters.address(**{name: "" if current else value}), current, count)


def _of_choices(label: str, name: str, choices: Any, filters: Filters, counts: Counter[Any] | None) -> Facet:
    chips = [
        _chip(filters, name, one.value, one.label, None if counts is None else counts[one.value]) for one in choices
    ]
    return Facet(label, chips)


def _systems(user: Any, filters: Filters) -> Facet:
    rows = list(System.objects.visible_to(user).filter(active=True).order_by("name").values_list("slug", "name"))
    rows.sort(key=lambda row: row[0] != filters.system)
    chips = [_chip(filters, "system", slug, name) for slug, name in rows]
    return Facet("System", chips[:SHOWN_AT_ONCE], chips[SHOWN_AT_ONCE:])


def _asked(filters: Filters) -> list[Facet]:
    """Return what only the report leads to, so that it can be taken away again."""
    chips = []
    if filters.month:
        chips.append(_chip(filters, "month", filters.month, f"Closed in {filters.month}"))
    if filters.caused:
        chips.append(_chip(filters, "caused", "1", "Caused an incident"))
    return [Facet("Report", chips)] if chips else []
