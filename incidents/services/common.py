"""What every verb does: lock the incident, name who acts, write its line in the timeline."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents.communications.owing import owe
from incidents.models import Incident
from incidents.policy import check_reason, next_status
from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Contact, System
from portal.records import services as records
from portal.records.models import Note

PERIOD = "incident"


@contextmanager
def locked(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Iterator[Incident]:
    """Open one atomic gesture on the locked, freshly read row."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)


def move(incident: Incident, verb: str, *, reason: str = "") -> None:
    """Set the state that `verb` leads to; Refused is raised when it does not fit or lacks its reason."""
    status = next_status(verb, incident.status)
    check_reason(verb, reason)
    incident.status = status


def say(incident: Incident, kind: str, text: str, *, by: By, at: datetime, **more: Any) -> Note:
    """Write one line of the timeline; those who follow the incident are owed it."""
    note = records.write_note(incident, kind=kind, text=text, by=by, at=at, **more)
    owe(incident, note, at=at)
    return note


def open_period(incident: Incident, systems: Collection[System], *, at: datetime) -> None:
    """Let the other parts know that these systems suffer from `at`. Of a drill none does, so that nothing is kept."""
    if not incident.is_drill:
        weight, reference = incident.severity.level, incident.reference
        records.open_period(incident, systems=systems, kind=PERIOD, weight=weight, starts=at, reference=reference)


def systems_of(incident: Incident) -> list[System]:
    """Return the affected systems."""
    return list(incident.systems.all())


def contact_of(by: By) -> Contact | None:
    """Return the entry in the directory of whoever acts, if there is one."""
    actor = actor_of(by)
    if actor.contact_id is not None:
        return Contact.objects.filter(pk=actor.contact_id).first()
    return Contact.objects.filter(user_id=actor.user_id).first() if actor.user_id is not None else None
