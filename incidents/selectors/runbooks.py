"""What to follow in an incident: the security procedures of a security incident, then the runbooks of its systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incidents.enums import IncidentType
from incidents.models import Incident
from portal.runbooks.enums import VersionState
from portal.runbooks.models import Procedure, RunbookVersion
from portal.runbooks.readiness import in_force
from portal.search.finding import Hit, search
from portal.search.words import terms_of

SHOWN = 5
ENTRIES = ("issue", "step-of-issue", "procedure", "step-of-procedure", "command", "log", "threshold", "passage")


@dataclass(frozen=True, slots=True)
class Followed:
    """The runbooks of an incident for one reader. `missing` says that there are no security procedures to follow.

    `entries` are the parts of runbooks that fit its systems and the words of its title.
    """

    security: list[Procedure]
    versions: list[RunbookVersion]
    missing: bool
    entries: list[Hit]


def runbooks_for(incident: Incident, user: Any) -> Followed | None:
    """Return what to follow; nothing for a reader who may see no runbook. A fixed number of queries."""
    if not user.has_perm("runbooks.view_runbook"):
        return None
    systems = [system.pk for system in incident.systems.all()]
    is_security = incident.type == IncidentType.SECURITY
    security = list(in_force(Procedure.objects.visible_to(user))) if is_security else []
    security.sort(key=lambda one: one.version.runbook.system_id not in systems)
    rows = RunbookVersion.objects.visible_to(user).filter(state=VersionState.PUBLISHED, runbook__system__in=systems)
    versions = list(rows.defer("text").select_related("runbook__system").order_by("runbook__title")) if systems else []
    entries = entries_for(incident, user, systems) if incident.is_open else []
    return Followed(security, versions, is_security and not security, entries)


def entries_for(incident: Incident, user: Any, systems: list[int]) -> list[Hit]:
    """Return the entries of runbooks that fit best: of its systems with a word of its title, of others with two."""
    terms = terms_of(incident.title)
    if not terms:
        return []
    found = search(terms, user, systems=systems, only=ENTRIES, shown=SHOWN, any_term=True)
    return [hit for hit in found.best(SHOWN) if hit.of_system or hit.met > 1]
