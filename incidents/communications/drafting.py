"""Writing a message to an audience: drafted, changed, withdrawn. Nothing here sends anything."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from incidents.communications.policy import check_editable, checked_words, next_state
from incidents.communications.recipients import listed
from incidents.enums import Audience, CommunicationState
from incidents.models import Communication, CommunicationTemplate, Incident
from incidents.policy import Refused
from incidents.services.common import locked, say
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.lib.blank import is_blank
from portal.lib.digests import digest

APPROVABLE = "communication"
MERGED = "It was merged into another incident. Tell them there."
OVER = "The incident is over. Reopen it before you tell anybody more."


@dataclass(slots=True)
class Held:
    """A message and its incident, both locked and read now."""

    incident: Incident
    message: Communication


@contextmanager
def held(message: Communication, *, by: By, at: datetime, reason: str = "") -> Iterator[Held]:
    """Open one atomic gesture on the incident and its message, locked in this order."""
    with locked(Incident(pk=message.incident_id), by=by, at=at, reason=reason) as incident:
        row = Communication.objects.select_for_update(of=("self",)).get(pk=message.pk)
        row.incident = incident
        yield Held(incident, row)


def audience_word(audience: str) -> str:
    """Return an audience as sentences name it; Refused is raised for one that is not known."""
    if audience not in Audience.values:
        raise Refused(f"Choose who is told: {', '.join(Audience.labels)}.")
    return Audience(audience).label.lower()


def check_not_over(incident: Incident) -> None:
    """Refuse to tell anybody about an incident that is closed, cancelled, or merged into another."""
    if incident.closed_at or incident.cancelled_at:
        raise Refused(OVER)
    if incident.merged_at:
        raise Refused(MERGED)


def draft(
    incident: Incident,
    *,
    audience: str,
    subject: str,
    text: str,
    by: By,
    at: datetime,
    template: CommunicationTemplate | None = None,
    once: uuid.UUID | None = None,
    reason: str = "",
) -> Communication:
    """Write a message to an audience down, to whoever is on its list now. The same `once` makes one message only.

    Refused is raised for an unknown audience, empty words, and an incident that is closed, cancelled or merged.
    """
    audience_word(audience)
    subject, text = checked_words(subject, text)
    with locked(incident, by=by, at=at, reason=reason) as row:
        standing = Communication.objects.filter(once=once, incident=row).first() if once is not None else None
        if standing is not None:
            return standing
        check_not_over(row)
        message = Communication(
            incident=row, audience=audience, template=template, subject=subject, text=text, once=once,
            recipients=_recipients(row, audience),
        )  # fmt: skip
        stamp(message, "drafted", by=by, at=at)
        message.save()
    return message


def edit(message: Communication, *, subject: str, text: str, by: By, at: datetime, reason: str = "") -> Communication:
    """Change the words of a message that has not gone out; its list is read anew. An approval of other words is void.

    Refused is raised for one that was sent or withdrawn.
    """
    subject, text = checked_words(subject, text)
    with held(message, by=by, at=at, reason=reason) as found:
        row = found.message
        check_editable(row.state)
        check_not_over(found.incident)
        now = (subject, text, _recipients(found.incident, row.audience))
        if now == (row.subject, row.text, row.recipients):
            return row
        row.subject, row.text, row.recipients = now
        if row.state != CommunicationState.DRAFTED:
            row.state = next_state("reconsider", row.state)
        row.save()
        void_approval(row, at=at)
    return row


def digest_of(message: Communication) -> str:
    """Return what tells two wordings of a message apart."""
    return digest(f"{message.subject}\n{message.text}")


class Overtaken(Refused):
    """Somebody changed the words of a message after a form was opened on them."""

    def __init__(self, message: Communication) -> None:
        super().__init__(
            f"It was changed while you wrote. It now says: “{message.subject}. {message.text}” "
            "Send it again to replace that with yours."
        )


def withdraw(message: Communication, *, by: By, at: datetime, reason: str) -> Communication:
    """Take back a message that has not gone out, with a reason. A request for its approval is void."""
    if is_blank(reason):
        raise Refused("Say in a sentence why it is not sent. The reason is kept.")
    with held(message, by=by, at=at, reason=reason) as found:
        row = found.message
        row.state = next_state("withdraw", row.state)
        stamp(row, "withdrawn", by=by, at=at)
        row.save()
        word = audience_word(row.audience)
        say(found.incident, "message", f"withdrew a message to {word}", by=by, at=at, detail=row.subject, reason=reason)
        void_approval(row, at=at)
    return row


def void_approval(message: Communication, *, at: datetime) -> None:
    """Void a live request for other words than those that stand now, in the same transaction."""
    for request in ApprovalRequest.objects.live().filter(kind=APPROVABLE, subject_id=message.pk):
        approvals.notice(request, at=at)


def _recipients(incident: Incident, audience: str) -> list[dict[str, object]]:
    return listed(audience, system_ids=list(incident.systems.values_list("pk", flat=True)))
