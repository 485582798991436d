"""Incidents as records that checklists are worked for: what rules ask of them, and when none is started any more."""

from __future__ import annotations

from incidents.enums import OPEN, IncidentType, Status
from incidents.models import Incident
from portal.runbooks.checklists.subjects import Facts, Mark, Subject

WORKED = (*OPEN, Status.RESOLVED)  # what is resolved is still checked before it is closed


def facts_of(incident: Incident) -> Facts:
    """Return what rules ask of an incident. One query."""
    systems = frozenset(incident.systems.order_by().values_list("pk", flat=True))
    return Facts(severity_id=incident.severity_id, type=incident.type, system_ids=systems)


def is_over(incident: Incident) -> bool:
    """Tell whether nothing is worked for it any more."""
    return incident.status not in WORKED


def marks_of(incident: Incident) -> tuple[Mark, ...]:
    """Return the mark of a drill, so that nobody takes a rehearsal for the real thing."""
    return (Mark("Drill", "drill", "life-buoy"),) if incident.is_drill else ()


INCIDENT = Subject(
    kind="incident",
    model=Incident,
    label="incident",
    facts=facts_of,
    is_over=is_over,
    types=IncidentType.choices,
    marks=marks_of,
)
