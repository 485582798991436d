"""Shutting down: while a security incident is worked, the shutdown procedures of its systems are held back.

The owner's rule is not to shut down, since that destroys evidence. A security lead may release the procedures, with the
reason, and hold them back again. Each is a line of the timeline, and the last one is how it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.contenttypes.models import ContentType

from incidents.checklists import WORKED
from incidents.enums import IncidentType
from incidents.models import Incident
from incidents.policy import Refused
from incidents.services.common import locked, say
from portal.accounts.roles import has_role
from portal.audit.actor import By
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.records.models import Note

NOTE = "shutdown"
LEAD = "security-lead"
NOT_SECURITY = "Only a security incident holds shutdown procedures back."
NOT_LEAD = "Only a security lead releases them. Call the security lead; the numbers are in the room."
SAY_WHY = "Say in a sentence why they may be used now. The reason is kept."


def release_shutdown(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Let the shutdown procedures of its systems be used. Only a security lead does, with the reason."""
    return _set(incident, released=True, by=by, at=at, reason=reason)


def hold_shutdown(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Hold them back again. Only a security lead does, with the reason."""
    return _set(incident, released=False, by=by, at=at, reason=reason)


def _set(incident: Incident, *, released: bool, by: By, at: datetime, reason: str) -> Incident:
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.type != IncidentType.SECURITY or row.status not in WORKED:
            raise Refused(NOT_SECURITY)
        if not has_role(by, LEAD):
            raise Refused(NOT_LEAD)
        if is_blank(reason):
            raise Refused(SAY_WHY)
        last = last_word(row)
        if (last is not None and bool(last.data.get("released"))) == released:
            raise Refused(f"They are {'released' if released else 'held back'} already.")
        words = "released the shutdown procedures" if released else "held the shutdown procedures back"
        say(row, NOTE, words, by=by, at=at, reason=reason, data={"released": released})
    return row


def last_word(incident: Incident) -> Note | None:
    """Return the line that says last whether they are released; nothing while nobody has said so."""
    found: Note | None = records.timeline(incident).filter(kind=NOTE).first()
    return found


def held_back(system_ids: frozenset[int]) -> Iterable[int]:
    """Return which of these systems a security incident that is worked keeps from being shut down. Two queries.

    A drill holds nothing back: the systems are the real ones.
    """
    worked = Incident.objects.filter(type=IncidentType.SECURITY, status__in=WORKED, is_drill=False)
    pairs = list(worked.filter(systems__in=system_ids).order_by().values_list("pk", "systems"))
    notes = Note.objects.filter(
        subject_type=ContentType.objects.get_for_model(Incident), subject_id__in={pk for pk, _ in pairs}, kind=NOTE
    )
    said = {note.subject_id: bool(note.data.get("released")) for note in notes.order_by("event_at", "id")}
    return {system for pk, system in pairs if not said.get(pk)} & system_ids
