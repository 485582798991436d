"""What will go wrong with who is on call: holes ahead, people who left but have turns, and duty shared out unevenly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from portal.directory.models import Contact, LayerMember, Team
from portal.directory.oncall import engine, load, reading
from portal.directory.oncall.load import Burden
from portal.directory.oncall.reading import Line, Turn

HORIZON = timedelta(days=7)  # how far ahead somebody must be on call
LOOK = timedelta(days=56)  # how far ahead the load is counted: long enough for each of eight to have had a week
Gap = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the duty of one team ahead. The last gap may have no end in sight."""

    team: Team
    turns: list[Turn]
    gaps: list[Gap]
    burdens: list[tuple[Contact, Burden]]
    rotating: dict[int, Contact]


def ahead(teams: Iterable[Team], *, at: datetime) -> list[Findings]:
    """Return what is known of these teams from `at` on. At most seven queries."""
    rows = list(teams)
    lines = reading.lines([team.pk for team in rows], starts=at, until=at + LOOK)
    return [_of(team, lines[team.pk], at) for team in rows]


def _of(team: Team, line: Line, at: datetime) -> Findings:
    turns = line.turns()
    rotating = {pk for layers in line.plan.layers.values() for layer in layers for pk in layer.members}
    return Findings(
        team,
        turns,
        gaps(turns, at),
        _burdens(line),
        {pk: line.people[pk] for pk in rotating},
    )


def gaps(turns: list[Turn], at: datetime) -> list[Gap]:
    """Return the times of the next seven days in which nobody is on call; the last may go on for good."""
    bare = [engine.Segment(turn.starts, turn.until, turn.contact_id) for turn in turns]
    found = engine.gaps(bare, at, at + LOOK)
    return [(first, last if last < at + LOOK else None) for first, last in found if first < at + HORIZON]


def _burdens(line: Line) -> list[tuple[Contact, Burden]]:
    """Return who carries too much of a schedule; shifts by hand alone promise no fairness."""
    found = []
    for schedule, layers in line.plan.layers.items():
        people = {pk for layer in layers for pk in layer.members if pk not in line.left}
        burdens = load.unfair(load.carried(line.of_schedule(schedule)), people)
        found += [(line.people[burden.contact_id], burden) for burden in burdens]
    return found


def rotas_of_leavers(*, at: datetime) -> list[LayerMember]:
    """Return the places in rotations of people who have left. One query."""
    rows = LayerMember.objects.filter(
        Q(layer__until=None) | Q(layer__until__gt=at),
        contact__active=False,
        layer__schedule__retired_at=None,
        layer__schedule__team__active=True,
    )
    return list(rows.select_related("contact", "layer__schedule__team").order_by("layer_id", "position"))


def people_of(findings: Iterable[Findings]) -> Mapping[int, tuple[Contact, str]]:
    """Return everybody who is on call, or will be, with the team that they are named for."""
    found: dict[int, tuple[Contact, str]] = {}
    for one in findings:
        for turn in one.turns:
            found.setdefault(turn.contact_id, (turn.contact, f"on call for {one.team}"))
        for pk, contact in one.rotating.items():
            found.setdefault(pk, (contact, f"in the rotation of {one.team}"))
    return found
