"""Rows of the trail with their differences, made ready to read: the inside of a gesture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from portal.assurance.selectors.trail_filters import Filters
from portal.assurance.selectors.trail_naming import Value, field_label, story_address, title_of, value_of
from portal.audit.enums import OF_HISTORY, Action
from portal.audit.models import TrailRow

LINES = 60
LETTERS = 24_000  # of values on one page
_OF_HISTORY = set(OF_HISTORY.values())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table of differences. `first` marks the first line of its object."""

    title: str
    url: str
    label: str
    filter: str
    old: Value | None
    new: Value | None
    words: str = ""
    first: bool = True


@dataclass(frozen=True, slots=True)
class Inside:
    """The rows of one gesture, or a first part of them. `after` is the id to go on from when there are more."""

    rows: list[TrailRow]
    lines: list[Line]
    after: int | None = None

    @property
    def span(self) -> str:
        """Which rows of the trail they are, in words."""
        first, last = self.rows[0].pk, self.rows[-1].pk
        return f"row {first:,}" if first == last else f"rows {first:,} to {last:,}"


def inside(rows: QuerySet[TrailRow], *, after: int = 0) -> Inside | None:
    """Return the rows with their differences, oldest first, as many as fit a page; nothing when there are none."""
    found = list(rows.filter(pk__gt=after).order_by("pk")[: LINES + 1])
    shown: list[TrailRow] = []
    lines: list[Line] = []
    letters = 0
    for row in found:
        some = lines_of(row)
        letters += len(row.changes)
        if shown and (len(lines) + len(some) > LINES or letters > LETTERS):
            return Inside(shown, lines, after=shown[-1].pk)
        shown.append(row)
        lines += some
    return Inside(shown, lines) if shown else None


def lines_of(row: TrailRow) -> list[Line]:
    """Return a line for each difference of a row, or one that says what it told."""
    title, url = title_of(row), story_address(row.model, row.object_id)
    if row.action == Action.DELETED or row.action not in _OF_HISTORY or not row.fields:
        words = row.event if row.action not in _OF_HISTORY or row.event else Action(row.action).label
        told = [Line(title, url, "", "", None, None, words)]
    else:
        told = []
    for change in row.differences:
        told.append(
            Line(
                title,
                url,
                field_label(row.model, change.field),
                Filters(model=row.model, field=change.field).address() if row.action == Action.CHANGED else "",
                value_of(row.model, change.field, change.old),
                value_of(row.model, change.field, change.new),
                first=not told,
            )
        )
    return told


def person_address(row: TrailRow) -> str:
    """Return the address of everything that the actor of a row did."""
    if row.actor_id is not None:
        return Filters(person=row.actor_id).address()
    return Filters(part=row.actor_name).address()


def at_most(numbers: Iterable[str], most: int) -> list[int]:
    """Return the numbers among some words of an address, at most so many."""
    return [int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) <= 18][:most]


def differences_of(row: TrailRow) -> list[dict[str, Any]]:
    """Return what a row changed, for a sentence of a story: label, old, new."""
    return [
        {
            "label": field_label(row.model, change.field),
            "old": value_of(row.model, change.field, change.old),
            "new": value_of(row.model, change.field, change.new),
        }
        for change in row.differences
    ]
