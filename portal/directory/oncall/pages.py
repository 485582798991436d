"""What the pages of on-call show, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Prefetch, Q

from portal.directory.enums import SwapState
from portal.directory.models import Contact, Layer, LayerMember, OnCallShift, Schedule, Swap, Team
from portal.directory.oncall import findings, picture, reading
from portal.directory.oncall.findings import Gap
from portal.directory.oncall.picture import Row, Week
from portal.directory.oncall.reading import BEYOND, Line, Turn, Whole
from portal.directory.pages import Duty, duty_of

WEEKS = 4
MINE_AHEAD = timedelta(days=56)
MOST_TURNS = 120


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One team on the page of all: who now, who next, the holes ahead, and two weeks as a picture."""

    team: Team
    duty: Duty
    gaps: list[Gap]
    schedules: list[Schedule]
    weeks: list[Week]


def team_lines(teams: Sequence[Team], user: Any, *, at: datetime, zone: tzinfo) -> list[TeamLine]:
    """Return the lines of these teams. At most nine queries."""
    ids = [team.pk for team in teams]
    lines = reading.lines(ids, starts=at - timedelta(days=1), until=at + findings.LOOK)
    standing = Schedule.objects.visible_to(user).filter(team_id__in=ids, retired_at=None).order_by("pk")
    schedules: dict[int, list[Schedule]] = {}
    for schedule in standing.select_related("team"):
        schedules.setdefault(schedule.team_id, []).append(schedule)
    return [_team_line(team, lines[team.pk], schedules.get(team.pk, []), at, zone) for team in teams]


def _team_line(team: Team, line: Line, schedules: list[Schedule], at: datetime, zone: tzinfo) -> TeamLine:
    turns = reading.joined(line.turns())
    coming = [turn for turn in turns if turn.until > at]
    row = Row(team.name, turns, _names(turns), shows_gaps=True)
    first = at.astimezone(zone).date()
    weeks = picture.weeks([row], first=first, count=2, zone=zone, now=at)
    return TeamLine(team, duty_of(coming, at), findings.gaps(coming, at), schedules, weeks)


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One layer as a card says it: its row, its people in turn, whether it is still to come."""

    layer: Layer
    people: list[Contact]
    coming: bool


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule's page: the picture of its weeks with the turns as a table, its layers, overrides and swaps."""

    weeks: list[Week]
    turns: list[Whole]
    layers: list[LayerLine]
    past_layers: list[LayerLine]
    shifts: list[OnCallShift]
    swaps: list[Swap]
    duty: Duty
    gaps: list[Gap] = field(default_factory=list)


def schedule_view(schedule: Schedule, user: Any, *, first: date, at: datetime, zone: tzinfo) -> ScheduleView:
    """Return what the page of a schedule shows from that day on. A fixed number of queries."""
    starts = picture.midnight(first, zone)
    until = picture.midnight(first + timedelta(days=WEEKS * picture.DAYS), zone)
    line = reading.lines([schedule.team_id], starts=starts, until=until, with_leavers=until <= at)[schedule.team_id]
    turns = reading.joined(line.of_schedule(schedule.pk))
    wide = reading.lines([schedule.team_id], starts=starts - BEYOND, until=until + BEYOND, with_leavers=until <= at)[
        schedule.team_id
    ]
    ahead = reading.lines([schedule.team_id], starts=at, until=at + findings.LOOK)[schedule.team_id].of_schedule(
        schedule.pk
    )
    layers = _layers(schedule, user)
    return ScheduleView(
        weeks=picture.weeks(_rows(line, schedule, turns, layers), first=first, count=WEEKS, zone=zone, now=at),
        turns=reading.whole(wide, wide.of_schedule(schedule.pk), starts=starts, until=until)[:MOST_TURNS],
        layers=[_layer_line(one, at) for one in layers if one.until is None or one.until > at],
        past_layers=[_layer_line(one, at) for one in layers if one.until is not None and one.until <= at],
        shifts=_shifts(schedule, user, at),
        swaps=_swaps(schedule, user, at),
        duty=duty_of(ahead, at),
        gaps=findings.gaps(ahead, at),
    )


def _rows(line: Line, schedule: Schedule, turns: list[Turn], layers: list[Layer]) -> list[Row]:
    rows = [Row("On call", turns, _names(turns), shows_gaps=True)]
    shown = [one for one in layers if one.pk in {rotation.pk for rotation in line.plan.layers[schedule.pk]}]
    if len(shown) > 1 or line.plan.by_hand(schedule.pk):
        for layer in reversed(shown):
            held = line.of_layer(schedule.pk, layer.pk)
            rows.append(Row(layer.name, held, _names(held)))
    return rows


def _names(turns: Iterable[Turn]) -> dict[int, str]:
    return {turn.contact_id: turn.contact.name for turn in turns}


def _layers(schedule: Schedule, user: Any) -> list[Layer]:
    members = LayerMember.objects.visible_to(user).select_related("contact").order_by("position")
    rows = Layer.objects.visible_to(user).filter(schedule=schedule).select_related("calendar", "schedule__team")
    return list(rows.prefetch_related(Prefetch("members", queryset=members)).order_by("position", "pk"))


def _layer_line(layer: Layer, at: datetime) -> LayerLine:
    return LayerLine(layer, [member.contact for member in layer.members.all()], layer.starts > at)


def _shifts(schedule: Schedule, user: Any, at: datetime) -> list[OnCallShift]:
    rows = OnCallShift.objects.visible_to(user).filter(
        Q(schedule=schedule) | Q(schedule=None), team_id=schedule.team_id, until__gt=at, withdrawn=False
    )
    return list(rows.select_related("contact", "team", "swap").order_by("starts", "pk")[:40])


def _swaps(schedule: Schedule, user: Any, at: datetime) -> list[Swap]:
    """Return the swaps that wait for an answer, and those answered lately."""
    rows = Swap.objects.visible_to(user).filter(schedule=schedule, until__gt=at - timedelta(days=28))
    return list(rows.select_related("asker", "taker", "schedule__team").order_by("-asked_at")[:20])


@dataclass(frozen=True, slots=True)
class MyTurn:
    """One of the reader's own turns, and the team that it is for."""

    team: Team
    whole: Whole
    schedule: Schedule | None


def my_turns(contact: Contact, teams: Sequence[Team], user: Any, *, at: datetime) -> list[MyTurn]:
    """Return the reader's own turns in these teams for the next eight weeks. A fixed number of queries."""
    by_pk = {team.pk: team for team in teams}
    schedules = Schedule.objects.visible_to(user).filter(team_id__in=list(by_pk), retired_at=None)
    known = {schedule.pk: schedule for schedule in schedules.select_related("team").order_by("pk")}
    found = []
    for pk, line in reading.lines(list(by_pk), starts=at - BEYOND, until=at + MINE_AHEAD + BEYOND).items():
        first = next((known[one] for one in line.plan.schedules if one in known), None)
        found += [
            MyTurn(by_pk[pk], one, first)
            for one in reading.whole(line, line.turns(), starts=at, until=at + MINE_AHEAD)
            if one.turn.contact_id == contact.pk
        ]
    return sorted(found, key=lambda one: (one.whole.turn.starts, one.team.name))


def my_swaps(contact: Contact, user: Any, *, at: datetime) -> list[Swap]:
    """Return the swaps that wait for this person's answer, or that they wait for."""
    rows = Swap.objects.visible_to(user).filter(
        Q(taker=contact) | Q(asker=contact), state=SwapState.ASKED, until__gt=at
    )
    return list(rows.select_related("asker", "taker", "schedule__team").order_by("starts"))


@dataclass(frozen=True, slots=True)
class HeldAt:
    """Who was, is or will be on call for a team at one moment."""

    team: Team
    contact: Contact | None


def at_moment(teams: Sequence[Team], *, moment: datetime, now: datetime) -> list[HeldAt]:
    """Return who holds the duty of each team at that moment; of the past also those who have left since."""
    found = reading.holders([team.pk for team in teams], at=moment, with_leavers=moment < now)
    return [HeldAt(team, found.get(team.pk)) for team in teams]
