"""What an incident is about: the systems that suffer, and whether it concerns security."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from incidents import clocks, escalation, recovering
from incidents.enums import IncidentType
from incidents.models import Incident
from incidents.policy import Refused, check_open
from incidents.services.access import restrict_as_its_type
from incidents.services.common import PERIOD, locked, open_period, say, systems_of
from incidents.services.containing import propose_steps
from incidents.services.declaring import page_security_lead
from portal.audit.actor import By
from portal.directory.models import System
from portal.records import services as records
from portal.runbooks.checklists import services as checklists


def set_systems(incident: Incident, *, systems: Iterable[System], by: By, at: datetime, reason: str = "") -> Incident:
    """Say which systems suffer. Clocks that follow a system's objective or calendar are computed anew.

    An escalation that runs keeps its policy; its roles are those of the systems named when a step is taken. Refused is
    raised when nothing changes.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "change its systems")
        before, after = {one.pk: one for one in systems_of(row)}, {one.pk: one for one in systems}
        added = [one for pk, one in after.items() if pk not in before]
        gone = [one for pk, one in before.items() if pk not in after]
        if not added and not gone:
            raise Refused("Those systems are named already. Choose others.")
        row.systems.set(after.values())
        records.close_periods(row, kind=PERIOD, ends=at, systems=gone)
        open_period(row, added, at=at)
        clocks.recompute(row, systems=list(after.values()), at=at, why="systems")
        changes = [f"added {one.name}" for one in added] + [f"took off {one.name}" for one in gone]
        say(row, "systems", f"changed the affected systems: {', '.join(changes)}", by=by, at=at, reason=reason)
        checklists.start_matching(row, at=at)
        escalation.look_again(row, at=at)
        recovering.leave(row, gone, at=at)
        recovering.watch(row, after.values(), at=at)
    return row


def add_systems(row: Incident, systems: Iterable[System], *, at: datetime) -> None:
    """Name more systems on an incident whose lock the caller holds; its clocks are computed anew."""
    present = {one.pk for one in systems_of(row)}
    added = [one for one in systems if one.pk not in present]
    if not added:
        return
    row.systems.add(*added)
    open_period(row, systems=added, at=at)
    clocks.recompute(row, systems=systems_of(row), at=at, why="systems")
    checklists.start_matching(row, at=at)
    escalation.look_again(row, at=at)
    recovering.watch(row, systems_of(row), at=at)


def set_type(incident: Incident, *, type: str, by: By, at: datetime, reason: str = "") -> Incident:  # noqa: A002 - the word of the form and of the model
    """Say whether it concerns security. A security incident pages the security lead at once, and is restricted.

    An incident that concerns security no more stays restricted until somebody lifts that.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "change its type")
        if type == row.type or type not in IncidentType.values:
            raise Refused(f"It is {row.get_type_display().lower()} already. Choose the other type.")
        row.type = type
        restrict_as_its_type(row, by=by, at=at)
        row.save()
        say(row, "type", f"called it {row.get_type_display().lower()}", by=by, at=at, reason=reason)
        if type == IncidentType.SECURITY:
            page_security_lead(row, systems=systems_of(row), at=at)
            propose_steps(row, at=at)
        checklists.start_matching(row, at=at)
        escalation.look_again(row, at=at)
    return row
