"""What the engine does for messages: it pulls what was decided on them, and sends what may go out by itself."""

from __future__ import annotations

from datetime import datetime

from incidents.communications import sending
from incidents.communications.drafting import APPROVABLE, Held, held, withdraw
from incidents.communications.policy import next_state
from incidents.enums import CommunicationState as State
from incidents.models import Communication, Incident
from incidents.policy import Refused
from portal.approvals.enums import LIVE, RequestState
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import Refused as NotApproved
from portal.audit.actor import acting

SYSTEM = "system: communications"
OVER, MERGED = "The incident is over.", "The incident was merged into another. Tell them there."


def settle_all(*, at: datetime) -> int:
    """Look at every message that waits or is approved; return how many moved on."""
    waiting = Communication.objects.filter(state__in=[State.WAITING, State.APPROVED]).select_related("incident")
    rows = list(waiting.order_by("pk"))
    if not rows:
        return 0
    requests = ApprovalRequest.objects.filter(kind=APPROVABLE, subject_id__in=[row.pk for row in rows], state__in=LIVE)
    states = dict(requests.values_list("subject_id", "state"))
    return sum(settle(row, at=at) for row in rows if _moves(row, states.get(row.pk)))


def _moves(row: Communication, state: str | None) -> bool:
    if _over(row.incident) or state is None:
        return True
    return state == RequestState.APPROVED and (row.state == State.WAITING or row.send_when_approved)


def _over(incident: Incident) -> str:
    """Return why nobody is told about this incident any more; "" while they are."""
    if incident.closed_at or incident.cancelled_at:
        return OVER
    return MERGED if incident.merged_at else ""


def settle(message: Communication, *, at: datetime) -> bool:
    """Follow what was decided on one message, and send it when it may; tell whether it moved on.

    What cannot be sent stays approved, for a person to look at.
    """
    with acting(by=SYSTEM, at=at):
        with held(message, by=SYSTEM, at=at, reason="Its approval was decided") as found:
            moved = _follow(found, at=at)
            row = found.message
        if row.state == State.APPROVED and row.send_when_approved:
            try:
                sending.send(row, by=SYSTEM, at=at)
            except (Refused, NotApproved):
                row.send_when_approved = False
                row.save()
            return True
    return moved


def _follow(found: Held, *, at: datetime) -> bool:
    row = found.message
    if row.state not in {State.WAITING, State.APPROVED}:
        return False
    if why := _over(found.incident):
        withdraw(row, by=SYSTEM, at=at, reason=why)
        row.refresh_from_db()
        return True
    live = ApprovalRequest.objects.live().filter(kind=APPROVABLE, subject_id=row.pk).first()
    verb = "reconsider" if live is None else "approve" if live.state == RequestState.APPROVED else ""
    if not verb or (verb == "approve" and row.state == State.APPROVED):
        return False
    row.state = next_state(verb, row.state)
    row.save()
    return True
