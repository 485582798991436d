"""Where a word leads: a reference to its record, any other to what search finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from changes.models import Change
from incidents.models import Incident
from maintenance.models import Occurrence
from portal.approvals.models import ApprovalRequest
from portal.records.evidence.models import Evidence
from portal.search import registry

REFERENCE = re.compile(r"^(?:inc[ -]?)?0*(\d{1,9})$", re.IGNORECASE)
EVIDENCE = re.compile(r"^evd[ -]?0*(\d{1,9})$", re.IGNORECASE)
CHANGE = re.compile(r"^chg[ -]?0*(\d{1,9})$", re.IGNORECASE)
APPROVAL = re.compile(r"^apr[ -]?0*(\d{1,9})$", re.IGNORECASE)
DATE = re.compile(r"^mnt[ -]?0*(\d{1,9})\.0*(\d{1,9})$", re.IGNORECASE)
ANY = re.compile(r"^([a-z]{3})[ -]?0*(\d{1,9})$", re.IGNORECASE)
READ = 2000  # characters of what was typed that are looked at, and that are kept
LONGEST = 200


@dataclass(frozen=True)
class Hit:
    """A record that was named by its reference, and its page."""

    kind: str
    icon: str
    name: str
    detail: str
    url: str


def cleaned(words: str) -> str:
    """Return what was typed without blanks around it and without bytes that no name has."""
    return " ".join(words.replace("\x00", "")[:READ].split())[:LONGEST]


def named(words: str, user: Any) -> list[Hit]:
    """Return the record that the words are the reference of, where the reader may see it."""
    if match := REFERENCE.match(words):
        incidents = Incident.objects.visible_to(user).filter(reference=f"INC-{int(match[1]):06d}")
        return [_incident(found) for found in incidents.select_related("severity")]
    if match := CHANGE.match(words):
        return [
            _change(found) for found in Change.objects.visible_to(user).filter(reference=f"CHG-{int(match[1]):06d}")
        ]
    if match := APPROVAL.match(words):
        requests = ApprovalRequest.objects.visible_to(user).filter(reference=f"APR-{int(match[1]):06d}")
        return [_approval(found) for found in requests]
    if match := EVIDENCE.match(words):
        items = Evidence.objects.visible_to(user).filter(reference=f"EVD-{int(match[1]):06d}")
        return [_evidence(found) for found in items.select_related("holder")]
    if match := ANY.match(words):
        return _searched(match[1].upper(), int(match[2]), user)
    match = DATE.match(words)
    return _dates(int(match[1]), int(match[2]), user) if match else []


def _searched(prefix: str, number: int, user: Any) -> list[Hit]:
    """Return the record of a kind that is searched, by its reference."""
    kind = registry.of_prefix(prefix)
    if kind is None:
        return []
    rows = kind.rows(user).filter(reference=f"{prefix}-{number:06d}").values("pk", *kind.columns, *kind.values)[:1]
    shown = [(row, kind.show(row)) for row in rows]
    return [
        Hit(found.label or kind.label, found.icon or kind.icon, found.name, found.context, kind.url(row))
        for row, found in shown
    ]


def asked_for(reference: str, user: Any) -> tuple[Incident | None, list[int]]:
    """Return the incident for which somebody searches, where they may see it, and the keys of its systems."""
    if not reference:
        return None, []
    incident = Incident.objects.visible_to(user).filter(reference=reference.upper()).first()
    return incident, list(incident.systems.values_list("pk", flat=True)) if incident else []


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


def _dates(plan: int, number: int, user: Any) -> list[Hit]:
    """Return one date of a plan of maintenance, by the numbers of both."""
    rows = Occurrence.objects.visible_to(user).filter(reference=f"MNT-{plan:06d}.{number}")
    return [_date(found) for found in rows.select_related("plan")]


def _date(found: Occurrence) -> Hit:
    detail = f"{found.reference} · {found.due_on:%a %d %b %Y} · {found.get_state_display()}"
    return Hit("Maintenance date", "wrench", found.plan.task, detail, found.get_absolute_url())
