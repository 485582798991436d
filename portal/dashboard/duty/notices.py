"""Who is told what about a handoff or a swap, worked out from the schedules as they stand at the moment of the look.

Nothing is written down beforehand that a change of a rota would have to find again: the key of a message names the
team, the moment and the person, so that each is told once, by however many sweeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.directory.enums import SwapState
from portal.directory.models import Contact, Swap, Team
from portal.directory.oncall import reading
from portal.directory.oncall.reading import Turn

LEAD = timedelta(hours=24)  # how long before a turn begins its person is told
GRACE = timedelta(hours=2)  # for how long after a handoff it is still worth telling
SHORT = timedelta(hours=12)  # shorter turns are told as they begin only
AHEAD = timedelta(days=8)

SOON, BEGUN, OVER = "duty_soon", "duty_begun", "duty_over"
ASKED, ANSWERED = "duty_swap_asked", "duty_swap_answered"
DIGEST = "duty_digest"
KINDS = (SOON, BEGUN, OVER, ASKED, ANSWERED, DIGEST)


@dataclass(frozen=True)
class Notice:
    """One thing to tell one person. `key` is the same however often it is found."""

    kind: str
    key: str
    contact: Contact
    path: str
    values: dict[str, Any] = field(default_factory=dict)


def of_handoffs(teams: Iterable[Team], *, at: datetime) -> list[Notice]:
    """Return what is to be told about handoffs that were lately, or are within a day. At most seven queries."""
    rows = {team.pk: team for team in teams}
    lines = reading.lines(rows, starts=at - GRACE, until=at + AHEAD)
    return [notice for pk, line in lines.items() for notice in _of_team(rows[pk], held(line.turns()), at)]


@dataclass(frozen=True, slots=True)
class Spell:
    """Somebody on call for a team without a break, however many turns that is."""

    contact: Contact
    starts: datetime
    until: datetime


def held(turns: Iterable[Turn]) -> list[Spell]:
    """Return the turns with those of one person that follow one another made one."""
    found: list[Spell] = []
    for turn in turns:
        if found and found[-1].until == turn.starts and found[-1].contact == turn.contact:
            found[-1] = Spell(turn.contact, found[-1].starts, turn.until)
        else:
            found.append(Spell(turn.contact, turn.starts, turn.until))
    return found


def _of_team(team: Team, spells: list[Spell], at: datetime) -> Iterator[Notice]:
    known_from, known_until = at - GRACE, at + AHEAD
    for number, spell in enumerate(spells):
        before = spells[number - 1] if number else None
        before = before if before is not None and before.until == spell.starts else None
        after = spells[number + 1] if number + 1 < len(spells) else None
        after = after if after is not None and after.starts == spell.until else None
        until = spell.until if spell.until < known_until else None
        if known_from < spell.starts <= at:
            yield _notice(BEGUN, team, spell.starts, spell.contact, until=until, before=before)
        elif at < spell.starts <= at + LEAD and spell.until - spell.starts >= SHORT:
            yield _notice(SOON, team, spell.starts, spell.contact, until=until, before=before)
        if known_from < spell.until <= at:
            yield _notice(OVER, team, spell.until, spell.contact, after=after)


def _notice(kind: str, team: Team, moment: datetime, contact: Contact, **values: Any) -> Notice:
    key = f"{kind}:{team.pk}:{moment:%Y%m%dT%H%M%S}"
    return Notice(kind, key, contact, "/on-call/mine/", {"team": team, "moment": moment, **values})


def of_swaps(*, at: datetime) -> list[Notice]:
    """Return what is to be told about swaps of the last day: the question, and the answer. Two queries."""
    since = at - LEAD
    rows = Swap.objects.select_related("asker", "taker", "schedule__team").filter(until__gt=at)
    asked = rows.filter(state=SwapState.ASKED, asked_at__gt=since)
    answered = rows.exclude(state=SwapState.ASKED).filter(answered_at__gt=since)
    return [*(_swap(ASKED, swap, swap.taker) for swap in asked), *(_answer(swap) for swap in answered)]


def _answer(swap: Swap) -> Notice:
    """The asker waits for the answer of the taker; a request that was withdrawn concerns the taker."""
    return _swap(ANSWERED, swap, swap.taker if swap.state == SwapState.WITHDRAWN else swap.asker)


def _swap(kind: str, swap: Swap, contact: Contact) -> Notice:
    return Notice(kind, f"{kind}:{swap.pk}", contact, f"/on-call/swaps/{swap.pk}/", {"swap": swap})
