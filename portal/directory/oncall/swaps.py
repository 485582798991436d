"""The verbs of standing in for one another: take over at once, or ask and be answered.

The schedule is locked first, so that of two answers the second finds what the first has done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.db import transaction

from portal.audit.actor import By, acting, actor_of
from portal.directory.enums import SwapState
from portal.directory.models import Contact, OnCallShift, Schedule, Swap
from portal.directory.oncall import reading, schedules
from portal.directory.oncall.reading import Turn

LONGEST = timedelta(days=62)
Span = tuple[datetime, datetime]


def held_by(schedule: Schedule, contact: Contact, span: Span) -> list[Turn]:
    """Return what the person holds of the schedule in that time, turn by turn."""
    line = reading.lines([schedule.team_id], starts=span[0], until=span[1])[schedule.team_id]
    return [turn for turn in line.of_schedule(schedule.pk) if turn.contact_id == contact.pk]


@transaction.atomic
def take_over(
    schedule: Schedule, taker: Contact, *, starts: datetime, until: datetime, by: By, at: datetime, reason: str
) -> list[OnCallShift]:
    """Let the person hold the schedule in that time in place of whoever holds it, also where nobody does.

    ValidationError is raised when they hold all of it already, when it lies in the past, and for a retired schedule.
    """
    schedule = schedules.lock(schedule)
    if schedule.retired_at is not None:
        raise ValidationError(f"{schedule.title} is retired: nobody is paged by it. Choose another schedule.")
    span = _span(starts, until, at)
    line = reading.lines([schedule.team_id], starts=span[0], until=span[1])[schedule.team_id]
    turns = line.of_schedule(schedule.pk)
    cuts = sorted({*span, *(turn.starts for turn in turns), *(turn.until for turn in turns)})
    own = {turn.starts for turn in turns if turn.contact_id == taker.pk}
    pieces = [(first, last) for first, last in pairwise(cuts) if first not in own]
    if not pieces:
        raise ValidationError(f"{taker} is on call in this time already. Choose another time.")
    with acting(by=by, at=at, reason=reason):
        return _shifts(schedule, taker, pieces, None)


@transaction.atomic
def ask(
    schedule: Schedule,
    asker: Contact,
    taker: Contact,
    *,
    span: Span,
    back: Span | None = None,
    by: By,
    at: datetime,
    reason: str,
) -> Swap:
    """Ask another person to take over what the asker holds in that time; with `back`, to be given what they hold then.

    ValidationError is raised with a sentence when there is nothing to give or to return, for a swap with oneself, and
    for somebody who has left.
    """
    schedule = schedules.lock(schedule)
    if asker.pk == taker.pk:
        raise ValidationError({"taker": "A swap needs two people. Choose somebody else."})
    if not taker.active:
        raise ValidationError({"taker": f"{taker} has left. Choose somebody who is still there."})
    span = _span(*span, at)
    back = _span(*back, at) if back is not None else None
    _pieces(schedule, asker, taker, span, back)
    waiting = schedule.swaps.filter(asker=asker, state=SwapState.ASKED, starts__lt=span[1], until__gt=span[0])
    if any(swap.is_open(at) for swap in waiting):
        raise ValidationError("You have asked for a swap in this time already. Withdraw that request first.")
    swap = Swap(
        schedule=schedule,
        asker=asker,
        taker=taker,
        starts=span[0],
        until=span[1],
        back_starts=back[0] if back else None,
        back_until=back[1] if back else None,
        why=reason,
        asked_at=at,
        asked_by=actor_of(by).name,
    )
    swap.full_clean()
    with acting(by=by, at=at, reason=reason):
        swap.save()
    return swap


@transaction.atomic
def accept(swap: Swap, *, by: By, at: datetime) -> Swap:
    """Take over, everywhere the schedule is read. ValidationError is raised when that can no longer be done."""
    swap = _open(swap, at)
    # What has passed of it meanwhile stays with whoever was on call.
    back = (max(swap.back_starts, at), swap.back_until) if swap.back_starts and swap.back_until else None
    given, returned = _pieces(swap.schedule, swap.asker, swap.taker, (max(swap.starts, at), swap.until), back)
    if not swap.taker.active or not swap.asker.active:
        raise ValidationError("One of the two has left. Withdraw the request and put somebody on call.")
    swap = _settle(swap, SwapState.ACCEPTED, by, at)
    with acting(by=by, at=at, reason=f"Swap accepted by {swap.answered_by}: {swap.why}"[:200]):
        _shifts(swap.schedule, swap.taker, given, swap)
        _shifts(swap.schedule, swap.asker, returned, swap)
    return swap


@transaction.atomic
def decline(swap: Swap, *, by: By, at: datetime) -> Swap:
    """Say no. Everything stays as it was. ValidationError is raised when it was answered already."""
    return _settle(_open(swap, at), SwapState.DECLINED, by, at)


@transaction.atomic
def withdraw(swap: Swap, *, by: By, at: datetime) -> Swap:
    """Take the request back before it is answered. ValidationError is raised when it was answered already."""
    return _settle(_open(swap, at), SwapState.WITHDRAWN, by, at)


def _open(swap: Swap, at: datetime) -> Swap:
    """Return the swap under the lock of its schedule. ValidationError is raised unless it waits for an answer."""
    schedules.lock(swap.schedule)
    swap = Swap.objects.select_related("schedule__team", "asker", "taker").get(pk=swap.pk)
    if swap.state != SwapState.ASKED:
        answered = f"by {swap.answered_by}"
        raise ValidationError(f"This request was {swap.get_state_display().lower()} already, {answered}.")
    if not swap.is_open(at):
        raise ValidationError("The time of this swap is over, so that it lapsed. Nothing was changed.")
    return swap


def _settle(swap: Swap, state: SwapState, by: By, at: datetime) -> Swap:
    swap.state, swap.answered_at, swap.answered_by = state, at, actor_of(by).name
    with acting(by=by, at=at):
        swap.save()
    return swap


def _span(starts: datetime, until: datetime, at: datetime) -> Span:
    if until < at:
        raise ValidationError({"until": "That time has passed. Choose a later one."})
    if until <= starts:
        raise ValidationError({"until": "It must end after it starts. Choose a later moment."})
    if starts < at:
        raise ValidationError({"starts": "That moment has passed. Choose a later one."})
    if until - starts > LONGEST:
        raise ValidationError({"until": f"A swap covers at most {LONGEST.days} days. Choose an earlier end."})
    return starts, until


def _pieces(
    schedule: Schedule, asker: Contact, taker: Contact, span: Span, back: Span | None
) -> tuple[list[Span], list[Span]]:
    """Return what is given and what is returned. ValidationError is raised when either is nothing, or both overlap."""
    given = [(turn.starts, turn.until) for turn in held_by(schedule, asker, span)]
    if not given:
        raise ValidationError(
            {"starts": f"{asker} holds nothing of {schedule.title} in this time. Choose one of their turns."}
        )
    if back is None:
        return given, []
    if back[0] < span[1] and span[0] < back[1]:
        raise ValidationError({"back_starts": "What is given and what is returned overlap. Choose another time."})
    returned = [(turn.starts, turn.until) for turn in held_by(schedule, taker, back)] if back[0] < back[1] else []
    if not returned:
        raise ValidationError({"back_starts": f"{taker} holds nothing of {schedule.title} then. Choose another."})
    return given, returned


def _shifts(schedule: Schedule, contact: Contact, pieces: list[Span], swap: Swap | None) -> list[OnCallShift]:
    """Write one shift for each piece: none starts before what it lies over, so that the newer one counts."""
    made = []
    for starts, until in pieces:
        shift = OnCallShift(
            team=schedule.team, contact=contact, starts=starts, until=until, schedule=schedule, swap=swap
        )
        shift.full_clean()
        shift.save()
        made.append(shift)
    return made
