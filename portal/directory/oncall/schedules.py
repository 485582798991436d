"""The verbs of schedules. A layer is never changed: it ends, and another begins, so that the past stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.core.exceptions import ValidationError
from django.db import transaction

from portal.audit.actor import By, acting, actor_of
from portal.directory.enums import TurnUnit
from portal.directory.models import Calendar, Contact, Layer, LayerMember, Schedule, Team

MOST_MEMBERS = 100
MOST_LAYERS = 12


@dataclass(frozen=True, slots=True)
class Rota:
    """What a layer says: who takes turns, how long a turn is, from which day and hour, and in which hours it counts."""

    name: str
    members: Sequence[Contact]
    first_day: date
    handoff: time = time(9)
    every: int = 1
    unit: str = TurnUnit.WEEKS
    position: int = 1
    time_zone: str = ""
    hours: str = ""
    calendar: Calendar | None = None


@transaction.atomic
def add_schedule(team: Team, *, name: str, time_zone: str, by: By, at: datetime, reason: str) -> Schedule:
    """Give the team a schedule, still without layers. ValidationError names the field that is wrong."""
    if not team.active:
        raise ValidationError(f"{team} is no longer active. Choose the team that took over.")
    schedule = Schedule(team=team, name=" ".join(name.split()), time_zone=time_zone)
    schedule.full_clean()
    with acting(by=by, at=at, reason=reason):
        schedule.save()
    return schedule


@transaction.atomic
def add_layer(schedule: Schedule, rota: Rota, *, starts: datetime, by: By, at: datetime, reason: str) -> Layer:
    """Add a layer that counts from `starts` on. ValidationError names the field that is wrong."""
    schedule = lock(schedule)
    if schedule.retired_at is not None:
        raise ValidationError(f"{schedule.title} is retired. Make a new schedule.")
    standing = schedule.layers.filter(until=None).count()
    if standing >= MOST_LAYERS:
        raise ValidationError(f"A schedule has at most {MOST_LAYERS} layers. End one first.")
    with acting(by=by, at=at, reason=reason):
        return _write(schedule, rota, starts, at)


@transaction.atomic
def change_layer(layer: Layer, rota: Rota, *, starts: datetime, by: By, at: datetime, reason: str) -> Layer:
    """Let the layer stand otherwise from `starts` on, and return what it is from then. What was before stays.

    ValidationError is raised when that moment has passed, or when the layer has been changed or ended meanwhile.
    """
    schedule = lock(layer.schedule)
    with acting(by=by, at=at, reason=reason):
        _end(layer, starts, at)
        return _write(schedule, rota, starts, at)


@transaction.atomic
def end_layer(layer: Layer, *, until: datetime, by: By, at: datetime, reason: str) -> Layer:
    """Let the layer count no longer from `until` on. ValidationError is raised when that moment has passed."""
    lock(layer.schedule)
    with acting(by=by, at=at, reason=reason):
        return _end(layer, until, at)


@transaction.atomic
def retire(schedule: Schedule, *, by: By, at: datetime, reason: str) -> Schedule:
    """End the schedule with all of its layers and what is still to come of its shifts. What was stays to be read."""
    schedule = lock(schedule)
    if schedule.retired_at is not None:
        raise ValidationError(f"{schedule.title} was retired already, by {schedule.retired_by}.")
    schedule.retired_at, schedule.retired_by = at, actor_of(by).name
    with acting(by=by, at=at, reason=reason):
        for layer in schedule.layers.all():
            if layer.until is None or layer.until > at:
                _end(layer, at, at)
        for shift in schedule.shifts.filter(until__gt=at, withdrawn=False).select_for_update(of=("self",)):
            shift.withdrawn, shift.until = shift.starts >= at, shift.until if shift.starts >= at else at
            shift.save()
        schedule.save()
    return schedule


def lock(schedule: Schedule) -> Schedule:
    """Let one change of a schedule wait for the other, and return the schedule as it stands now."""
    return Schedule.objects.select_for_update(of=("self",)).select_related("team").get(pk=schedule.pk)


def _end(layer: Layer, until: datetime, at: datetime) -> Layer:
    layer = Layer.objects.get(pk=layer.pk)
    if until < at:
        raise ValidationError({"starts": "That moment has passed, and the past is not changed. Choose a later one."})
    if layer.until is not None and layer.until <= until:
        raise ValidationError(f"“{layer.name}” has been changed or ended meanwhile. Look at the schedule again.")
    layer.until = max(until, layer.starts)
    layer.save()
    return layer


def _write(schedule: Schedule, rota: Rota, starts: datetime, at: datetime) -> Layer:
    if starts < at:
        raise ValidationError({"starts": "That moment has passed, and the past is not changed. Choose a later one."})
    _check_members(rota.members)
    layer = Layer(
        schedule=schedule,
        name=" ".join(rota.name.split()),
        position=rota.position,
        time_zone=rota.time_zone or schedule.time_zone,
        every=rota.every,
        unit=rota.unit,
        first_day=rota.first_day,
        handoff=rota.handoff,
        hours=rota.hours,
        calendar=rota.calendar,
        starts=starts,
    )
    layer.full_clean()
    layer.save()
    for position, contact in enumerate(rota.members, start=1):
        LayerMember(layer=layer, contact=contact, position=position).save()
    return layer


def _check_members(members: Sequence[Contact]) -> None:
    if not members:
        raise ValidationError({"members": "Name at least one person who takes turns."})
    if len(members) > MOST_MEMBERS:
        raise ValidationError({"members": f"At most {MOST_MEMBERS} people take turns in one layer. Make a second one."})
    gone = next((one for one in members if not one.active), None)
    if gone is not None:
        raise ValidationError({"members": f"{gone} has left. Choose somebody who is still there."})
