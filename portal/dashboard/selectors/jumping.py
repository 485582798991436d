"""Where a word leads: a reference to its record, a name to what bears it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.urls import reverse

from changes.models import Change
from incidents.enums import OPEN
from incidents.models import Incident
from portal.approvals.models import ApprovalRequest
from portal.directory.models import Contact, System, Team
from portal.records.evidence.models import Evidence

REFERENCE = re.compile(r"^(?:inc[ -]?)?0*(\d{1,9})$", re.IGNORECASE)
EVIDENCE = re.compile(r"^evd[ -]?0*(\d{1,9})$", re.IGNORECASE)
CHANGE = re.compile(r"^chg[ -]?0*(\d{1,9})$", re.IGNORECASE)
APPROVAL = re.compile(r"^apr[ -]?0*(\d{1,9})$", re.IGNORECASE)
LONGEST = 100
MOST_WORDS = 8
SHOWN = 10


@dataclass(frozen=True)
class Hit:
    """Something that was meant, and its page."""

    kind: str
    icon: str
    name: str
    detail: str
    url: str


def cleaned(words: str) -> str:
    """Return what was typed without blanks around it and without bytes that no name has."""
    return " ".join(words.replace("\x00", "").split())[:LONGEST]


def find(words: str, user: Any) -> list[Hit]:
    """Return what the reader may see and can have meant: the record of a reference alone, else names that match."""
    match = REFERENCE.match(words)
    if match:
        reference = f"INC-{int(match[1]):06d}"
        exact = list(Incident.objects.visible_to(user).filter(reference=reference).select_related("severity"))
        if exact:
            return [_incident(found) for found in exact]
    planned = CHANGE.match(words)
    if planned:
        changes = Change.objects.visible_to(user).filter(reference=f"CHG-{int(planned[1]):06d}")
        return [_change(found) for found in changes]
    asked = APPROVAL.match(words)
    if asked:
        requests = ApprovalRequest.objects.visible_to(user).filter(reference=f"APR-{int(asked[1]):06d}")
        return [_approval(found) for found in requests]
    kept = EVIDENCE.match(words)
    if kept:
        items = Evidence.objects.visible_to(user).filter(reference=f"EVD-{int(kept[1]):06d}").select_related("holder")
        return [_evidence(found) for found in items]
    terms = words.split()[:MOST_WORDS]
    return [*_directory(terms, user), *_incidents(terms, user), *_changes(terms, user)] if terms else []


def _directory(terms: list[str], user: Any) -> list[Hit]:
    systems = _named(System.objects.visible_to(user).filter(active=True).select_related("owner"), terms)
    people = _named(Contact.objects.visible_to(user).filter(active=True), terms)
    teams = _named(Team.objects.visible_to(user).filter(active=True), terms)
    return [
        *(Hit("System", "server", str(s), _owner(s), _page(s)) for s in systems),
        *(Hit("Person", "user", str(c), c.title, _page(c)) for c in people),
        *(Hit("Team", "users", str(t), t.description, _page(t)) for t in teams),
    ]


def _owner(system: System) -> str:
    return f"Owned by {system.owner}" if system.owner else "Nobody owns it"


def _named(rows: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
    for term in terms:
        rows = rows.filter(name__icontains=term)
    return rows.order_by("name", "pk")[:SHOWN]


def _incidents(terms: list[str], user: Any) -> list[Hit]:
    rows = Incident.objects.visible_to(user).select_related("severity")
    for term in terms:
        rows = rows.filter(title__icontains=term)
    settled = Case(When(status__in=OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    return [_incident(found) for found in rows.order_by("is_drill", settled, "-declared_at", "-pk")[:SHOWN]]


def _changes(terms: list[str], user: Any) -> list[Hit]:
    rows = Change.objects.visible_to(user)
    for term in terms:
        rows = rows.filter(title__icontains=term)
    return [_change(found) for found in rows.order_by("-requested_at", "-pk")[:SHOWN]]


def _change(found: Change) -> Hit:
    detail = f"{found.reference} · {found.get_type_display()} · {found.get_status_display()}"
    return Hit("Change", "git-pull-request-arrow", found.title, detail, found.get_absolute_url())


def _incident(found: Incident) -> Hit:
    detail = f"{found.reference} · {found.severity.code} · {found.get_status_display()}"
    kind, icon = ("Drill", "life-buoy") if found.is_drill else ("Incident", "siren")
    return Hit(kind, icon, found.title, detail, found.get_absolute_url())


def _approval(found: ApprovalRequest) -> Hit:
    detail = f"{found.reference} · {found.get_state_display()}"
    return Hit("Approval", "file-check", found.title, detail, found.get_absolute_url())


def _evidence(found: Evidence) -> Hit:
    detail = f"{found.reference} · {found.get_state_display()} · held by {found.holder}"
    return Hit("Evidence", "fingerprint", found.original_name, detail, found.get_absolute_url())


def _page(row: System | Contact | Team) -> str:
    if isinstance(row, System):
        return reverse("directory:system", args=[row.slug])
    anchor = f"team-{row.slug}" if isinstance(row, Team) else f"contact-{row.pk}"
    return f"{reverse('directory:people')}#{anchor}"
