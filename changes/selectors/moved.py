"""What changed since a change was submitted: field by field, who edited it and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from changes.approving import facts_of
from changes.models import Change
from portal.approvals.enums import RequestState
from portal.approvals.models import Decision
from portal.approvals.shown import NOTHING, canonical, differences
from portal.lib import times
from portal.records import services as records
from portal.records.models import Note

NOT_EDITED = frozenset({"Risk", "Started on the authority of"})
"""What the life of a change adds to it by itself."""
MOMENTS = frozenset({"Planned start", "Planned end"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs. `old` or `new` is empty where it was not there; `note` tells who edited it and when."""

    label: str
    old: str
    new: str
    note: Note | None


@dataclass(frozen=True, slots=True)
class Moved:
    """All that changed since it was submitted, from which version on, and whose decisions became void by it."""

    differences: list[Difference]
    since: int
    voided: list[str]


def moved_of(change: Change, *, user: Any, at: datetime) -> Moved:
    """Return what differs between what was submitted and what would be shown now. Two queries, none before that."""
    if not change.submitted_text or change.submitted_at is None:
        return Moved([], change.version, [])
    found = differences(change.submitted_text, canonical(facts_of(change)))
    found = [one for one in found if one.label not in NOT_EDITED]
    if not found:
        return Moved([], change.version, [])
    notes = list(records.timeline(change).filter(kind="revised", recorded_at__gte=change.submitted_at).order_by("-pk"))
    told = [
        Difference(one.label, _said(one.label, one.old, at), _said(one.label, one.new, at), _edited(notes, one.label))
        for one in found
    ]
    since = notes[-1].data.get("version", change.version) - 1 if notes else change.version
    return Moved(told, since, _voided(change, user))


def _edited(notes: list[Note], label: str) -> Note | None:
    return next((note for note in notes if label in note.data.get("moved", ())), None)


def _said(label: str, value: str, at: datetime) -> str:
    """Return a value as it is shown: moments in the reader's zone, nothing as nothing."""
    if value in {"", NOTHING}:
        return ""
    if label in MOMENTS:
        moment = datetime.strptime(value, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
        return f"{times.day(moment, at)}, {times.clock(moment)}"
    return value


def _voided(change: Change, user: Any) -> list[str]:
    rows = Decision.objects.visible_to(user).filter(
        request__kind="change", request__subject_id=change.pk, request__state=RequestState.VOIDED
    )
    return list(dict.fromkeys(rows.order_by("pk").values_list("decided_by", flat=True)))
