"""Paging that waits: while maintenance goes on with every system of an incident, nobody is paged for it.

A window is known by its periods alone: this part of the portal knows no model of it. What is held back waits as a
deadline of its own, due when the window's time is over; the escalation begins with its first step then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents.enums import IncidentType
from incidents.escalation.telling import SYSTEM, type_id
from incidents.models import Incident
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.records import services as records
from portal.records.models import Note, Period

HELD = "incident.held"
"""The kind of the deadline until which paging is held back."""
MAINTENANCE = "maintenance"
GRAVEST = 1
REACH = timedelta(days=8)
"""No window lasts as long; what began before that is not read."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when nobody is paged, and by which windows."""

    until: datetime
    windows: tuple[str, ...]

    @property
    def names(self) -> str:
        """Return the windows in words."""
        return " and ".join(self.windows)


def hold_of(incident: Incident, system_ids: Collection[int], *, at: datetime, judged: bool) -> Hold | None:
    """Return until when paging for an incident waits; nothing when somebody is to be paged now.

    Every system that it names is in a maintenance window: one outside of any is reason enough to page. Windows that
    follow one another count as one. A security incident never waits, since no maintenance plans one, nor does one that
    is of the gravest level because a person says so (`judged`), nor a drill: whoever starts one means to page now.
    """
    gravest_by_hand = judged and incident.severity.level <= GRAVEST
    if not system_ids or incident.type == IncidentType.SECURITY or gravest_by_hand or incident.is_drill:
        return None
    windows = windows_of(system_ids, at=at)
    if set(windows) != set(system_ids):
        return None
    until = min(hold.until for hold in windows.values())
    named = sorted({name for hold in windows.values() for name in hold.windows})
    return Hold(until, tuple(named))


def windows_of(system_ids: Collection[int], *, at: datetime) -> dict[int, Hold]:
    """Return the maintenance that goes on with each of these systems at a moment. One query."""
    lately = Period.objects.filter(system_id__in=system_ids, starts__gt=at - REACH, starts__lt=at + REACH)
    rows = lately.filter(kind=MAINTENANCE, ends__gt=at).order_by("starts", "pk")
    found: dict[int, list[Period]] = defaultdict(list)
    for row in rows:
        ends = found[row.system_id][-1].ends if found[row.system_id] else at
        if row.starts <= max(at, ends or at):
            found[row.system_id].append(row)
    return {
        pk: Hold(max(row.ends for row in periods if row.ends), tuple(dict.fromkeys(row.reference for row in periods)))
        for pk, periods in found.items()
        if periods
    }


def hold_back(incident: Incident, hold: Hold, *, at: datetime, number: int = 1) -> Deadline:
    """Return the deadline of what waits, to be written by the caller."""
    return Deadline(
        kind=HELD, subject_type_id=type_id(), subject_id=incident.pk, key=str(number), generation=incident.generation,
        started_at=at, due_at=hold.until, payload={"windows": list(hold.windows), "level": incident.severity.level},
    )  # fmt: skip


def held_note(incident: Incident, hold: Hold, *, at: datetime, still: bool = False) -> Note:
    """Return the line that says why nobody is paged, and until when."""
    local = timezone.localtime(hold.until)
    until = f"{local:%a} {local.day} {local:%b, %H:%M} {local.tzname()}"
    again = "still " if still else ""
    return records.make_note(
        subject_type_id=type_id(), subject_id=incident.pk, kind="held", by=SYSTEM, at=at,
        text=f"{again}holds paging back until {until}: maintenance {hold.names}",
        detail="Everything is recorded. If it is open then, paging begins. Escalate by hand if it cannot wait.",
        data={"windows": list(hold.windows), "until": hold.until.isoformat()},
    )  # fmt: skip


def released_note(incident: Incident, windows: Collection[str], *, at: datetime, why: str = "") -> Note:
    """Return the line that says that paging begins."""
    named = " and ".join(windows)
    return records.make_note(
        subject_type_id=type_id(), subject_id=incident.pk, kind="released", by=SYSTEM, at=at,
        text="begins to page: " + (why or f"the maintenance {named} holds nothing back any more"),
    )  # fmt: skip


def waiting_of(incident: Incident) -> Deadline | None:
    """Return what is held back of an incident."""
    return deadlines.of(incident, [HELD]).filter(state=DeadlineState.PENDING).first()


def held_ids(incident_ids: Collection[int]) -> set[int]:
    """Return which of these incidents nobody is paged for just now."""
    rows = Deadline.objects.filter(
        subject_type_id=type_id(), subject_id__in=incident_ids, kind=HELD, state=DeadlineState.PENDING
    )
    return set(rows.values_list("subject_id", flat=True))


def let_go(incident: Incident, *, at: datetime) -> Any:
    """Hold nothing back any more; the caller holds the incident's lock."""
    return deadlines.cancel(subject=incident, kind=HELD, at=at)
