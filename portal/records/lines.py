"""The timeline of a record as its page shows it: one line for each note, under the day on which it happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models

from portal.lib import times
from portal.records import services as records
from portal.records.models import Note

SHOWN = 40
WRITTEN_LATER = timedelta(minutes=1)
PLAIN = ("circle-dot", "")

Look = tuple[str, str]
"""The icon of a line and its tone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `quote` holds somebody's own words, `detail` what the portal adds; `recorded` is set when later."""

    note: Note
    icon: str
    tone: str
    day: str
    quote: str
    detail: str
    recorded: datetime | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The lines that are shown, and whether there are more. components/timeline.html draws them."""

    entries: list[Line]
    more: bool


def marked(marks: Mapping[str, Look]) -> Callable[[Note], Look]:
    """Return what gives a note the look of its kind."""
    return lambda note: marks.get(note.kind, PLAIN)


def timeline_of(
    record: models.Model,
    *,
    look: Callable[[Note], Look],
    quoted: Collection[str],
    whole: bool,
    at: datetime,
    oldest_first: bool = False,
) -> Timeline:
    """Return the timeline, newest event first unless told otherwise; without `whole` its first forty. One query.

    Of the kinds in `quoted` the detail is somebody's own words.
    """
    notes = records.timeline(record)
    if oldest_first:
        notes = notes.order_by("event_at", "pk")
    rows = list(notes if whole else notes[: SHOWN + 1])
    shown = rows if whole else rows[:SHOWN]
    entries, day = [], "" if oldest_first else times.day(at, at)
    for note in shown:
        today = times.day(note.event_at, at)
        quote, detail = (note.detail, "") if note.kind in quoted else ("", note.detail)
        later = note.recorded_at if abs(note.recorded_at - note.event_at) >= WRITTEN_LATER else None
        entries.append(Line(note, *look(note), today if today != day else "", quote, detail, later))
        day = today
    return Timeline(entries, len(rows) > len(shown))
