"""What the portal keeps of a system, as a runbook links it."""

from __future__ import annotations

from portal.directory import services as directory
from portal.directory.enums import EmergencyRole
from portal.directory.models import RecoveryObjective, System
from portal.runbooks.markdown.linking import Known
from portal.runbooks.markdown.vocabulary import Role


def known_of(system: System | None) -> Known:
    """Return what the directory keeps of a system. Three queries at most; none without a system."""
    if system is None:
        return Known()
    objective = RecoveryObjective.objects.filter(system=system).first()
    table = directory.emergency_contacts([system.pk]).get(system.pk, {})
    facts = {
        Role.SYSTEM_NAME: system.name,
        Role.VERSION: system.version,
        Role.OWNER: system.owner.name if system.owner else "",
        Role.LAST_UPDATED: system.last_updated.isoformat() if system.last_updated else "",
        Role.ON_CALL: f"whoever is on call for {system.owner.name}" if system.owner else "",
    }
    return Known(
        facts=facts,
        contacts={
            EmergencyRole(role).label.lower(): (row.contact.name, row.backup.name if row.backup else "")
            for role, row in table.items()
        },
        rto=objective.rto_minutes if objective else None,
        rpo=objective.rpo_minutes if objective else None,
        dashboard=system.dashboard_url,
    )
