"""The chips above the incident list: each is a link that narrows it, or widens it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet

from incidents.enums import OPEN, IncidentType, Status
from incidents.models import Incident
from incidents.selectors.filters import Filters
from incidents.selectors.listing import involving
from portal.directory.models import Contact, Severity, System
from portal.lib.paging import COUNT_CAP

SHOWN_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter. `count` is nothing where counting would cost too much.

    Of choices that are `lasting` one always holds, so that the current one cannot be taken away.
    """

    label: str
    url: str
    current: bool
    count: int | None = None
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with its choices; those that do not fit are behind "more"."""

    label: str
    chips: list[Chip]
    more: list[Chip] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the three views."""

    label: str
    url: str
    current: bool
    count: str
    tone: str = ""


def tabs_of(user: Any, filters: Filters, *, contact_id: int | None) -> list[Tab]:
    """Return the views with how many incidents each has, counted no further than a thousand."""
    seen = Incident.objects.visible_to(user).order_by()
    burning = _capped(seen.filter(status__in=OPEN))
    hurts = seen.real().filter(status__in=OPEN).exists()
    mine = _capped(seen.filter(involving(contact_id)))
    everything = _capped(seen)
    return [
        Tab("Open", Filters().address(), filters.view == "open", burning, "red" if hurts else ""),
        Tab("Mine", Filters(view="mine").address(), filters.view == "mine", mine),
        Tab("All", Filters(view="all").address(), filters.view == "all", everything),
    ]


def _capped(rows: QuerySet[Incident]) -> str:
    count = rows.values("pk")[: COUNT_CAP + 1].count()
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else str(count)


def facets_of(user: Any, filters: Filters) -> list[Facet]:
    """Return the filters with their choices. Only open incidents are counted: there are few of them."""
    seen = Incident.objects.visible_to(user).order_by().filter(status__in=OPEN)
    groups = seen.values("severity_id", "status", "type").annotate(number=Count("pk"))
    counted = [(row["severity_id"], row["status"], row["type"], row["number"]) for row in groups]
    counting = filters.view == "open"
    return [
        _severities(user, filters, _sum(counted, 0) if counting else None),
        _states(filters, _sum(counted, 1) if counting else None),
        _types(filters, _sum(counted, 2) if counting else None),
        _systems(user, filters),
        _commanders(user, filters),
        Facet("Kind", [_chip(filters, "kind", "real", "Real incidents"), _chip(filters, "kind", "drill", "Drills")]),
    ]


def _sum(counted: list[tuple[Any, ...]], place: int) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in counted:
        found[row[place]] += row[3]
    return found


def _chip(filters: Filters, name: str, value: Any, label: str, count: int | None = None) -> Chip:
    current = getattr(filters, name) == value
    return Chip(
        label,
        filters.address(**{name: Filters.__dataclass_fields__[name].default if current else value}),
        current,
        count,
    )


def _severities(user: Any, filters: Filters, counts: Counter[Any] | None) -> Facet:
    chips = [
        _chip(filters, "severity", row.level, row.code, None if counts is None else counts[row.pk])
        for row in Severity.objects.visible_to(user).order_by("level")
    ]
    return Facet("Severity", chips)


def _states(filters: Filters, counts: Counter[Any] | None) -> Facet:
    shown = OPEN if filters.view == "open" else tuple(Status)
    chips = [
        _chip(filters, "status", state.value, state.label, None if counts is None else counts[state.value])
        for state in shown
    ]
    return Facet("State", chips)


def _types(filters: Filters, counts: Counter[Any] | None) -> Facet:
    chips = [
        _chip(filters, "type", kind.value, kind.label, None if counts is None else counts[kind.value])
        for kind in IncidentType
    ]
    return Facet("Type", chips)


def _systems(user: Any, filters: Filters) -> Facet:
    rows = list(System.objects.visible_to(user).filter(active=True).order_by("name").values_list("slug", "name"))
    rows.sort(key=lambda row: row[0] != filters.system)
    chips = [_chip(filters, "system", slug, name) for slug, name in rows]
    return Facet("System", chips[:SHOWN_AT_ONCE], chips[SHOWN_AT_ONCE:])


def _commanders(user: Any, filters: Filters) -> Facet:
    burning = Incident.objects.visible_to(user).order_by().filter(status__in=OPEN, commander__isnull=False)
    wanted = set(burning.values_list("commander_id", flat=True)[:COUNT_CAP]) | {filters.commander or 0}
    rows = Contact.objects.visible_to(user).filter(pk__in=wanted).order_by("name").values_list("pk", "name")
    chips = [_chip(filters, "commander", pk, name) for pk, name in rows]
    return Facet("Commander", chips[:SHOWN_AT_ONCE], chips[SHOWN_AT_ONCE:])
