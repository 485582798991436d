"""Sending a message to its audience: asked for where the data says so, sent once, recorded as it goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents import messages
from incidents.communications.drafting import APPROVABLE, audience_word, check_not_over, held
from incidents.communications.policy import next_state
from incidents.communications.recipients import Reach, reach_of
from incidents.enums import Audience
from incidents.enums import CommunicationState as State
from incidents.models import Communication, CommunicationRule, Incident
from incidents.policy import Refused
from incidents.services.common import say
from incidents.services.telling import write_update
from portal.approvals import services as approvals
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.notify import services as notify
from portal.notify.compose import Draft, draft_for_channel, drafts_for


def needs_approval(incident: Incident, audience: str) -> bool:
    """Tell whether a message to this audience needs an approval: by the rule of the severity, else the one for all."""
    rules = CommunicationRule.objects.filter(audience=audience)
    found = {rule.severity_id: rule.needs_approval for rule in rules}
    return found.get(incident.severity_id, found.get(None, False))


def ask(
    message: Communication, *, by: By, at: datetime, reason: str, send_when_approved: bool = True
) -> ApprovalRequest:
    """Ask for the approval of a draft as it stands. By itself it then goes out once the last stage has approved it.

    Refused is raised when it reaches nobody, and by portal.approvals with its own sentences.
    """
    with held(message, by=by, at=at, reason=reason) as found:
        row = found.message
        check_not_over(found.incident)
        row.state = next_state("ask", row.state)
        row.send_when_approved = send_when_approved
        _check_reaches(reach_of(found.incident, row.audience, row.recipients), row.audience)
        row.save()
        request = approvals.ask(row, by=by, at=at, reason=reason)
        word = audience_word(row.audience)
        say(
            found.incident, "message", f"asked for approval of a message to {word}", by=by, at=at,
            detail=f"{row.subject} ({request.reference})", reason=reason,
        )  # fmt: skip
    return request


def send(message: Communication, *, by: By, at: datetime, reason: str = "") -> Communication:
    """Send a message to its list, once, and record what the audience was told: this meets their clock.

    Refused is raised for one that went out already or was withdrawn, that lacks its approval, or that reaches nobody.
    """
    with held(message, by=by, at=at, reason=reason) as found:
        row, incident = found.message, found.incident
        check_not_over(incident)
        request = ApprovalRequest.objects.live().filter(kind=APPROVABLE, subject_id=row.pk).first()
        decided = row.state == State.WAITING and request is not None and request.state == RequestState.APPROVED
        state = next_state("send", State.APPROVED if decided else row.state)
        _check_approved(incident, row, request)
        people = reach_of(incident, row.audience, row.recipients)
        _check_reaches(people, row.audience)
        if request is not None:
            approvals.finalise(row, by=by, at=at, reason="The message went out")
        row.state = state
        stamp(row, "sent", by=by, at=at)
        row.save()
        _record(incident, row, people, by=by, at=at, reason=reason)
        notify.queue(_drafts(incident, row, people), at=at)
    return row


def _check_approved(incident: Incident, row: Communication, request: ApprovalRequest | None) -> None:
    if request is not None and request.state == RequestState.PENDING:
        raise Refused(f"It waits for its approval, {request.reference}. It cannot go out before.")
    if request is None and needs_approval(incident, row.audience):
        word = audience_word(row.audience)
        raise Refused(f"Messages to {word} need an approval at {incident.severity.code}. Ask for it first.")


def _check_reaches(people: Reach, audience: str) -> None:
    if people.nobody:
        word = audience_word(audience)
        raise Refused(f"Nobody on the list of {word} can be reached. Tell them by other means, and record it.")


def _record(incident: Incident, row: Communication, people: Reach, *, by: By, at: datetime, reason: str) -> None:
    names = people.names
    told = f"Sent to {', '.join(names[:12])}{f' and {len(names) - 12} more' if len(names) > 12 else ''}."
    if not names:
        told = "Sent to nobody, and recorded for the drill."
    data: dict[str, Any] = {
        "subject": row.subject,
        "communication": row.pk,
        "told": [one.pk for one in people.people],
        "to": " ".join([told, *people.holes[:12]]),
    }
    write_update(incident, audience=row.audience, text=row.text, by=by, at=at, reason=reason, data=data)


def _drafts(incident: Incident, row: Communication, people: Reach) -> list[Draft]:
    inside = row.audience != Audience.CUSTOMERS
    common: dict[str, Any] = {
        "kind": messages.COMMUNICATION,
        "title": row.subject,
        "body": row.text + "\n",
        "about": messages.about(incident),
        "generation": incident.generation,
    }
    drafts: list[Draft] = []
    for person in people.people:
        address = incident.get_absolute_url() if inside and person.user_id is not None else ""
        methods = people.methods.get(person.pk, [])
        drafts += drafts_for(person, methods, key=f"m{row.pk}:c{person.pk}", url_path=address, **common)
    return drafts + [draft_for_channel(one, key=f"m{row.pk}", **common) for one in people.channels]
