"""Messages to audiences as pages show them: what waits in a room, and one message with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType

from incidents.communications import sending
from incidents.communications.drafting import APPROVABLE
from incidents.communications.policy import UNSENT
from incidents.communications.recipients import Reach, described, reach_of
from incidents.enums import CommunicationState
from incidents.looks import Look
from incidents.messages import COMMUNICATION
from incidents.models import Communication, Incident, Subscription
from portal.approvals import services as approvals
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.approvals.services import Standing
from portal.notify.models import Message, MessageState

MESSAGE_LOOKS: dict[str, Look] = {
    CommunicationState.DRAFTED: Look("Draft", "", "pencil"),
    CommunicationState.WAITING: Look("Waits for approval", "amber", "hourglass"),
    CommunicationState.APPROVED: Look("Approved, not sent", "blue", "circle-check"),
    CommunicationState.SENT: Look("Sent", "green", "mail-check"),
    CommunicationState.WITHDRAWN: Look("Withdrawn", "", "ban"),
}
_DELIVERIES: dict[str, Look] = {
    MessageState.SENT: Look("Sent", "green", "circle-check"),
    MessageState.PENDING: Look("On its way", "", "clock"),
    MessageState.SENDING: Look("On its way", "", "clock"),
    MessageState.FAILED: Look("Failed, is tried again", "amber", "triangle-alert"),
    MessageState.DEAD: Look("Did not get through", "red", "octagon-alert"),
    MessageState.CANCELLED: Look("Taken back", "", "ban"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that has not gone out, and how its state looks."""

    message: Communication
    look: Look


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way of a message to one recipient, and what became of it."""

    name: str
    lane: str
    look: Look
    error: str


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One message with its list, its approval and its deliveries."""

    message: Communication
    look: Look
    goes_to: list[str]
    reach: Reach | None
    needs_approval: bool
    standing: Standing
    refused: ApprovalRequest | None
    deliveries: list[Delivery]


def waiting_of(incident: Incident, *, user: Any) -> list[Waiting]:
    """Return the messages of an incident that have not gone out, oldest first."""
    rows = Communication.objects.visible_to(user).filter(incident=incident, state__in=UNSENT)
    found = list(rows.order_by("drafted_at", "id"))
    for row in found:
        row.incident = incident
    return [Waiting(row, MESSAGE_LOOKS[row.state]) for row in found]


def followed_by(user: Any, incident: Incident) -> Subscription | None:
    """Return the reader's own subscription to an incident."""
    mine = Subscription.objects.visible_to(user).filter(person__user_id=user.pk)
    return mine.filter(incident=incident, ended_at=None).first()


def message_page(message: Communication, *, user: Any) -> MessagePage:
    """Return what the page of one message shows."""
    asked = ApprovalRequest.objects.visible_to(user).filter(kind=APPROVABLE, subject_id=message.pk)
    last = asked.order_by("-pk").first() if message.state == CommunicationState.DRAFTED else None
    return MessagePage(
        message=message,
        look=MESSAGE_LOOKS[message.state],
        goes_to=described(message.recipients),
        reach=reach_of(message.incident, message.audience, message.recipients) if message.is_unsent else None,
        needs_approval=sending.needs_approval(message.incident, message.audience),
        standing=approvals.standing(message),
        refused=last if last is not None and last.state in {RequestState.DENIED, RequestState.EXPIRED} else None,
        deliveries=deliveries_of(message) if message.state == CommunicationState.SENT else [],
    )


def deliveries_of(message: Communication) -> list[Delivery]:
    """Return the ways that a sent message took, those that failed first."""
    kind = ContentType.objects.get_for_model(Incident)
    rows = Message.objects.filter(about_type=kind, about_id=message.incident_id, kind=COMMUNICATION)
    mine = [
        row for row in rows.select_related("contact", "channel") if row.idempotency_key.startswith(f"m{message.pk}:")
    ]
    bad = {MessageState.DEAD: 0, MessageState.FAILED: 1}
    mine.sort(key=lambda row: (bad.get(MessageState(row.state), 2), str(row.contact or row.channel), row.lane))
    return [Delivery(str(row.contact or row.channel), row.lane, _DELIVERIES[row.state], row.error) for row in mine]
