"""Declaring an incident: the record, its clocks, its escalation, and the security lead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from incidents import clocks, escalation, messages, recovering
from incidents.enums import IncidentType, Status
from incidents.models import Incident
from incidents.policy import Refused
from incidents.services.access import restricts
from incidents.services.common import open_period, say
from incidents.services.containing import propose_steps
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.directory import services as directory
from portal.directory.enums import EmergencyRole
from portal.directory.models import Contact, Severity, System, Team
from portal.notify import services as notify
from portal.records import services as records
from portal.runbooks.checklists import services as checklists

SECURITY_TEAM = "security"


def declare(  # noqa: PLR0913 - one argument for each fact of a declaration
    *,
    title: str,
    severity: Severity,
    systems: Iterable[System],
    by: By,
    at: datetime,
    description: str = "",
    type: str = IncidentType.OPERATIONAL,  # noqa: A002 - the word of the form and of the model
    source: str = "",
    dedup_key: str = "",
    occurred_at: datetime | None = None,
    commander: Contact | None = None,
    is_drill: bool = False,
    reason: str = "",
) -> Incident:
    """Open an incident: its clocks run, its escalation and its checklists start from `at`.

    `dedup_key` names the alert behind it; the database allows one open incident per key and raises IntegrityError for
    a second. `occurred_at` is when it began, where that is known to be earlier. `is_drill` makes it an exercise, for
    good: only people start one. Refused is raised without a title, and for a drill that a source declares.
    """
    title = " ".join(title.split())
    if not title:
        raise Refused("Give it a title: what suffers, in a few words.")
    if is_drill and source:
        raise Refused("A source of alerts starts no drill. What it reports is real.")
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        incident = Incident(
            reference=records.next_reference("INC"),
            title=title[:200],
            description=description[:10000],
            type=type,
            severity=severity,
            is_major=severity.is_major,
            is_drill=is_drill,
            status=Status.DECLARED,
            declared_at=at,
            source=source[:120],
            dedup_key=dedup_key,
        )
        stamp(incident, "declared", by=by, at=at)
        if commander is not None:
            incident.commander = commander
            stamp(incident, "activated", by=by, at=at)
        incident.restricted = restricts(type)
        incident.save()
        affected = sorted(set(systems), key=lambda system: system.pk)
        incident.systems.add(*affected)
        _tell(incident, affected, by=by, at=at, occurred_at=occurred_at)
        open_period(incident, affected, at=at)
        clocks.start_all(incident, systems=affected, at=at)
        if commander is not None:
            clocks.meet(incident, clock="activation", at=at)
        escalation.start(incident, systems=affected, at=at)
        recovering.watch(incident, affected, at=at)
        if type == IncidentType.SECURITY:
            page_security_lead(incident, systems=affected, at=at)
            propose_steps(incident, at=at)
        checklists.start_matching(incident, at=at)
    return incident


def _tell(incident: Incident, systems: list[System], *, by: By, at: datetime, occurred_at: datetime | None) -> None:
    names = ", ".join(system.name for system in systems)
    detail = f"Affects {names}." if names else "No system is named yet."
    if incident.restricted:
        detail += " It is restricted, as every incident of its type is."
    if incident.source:
        detail += f" Source: {incident.source}."
    what = f"started a drill at {incident.severity.code}" if incident.is_drill else f"declared {incident.severity.code}"
    say(
        incident, "declared", what, by=by, at=at,
        event_at=occurred_at or at, detail=detail, data={"description": incident.description[:2000]},
    )  # fmt: skip


def page_security_lead(incident: Incident, *, systems: list[System], at: datetime) -> None:
    """Page the security lead of each system at once; else whoever is on call for security, else the administrators."""
    ids = [system.pk for system in systems]
    rows = directory.emergency_contacts(ids)
    role = EmergencyRole.SECURITY_LEAD
    team = Team.objects.filter(slug=SECURITY_TEAM).first()
    if any(role in rows.get(pk, {}) for pk in ids):
        target = {"kind": "role", "role": role.value, "name": role.label}
    elif team is not None:
        target = {"kind": "team", "id": team.pk, "name": team.name}
    else:
        target = {"kind": "role", "role": role.value, "name": role.label}
    book = escalation.Book([target], system_ids=ids, at=at)
    reached = book.reach([target], system_ids=ids)
    context = {"systems": ", ".join(system.name for system in systems), "security": True, "next_words": ""}
    key = f"i{incident.pk}:g{incident.generation}:security:{at.isoformat()}"
    drafts = escalation.page(incident, reached.recipients, book, key=key, kind=messages.SECURITY_PAGE, context=context)
    notify.queue(drafts, at=at, instead=True)
    names = ", ".join(f"{one.name} ({one.why})" for one in reached.recipients)
    text = f"paged {names}" if names else "could page nobody for security"
    waiting = escalation.held(incident, reached.recipients, at=at)
    detail = " ".join(["A security incident pages the security lead at once.", *reached.holes, *waiting])
    say(incident, "paged", text, by="system: security", at=at, detail=detail)
