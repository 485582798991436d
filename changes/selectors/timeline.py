"""The timeline of a change as it is shown."""

from __future__ import annotations

from datetime import datetime

from changes.looks import MARKS
from changes.models import Change
from portal.records import lines
from portal.records.lines import Look, Timeline
from portal.records.models import Note

QUOTED = frozenset({"note", "closed"})
_look = lines.marked(MARKS)


def timeline_of(change: Change, *, whole: bool, at: datetime, oldest_first: bool = False) -> Timeline:
    """Return the timeline, newest event first unless told otherwise; without `whole` its first forty. One query."""
    return lines.timeline_of(change, look=_toned, quoted=QUOTED, whole=whole, at=at, oldest_first=oldest_first)


def _toned(note: Note) -> Look:
    icon, tone = _look(note)
    return icon, "red" if note.kind == "gate" and "failed" in note.text else tone
