"""Who holds the duty, worked out from the shifts of one team. Pure: no query, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar


class Shift(Protocol):
    """What is read of a shift. It counts from `starts`, and at `until` no longer."""

    @property
    def pk(self) -> int:
        """Its key."""

    @property
    def contact_id(self) -> int:
        """The key of the person."""

    @property
    def starts(self) -> datetime:
        """When it begins."""

    @property
    def until(self) -> datetime:
        """When it ends."""


ShiftT = TypeVar("ShiftT", bound=Shift)


def holder(shifts: Iterable[ShiftT], at: datetime) -> ShiftT | None:
    """Return the shift that counts at that moment: of those running, the one that started last."""
    running = (shift for shift in shifts if shift.starts <= at < shift.until)
    return max(running, key=lambda shift: (shift.starts, shift.pk), default=None)


def held_until(shifts: Sequence[ShiftT], at: datetime) -> datetime | None:
    """Return when the person on call at `at` hands over or stops; nothing when nobody is on call.

    Shifts of the same person that follow one another count as one.
    """
    present = holder(shifts, at)
    if present is None:
        return None
    turns = sorted({moment for shift in shifts for moment in (shift.starts, shift.until) if moment > at})
    for moment in turns:
        following = holder(shifts, moment)
        if following is None or following.contact_id != present.contact_id:
            return moment
    return present.until


def covered_until(shifts: Iterable[ShiftT], at: datetime) -> datetime:
    """Return the first moment from `at` on at which nobody at all is on call; `at` itself when nobody is now."""
    end = at
    for shift in sorted(shifts, key=lambda shift: shift.starts):
        if shift.starts <= end < shift.until:
            end = shift.until
    return end
