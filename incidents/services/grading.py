"""Severity: changed by hand with every open clock computed anew, or raised by the source of the alert."""

from __future__ import annotations

from datetime import datetime

from incidents import clocks, escalation, recovering
from incidents.models import Incident
from incidents.policy import Refused, check_open
from incidents.services.common import PERIOD, locked, say, systems_of
from portal.audit.actor import By
from portal.directory.models import Severity
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.runbooks.checklists import services as checklists


def reclassify(
    incident: Incident,
    *,
    severity: Severity,
    by: By,
    at: datetime,
    reason: str = "",
    is_major: bool | None = None,
) -> Incident:
    """Change the severity: open clocks are computed anew from their original start, what was missed stays missed.

    A major incident is what the severity table says; `is_major` says otherwise and then needs a reason.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "change its severity")
        major = severity.is_major if is_major is None else is_major
        if severity.pk == row.severity_id and major == row.is_major:
            raise Refused(f"It is {severity.code} already. Choose another severity.")
        if major != severity.is_major and is_blank(reason):
            raise Refused("Say why this is a major incident or not, other than its severity tells. The reason is kept.")
        _set(row, severity, major=major, by=by, at=at, reason=reason)
    return row


def raise_severity(incident: Incident, *, severity: Severity, by: By, at: datetime, reason: str = "") -> Incident:
    """Raise the severity because the source says so; a lower one changes nothing."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.is_open and severity.level < row.severity.level:
            _set(row, severity, major=row.is_major or severity.is_major, by=by, at=at, reason=reason)
    return row


def _set(row: Incident, severity: Severity, *, major: bool, by: By, at: datetime, reason: str) -> None:
    before, row.severity, row.is_major = row.severity, severity, major
    row.save()
    records.weigh_periods(row, kind=PERIOD, weight=severity.level, at=at)
    clocks.recompute(row, systems=systems_of(row), at=at)
    checklists.start_matching(row, at=at)
    escalation.look_again(row, at=at)
    recovering.watch(row, systems_of(row), at=at)
    changed = f"changed the severity from {before.code} to {severity.code}"
    if before.pk == severity.pk:
        changed = "called it a major incident" if major else "took back that it is a major incident"
    say(
        row, "severity", changed, by=by, at=at, reason=reason,
        detail="Every open clock was computed anew from its start. What was missed stays missed.",
    )  # fmt: skip
