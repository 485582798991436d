"""What to follow in an incident: the security procedures of a security incident, then the runbooks of its systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incidents.enums import IncidentType
from incidents.models import Incident
from portal.runbooks.enums import VersionState
from portal.runbooks.models import Procedure, RunbookVersion
from portal.runbooks.readiness import in_force


@dataclass(frozen=True, slots=True)
class Followed:
    """The runbooks of an incident for one reader. `missing` says that there are no security procedures to follow."""

    security: list[Procedure]
    versions: list[RunbookVersion]
    missing: bool


def runbooks_for(incident: Incident, user: Any) -> Followed | None:
    """Return what to follow; nothing for a reader who may see no runbook. Two queries at most."""
    if not user.has_perm("runbooks.view_runbook"):
        return None
    systems = [system.pk for system in incident.systems.all()]
    is_security = incident.type == IncidentType.SECURITY
    security = list(in_force(Procedure.objects.visible_to(user))) if is_security else []
    security.sort(key=lambda one: one.version.runbook.system_id not in systems)
    rows = RunbookVersion.objects.visible_to(user).filter(state=VersionState.PUBLISHED, runbook__system__in=systems)
    versions = list(rows.defer("text").select_related("runbook__system").order_by("runbook__title")) if systems else []
    return Followed(security, versions, is_security and not security)
