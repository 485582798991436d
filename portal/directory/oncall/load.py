"""How the duty is shared out, and who carries too much of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

TOO_MUCH = 1.5  # of what each would carry were it shared out evenly
LEAST = timedelta(days=7)  # less than a week is nobody's burden


class Held(Protocol):
    """What is read of a turn."""

    @property
    def contact_id(self) -> int:
        """The key of the person."""

    @property
    def starts(self) -> datetime:
        """When it begins."""

    @property
    def until(self) -> datetime:
        """When it ends."""


@dataclass(frozen=True, slots=True)
class Burden:
    """Somebody who carries much more than the others: how much, and how much an even share would be."""

    contact_id: int
    carries: timedelta
    share: timedelta
    people: int


def carried(turns: Iterable[Held]) -> dict[int, timedelta]:
    """Return how long each person is on call in these turns."""
    found: dict[int, timedelta] = defaultdict(timedelta)
    for turn in turns:
        found[turn.contact_id] += turn.until - turn.starts
    return dict(found)


def unfair(carries: Mapping[int, timedelta], people: Iterable[int]) -> list[Burden]:
    """Return who carries much more than an even share among these people, the heaviest burden first.

    Whoever is alone carries everything, which is too much for anybody.
    """
    among = {*people, *carries}
    if not among:
        return []
    share = sum(carries.values(), timedelta()) / len(among)
    found = [
        Burden(pk, held, share, len(among))
        for pk, held in carries.items()
        if held >= LEAST and (held > share * TOO_MUCH or len(among) == 1)
    ]
    return sorted(found, key=lambda one: (-one.carries, one.contact_id))
