"""The timeline of a change as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from changes.looks import MARKS
from changes.models import Change
from portal.lib import times
from portal.records import services as records
from portal.records.models import Note

SHOWN = 40
WRITTEN_LATER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Entry:
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
    """The newest entries, and whether older ones are left out."""

    entries: list[Entry]
    more: bool


def timeline_of(change: Change, *, whole: bool, at: datetime, oldest_first: bool = False) -> Timeline:
    """Return the timeline, newest event first unless told otherwise; without `whole` its first forty. One query."""
    notes = records.timeline(change)
    if oldest_first:
        notes = notes.order_by("event_at", "pk")
    rows = list(notes if whole else notes[: SHOWN + 1])
    shown = rows if whole else rows[:SHOWN]
    entries, day = [], "" if oldest_first else times.day(at, at)
    for row in shown:
        today = times.day(row.event_at, at)
        entries.append(_entry(row, day=today if today != day else ""))
        day = today
    return Timeline(entries, len(rows) > len(shown))


def _entry(note: Note, *, day: str) -> Entry:
    icon, tone = MARKS.get(note.kind, ("circle-dot", ""))
    if note.kind == "gate" and "failed" in note.text:
        tone = "red"
    quoted = note.kind in {"note", "closed"}
    return Entry(
        note=note,
        icon=icon,
        tone=tone,
        day=day,
        quote=note.detail if quoted else "",
        detail="" if quoted else note.detail,
        recorded=note.recorded_at if abs(note.recorded_at - note.event_at) >= WRITTEN_LATER else None,
    )
