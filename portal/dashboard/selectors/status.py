"""The status page: how each system stands now, what is being done, and how the last fourteen days were.

A system's state follows from its open incidents and from maintenance that runs; both only as far as the reader may see
them, so that nothing tells of a restricted incident, not even a colour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone

from incidents.enums import OPEN, Audience, Status
from incidents.models import Incident
from incidents.selectors.listing import length_of
from portal.directory.models import System
from portal.lib.visibility import VisibleQuerySet, in_scope, unhidden
from portal.records.models import Note, Period

DAYS = 14
RECENT = timedelta(days=7)
MOST_RECENT = 8
MAINTENANCE = "maintenance"
INCIDENT = "incident"
OUTAGE_LEVEL = 1
READ = "incidents.read_status"
Rows = TypeVar("Rows", bound=VisibleQuerySet)


@dataclass(frozen=True, slots=True)
class State:
    """How a system stands: the word, tone and icon of its pill, and its place from the worst on."""

    word: str
    tone: str
    icon: str
    place: int


OUTAGE = State("Outage", "red", "octagon-alert", 0)
DEGRADED = State("Degraded", "orange", "triangle-alert", 1)
RECOVERING = State("Recovering", "blue", "heart-pulse", 2)
UNDER_MAINTENANCE = State("Maintenance", "violet", "wrench", 3)
OPERATIONAL = State("Operational", "green", "circle-check", 4)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a system: the worst that happened to it, as a word and a mark of the strip."""

    day: date
    mark: str
    word: str
    x: int


@dataclass(frozen=True, slots=True)
class SystemNow:
    """One system with its state, the open incidents behind it, and its last fourteen days."""

    system: System
    state: State
    incidents: list[Incident]
    days: list[Day]
    summary: str


@dataclass(frozen=True, slots=True)
class Group:
    """A system with its parts under its name; systems that stand alone have no name over them."""

    name: str
    systems: list[SystemNow]


@dataclass(frozen=True, slots=True)
class Told:
    """An open incident with what stakeholders or customers were told last, and by whom."""

    incident: Incident
    systems: str
    note: Note | None


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident that was resolved lately, and how long it lasted."""

    incident: Incident
    systems: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole page for one reader. `state` is the worst of all systems."""

    state: State
    headline: str
    groups: list[Group]
    told: list[Told]
    ended: list[Ended]
    first_day: date


def may_read(user: Any) -> bool:
    """Tell whether somebody may open the page: with its own permission, or because they see systems anyway."""
    return bool(user.has_perm(READ) or user.has_perm("directory.view_system"))


def reads_only_status(user: Any) -> bool:
    """Tell whether the page is what the portal has for somebody: they may open no incident."""
    return bool(user.has_perm(READ) and not user.has_perm("incidents.view_incident"))


def _shown(rows: Rows, user: Any) -> Rows:
    """Return the rows that the page may speak of. Whoever has its permission needs none on the rows themselves.

    What is restricted is kept from them as from everybody.
    """
    if user.is_active and user.has_perm(READ):
        return unhidden(in_scope(rows, user), user)
    return rows.visible_to(user)


def status_of(user: Any, *, at: datetime) -> StatusPage:
    """Return the status page of one reader. Ten queries, however much there is."""
    systems = list(_shown(System.objects.all(), user).filter(active=True).order_by("name").select_related("parent"))
    seen = _shown(Incident.objects.all(), user).real().select_related("severity").prefetch_related("systems")
    burning = list(seen.filter(status__in=OPEN).order_by("severity__level", "declared_at", "pk"))
    periods = _periods(user, [system.pk for system in systems], at=at)
    by_system: dict[int, list[Incident]] = defaultdict(list)
    for incident in burning:
        for system in incident.systems.all():
            by_system[system.pk].append(incident)
    now = {
        system.pk: _system_now(system, by_system[system.pk], periods.get(system.pk, []), at=at) for system in systems
    }
    ended = seen.filter(resolved_at__gte=at - RECENT, status__in=[Status.RESOLVED, Status.CLOSED])
    state = min((one.state for one in now.values()), key=lambda found: found.place, default=OPERATIONAL)
    return StatusPage(
        state=state,
        headline=_headline(now.values()),
        groups=_groups(systems, now),
        told=_told(burning),
        ended=[Ended(one, _names(one), length_of(one, at=at)) for one in ended.order_by("-resolved_at")[:MOST_RECENT]],
        first_day=timezone.localtime(at).date() - timedelta(days=DAYS - 1),
    )


def _periods(user: Any, system_ids: Collection[int], *, at: datetime) -> dict[int, list[Period]]:
    """Return what went on with each system lately: of incidents that the reader may see, and maintenance."""
    kind = ContentType.objects.get_for_model(Incident)
    seen = _shown(Incident.objects.all(), user).real().exclude(status=Status.CANCELLED).order_by().values("pk")
    of_incidents = Q(kind=INCIDENT, record_type=kind, record_id__in=seen)
    rows = Period.objects.filter(of_incidents | Q(kind=MAINTENANCE), system_id__in=system_ids, starts__lte=at)
    found: dict[int, list[Period]] = defaultdict(list)
    for row in in_scope(rows.filter(Q(ends=None) | Q(ends__gte=at - timedelta(days=DAYS))), user):
        found[row.system_id].append(row)
    return found


def _system_now(system: System, incidents: list[Incident], periods: list[Period], *, at: datetime) -> SystemNow:
    suffering = [one.severity.level for one in incidents if one.status != Status.MITIGATED]
    if suffering:
        state = OUTAGE if min(suffering) <= OUTAGE_LEVEL else DEGRADED
    elif incidents:
        state = RECOVERING
    elif any(one.kind == MAINTENANCE and (one.ends is None or one.ends > at) for one in periods):
        state = UNDER_MAINTENANCE
    else:
        state = OPERATIONAL
    days = days_of(periods, at=at)
    return SystemNow(system, state, incidents, days, summary_of(days))


def days_of(periods: Iterable[Period], *, at: datetime) -> list[Day]:
    """Return the last fourteen days of a system in the reader's zone, today last."""
    rows, today = list(periods), timezone.localtime(at).date()
    found = []
    for place in range(DAYS):
        day = today - timedelta(days=DAYS - 1 - place)
        touching = [
            one
            for one in rows
            if timezone.localtime(one.starts).date() <= day
            and (one.ends is None or timezone.localtime(one.ends).date() >= day)
        ]
        weights = [one.weight for one in touching if one.kind == INCIDENT]
        if weights:
            mark, word = ("outage", "outage") if min(weights) <= OUTAGE_LEVEL else ("degraded", "degraded")
        else:
            mark, word = ("maintenance", "maintenance") if touching else ("fine", "no incident")
        found.append(Day(day, mark, word, place * 10))
    return found


def summary_of(days: Iterable[Day]) -> str:
    """Return the fourteen days in a sentence, for those who do not see the drawing."""
    rows = list(days)
    bad = [f"{one.word} on {one.day:%a} {one.day.day} {one.day:%b}" for one in rows if one.mark != "fine"]
    quiet = sum(1 for one in rows if one.mark == "fine")
    return (
        f"Last {len(rows)} days: {', '.join(bad)}; {quiet} without an incident."
        if bad
        else (f"Last {len(rows)} days: no incident.")
    )


def _groups(systems: list[System], now: dict[int, SystemNow]) -> list[Group]:
    """Group each system with its parts. A part whose whole the reader does not see stands alone."""
    parts: dict[int, list[SystemNow]] = defaultdict(list)
    for system in systems:
        if system.parent_id in now:
            parts[system.parent_id].append(now[system.pk])
    alone = [now[one.pk] for one in systems if one.parent_id not in now and one.pk not in parts]
    wholes = [one for one in systems if one.pk in parts]
    groups = [Group(one.name, [now[one.pk], *parts[one.pk]]) for one in wholes if one.parent_id not in now]
    groups += [Group(one.name, parts[one.pk]) for one in wholes if one.parent_id in now]
    return ([Group("", alone)] if alone else []) + groups


def _headline(systems: Iterable[SystemNow]) -> str:
    rows = list(systems)
    bad = [one for one in rows if one.state.place <= DEGRADED.place]
    if bad:
        return f"{len(bad)} of {len(rows)} systems {'suffers' if len(bad) == 1 else 'suffer'}"
    if any(one.state is RECOVERING for one in rows):
        return "Nothing suffers now; some systems recover"
    return "All systems are operational"


def _told(burning: list[Incident]) -> list[Told]:
    """Return the open incidents with the last words to stakeholders or customers. One query."""
    kind = ContentType.objects.get_for_model(Incident)
    rows = Note.objects.filter(
        subject_type=kind, subject_id__in=[one.pk for one in burning], kind="update",
        audience__in=[Audience.STAKEHOLDERS, Audience.CUSTOMERS],
    )  # fmt: skip
    last = {row.subject_id: row for row in rows.order_by("event_at", "id")}
    return [Told(one, _names(one), last.get(one.pk)) for one in burning]


def _names(incident: Incident) -> str:
    return ", ".join(system.name for system in incident.systems.all()) or "No system named"
