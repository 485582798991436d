"""Schedules as the database holds them, made into who holds the duty, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q

from portal.directory import calendars
from portal.directory.models import Calendar, Contact, Layer, LayerMember, OnCallShift, Schedule
from portal.directory.oncall import engine, hours
from portal.directory.oncall.engine import Rotation, Segment
from portal.lib.businesstime import WorkCalendar
from portal.lib.zones import zone_or_utc

BEYOND = timedelta(days=28)
"""How far one looks past a time to find where the turns at its edges really begin and end."""

parse = lru_cache(maxsize=1024)(hours.parse)


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody on call for a team from `starts` until just before `until`, by a layer or by a shift by hand."""

    starts: datetime
    until: datetime
    contact: Contact
    source: tuple[str, int]

    @property
    def contact_id(self) -> int:
        """Return the key of the person."""
        return int(self.contact.pk)

    @property
    def pk(self) -> int:
        """Return the key of the layer or shift that says so."""
        return self.source[1]

    @property
    def is_by_hand(self) -> bool:
        """Tell whether it lies over the schedule."""
        return self.source[0] == "shift"


@dataclass(slots=True)
class Plan:
    """What makes up the duty of one team: its schedules with their layers, lowest first, and its shifts by hand."""

    schedules: list[int] = field(default_factory=list)
    layers: dict[int, list[Rotation]] = field(default_factory=lambda: defaultdict(list))
    shifts: dict[int | None, list[Segment]] = field(default_factory=lambda: defaultdict(list))

    def by_hand(self, schedule: int | None) -> list[Segment]:
        """Return the shifts over one schedule; those that name none lie over the first, or stand alone."""
        first = self.schedules[0] if self.schedules else None
        own = self.shifts.get(schedule, [])
        return [*self.shifts.get(None, []), *own] if schedule is not None and schedule == first else own

    def candidates(self, at: datetime) -> list[int]:
        """Return the people who hold the duty at that moment, whoever comes first if they are still there."""
        found = []
        schedules: list[int | None] = [*self.schedules] or [None]
        for schedule in schedules:
            running = [shift for shift in self.by_hand(schedule) if shift.starts <= at < shift.until]
            ranked = sorted(running, key=lambda one: (one.starts, one.source[1]), reverse=True)
            found += [shift.contact_id for shift in ranked]
            layers = self.layers[schedule] if schedule is not None else []
            found += [holder for layer in reversed(layers) if (holder := layer.holder(at)) is not None]
        return found

    def of_schedule(
        self, schedule: int | None, starts: datetime, until: datetime, left: Collection[int]
    ) -> list[Segment]:
        """Return who holds one schedule in that time, without those who have left."""
        rotations = self.layers[schedule] if schedule is not None else []
        layers = [_without(rotation.segments(starts, until), left) for rotation in rotations]
        shifts = sorted(_without(self.by_hand(schedule), left), key=lambda one: one.source[1])
        return engine.stack([*layers, engine.overrides(shifts, starts, until)])

    def segments(self, starts: datetime, until: datetime, left: Collection[int]) -> list[Segment]:
        """Return who is on call for the team in that time, without those who have left."""
        schedules: list[int | None] = [*reversed(self.schedules)] or [None]
        return engine.stack([self.of_schedule(one, starts, until, left) for one in schedules])

    def people(self) -> set[int]:
        """Return everybody whom it names."""
        rotating = {pk for layers in self.layers.values() for layer in layers for pk in layer.members}
        return rotating | {shift.contact_id for shifts in self.shifts.values() for shift in shifts}


def _without(segments: Iterable[Segment], left: Collection[int]) -> list[Segment]:
    return [segment for segment in segments if segment.contact_id not in left]


def plans(team_ids: Iterable[int], *, starts: datetime, until: datetime) -> dict[int, Plan]:
    """Return what makes up the duty of these teams in that time. At most six queries, two without schedules."""
    ids = list(team_ids)
    found = {pk: Plan() for pk in ids}
    shifts = OnCallShift.objects.filter(team_id__among=ids, starts__lt=until, until__gt=starts, withdrawn=False)
    for pk, team, schedule, contact, first, last in shifts.order_by("starts", "id").values_list(
        "pk", "team_id", "schedule_id", "contact_id", "starts", "until"
    ):
        found[team].shifts[schedule].append(Segment(first, last, contact, ("shift", pk)))
    teams = dict(Schedule.objects.filter(team_id__among=ids).order_by("pk").values_list("pk", "team_id"))
    for schedule, team in teams.items():
        found[team].schedules.append(schedule)
    if teams:
        for schedule, rotation in _rotations(list(teams), starts, until):
            found[teams[schedule]].layers[schedule].append(rotation)
    return found


def _rotations(schedules: list[int], starts: datetime, until: datetime) -> list[tuple[int, Rotation]]:
    rows = Layer.objects.filter(Q(until=None) | Q(until__gt=starts), schedule_id__among=schedules, starts__lt=until)
    members: dict[int, list[int]] = defaultdict(list)
    places = LayerMember.objects.filter(
        Q(layer__until=None) | Q(layer__until__gt=starts), layer__schedule_id__among=schedules, layer__starts__lt=until
    )
    for layer, contact in places.order_by("layer_id", "position").values_list("layer_id", "contact_id"):
        members[layer].append(contact)
    names = (
        "pk", "schedule_id", "time_zone", "every", "unit", "first_day", "handoff", "hours", "calendar_id", "starts",
        "until",
    )  # fmt: skip
    found = list(rows.order_by("schedule_id", "position", "pk").values_list(*names))
    working = _calendars({row[8] for row in found if row[8] is not None})
    return [(row[1], rotation_of(row, tuple(members[row[0]]), working)) for row in found]


def rotation_of(row: Any, members: tuple[int, ...], working: Mapping[int, Callable[..., Any]]) -> Rotation:
    """Return the columns of a layer as a rotation."""
    pk, _, zone, every, unit, first_day, handoff, words, calendar, starts, until = row
    return Rotation(
        pk=pk,
        members=members,
        zone=zone_or_utc(zone),
        first=datetime.combine(first_day, handoff),
        step=timedelta(**{unit: every}),
        starts=starts,
        until=until,
        windows=parse(words),
        working=working.get(calendar),
    )


def _calendars(ids: Collection[int]) -> dict[int, Callable[[date], tuple[time, time] | None]]:
    if not ids:
        return {}
    rows = Calendar.objects.filter(pk__in=ids).prefetch_related("own_days")
    return {row.pk: _working(calendars.build(row, row.own_days.all())) for row in rows}


def _working(calendar: WorkCalendar) -> Callable[[date], tuple[time, time] | None]:
    return lambda day: (calendar.opens, calendar.closes) if calendar.is_business_day(day) else None


def _people(ids: Collection[int]) -> dict[int, Contact]:
    return {person.pk: person for person in Contact.objects.filter(pk__among=list(ids)).order_by()} if ids else {}


def holders(team_ids: Iterable[int], *, at: datetime, with_leavers: bool = False) -> dict[int, Contact]:
    """Return who is on call by team at that moment. Teams with nobody on call are missing from it.

    `with_leavers` is for the past: somebody who has left since was on call all the same.
    """
    candidates = {
        team: found
        for team, plan in plans(team_ids, starts=at, until=at + engine.ONE).items()
        if (found := plan.candidates(at))
    }
    chosen: dict[int, Contact] = {}
    while candidates:  # once, and once more for each person in a row who has left
        people = _people({names[0] for names in candidates.values()})
        here = {pk for pk, person in people.items() if person.active or with_leavers}
        chosen |= {team: people[names[0]] for team, names in candidates.items() if names[0] in here}
        candidates = {team: names[1:] for team, names in candidates.items() if team not in chosen and names[1:]}
    return chosen


@dataclass(frozen=True, slots=True)
class Line:
    """The duty of one team over some time: who holds it, and who holds each of its schedules."""

    plan: Plan
    people: Mapping[int, Contact]
    left: frozenset[int]
    starts: datetime
    until: datetime

    def turns(self) -> list[Turn]:
        """Return who is on call for the team, in order and without overlap."""
        return self._turns(self.plan.segments(self.starts, self.until, self.left))

    def of_schedule(self, schedule: int) -> list[Turn]:
        """Return who holds one schedule of the team."""
        return self._turns(self.plan.of_schedule(schedule, self.starts, self.until, self.left))

    def of_layer(self, schedule: int, layer: int) -> list[Turn]:
        """Return who holds one layer of a schedule, leavers too: their turns are holes that should be seen."""
        rotations = (one for one in self.plan.layers[schedule] if one.pk == layer)
        return self._turns(segment for one in rotations for segment in one.segments(self.starts, self.until))

    def _turns(self, segments: Iterable[Segment]) -> list[Turn]:
        return [Turn(one.starts, one.until, self.people[one.contact_id], one.source) for one in segments]


def joined(turns: Iterable[Turn]) -> list[Turn]:
    """Return the turns with those of one person that follow one another made one; by hand or not stays apart."""
    found: list[Turn] = []
    for turn in turns:
        last = found[-1] if found else None
        if last and (last.until, last.contact, last.is_by_hand) == (turn.starts, turn.contact, turn.is_by_hand):
            found[-1] = replace(last, until=turn.until)
        else:
            found.append(turn)
    return found


@dataclass(frozen=True, slots=True)
class Whole:
    """A turn with its own edges; `begins` or `ends` is nothing where it lies beyond all that was looked at."""

    turn: Turn
    begins: datetime | None
    ends: datetime | None


def whole(line: Line, turns: Iterable[Turn], *, starts: datetime, until: datetime) -> list[Whole]:
    """Return the turns that touch a time, out of a line that looks further than it on both sides."""
    return [
        Whole(
            turn,
            turn.starts if turn.starts > line.starts else None,
            turn.until if turn.until < line.until else None,
        )
        for turn in joined(turns)
        if turn.starts < until and turn.until > starts
    ]


def lines(team_ids: Iterable[int], *, starts: datetime, until: datetime, with_leavers: bool = False) -> dict[int, Line]:
    """Return the duty of these teams over that time. At most seven queries."""
    found = plans(team_ids, starts=starts, until=until)
    people = _people({pk for plan in found.values() for pk in plan.people()})
    left = frozenset() if with_leavers else frozenset(pk for pk, person in people.items() if not person.active)
    return {team: Line(plan, people, left, starts, until) for team, plan in found.items()}
