"""What another part of the portal knows of systems that something goes wrong with, and whoever works on it should see.

The part that knows registers how it is asked; the page of an incident asks. Neither knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

OVERDUE = "overdue maintenance"
MOST = 10


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing worth knowing: what it is, since when, on which of the systems, whose, and where its page is."""

    title: str
    reference: str
    since: datetime
    systems: tuple[str, ...]
    owner: str
    url: str


Asks: TypeAlias = Callable[[dict[int, str], Any, datetime, int], list[Hint]]
"""Given names of systems by their keys, who reads, now, and how many at most. The oldest comes first."""

_asks: dict[str, Asks] = {}


@dataclass(frozen=True, slots=True)
class Hints:
    """The first ten hints of a kind, and whether there are more."""

    rows: list[Hint]
    more: bool


def register(kind: str, asks: Asks) -> None:
    """Let `asks` be asked for hints of this kind, in a fixed number of queries."""
    _asks[kind] = asks


def of(kind: str, systems: Iterable[Any], *, user: Any, at: datetime) -> Hints:
    """Return the hints of a kind about these systems that `user` may see. None where nobody gives such hints."""
    names = {system.pk: system.name for system in systems}
    found = _asks[kind](names, user, at, MOST + 1) if names and kind in _asks else []
    return Hints(found[:MOST], len(found) > MOST)
