"""Deciding on a change: asked for, approved, rejected; and following what the approval says."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from changes import policy
from changes.approving import CHANGE
from changes.enums import ChangeType, Status
from changes.models import Change
from changes.policy import NotYours, Refused
from changes.services.common import keep_period, locked, say
from changes.services.releasing import set_cells
from portal.approvals import services as approvals
from portal.approvals.enums import RequestState, Stands, Verdict
from portal.approvals.models import ApprovalRequest, Stage
from portal.approvals.policy import NotYours as NotTheirs
from portal.approvals.policy import Refused as NotDecided
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState

SYSTEM = "system: changes"
OWED = "change.owed"


def ask(change: Change, *, by: By, at: datetime, reason: str) -> ApprovalRequest:
    """Ask for the approval of an assessed change, of exactly what it says now. Its requester never decides."""
    follow(change, at=at)
    with locked(change, by=by, at=at, reason=reason) as row:
        if row.type == ChangeType.STANDARD:
            raise Refused("A standard change needs no approval of its own: its template was approved.")
        if row.type != ChangeType.EMERGENCY or row.started_at is None:
            policy.next_status("approve", row.status)
        return ask_held(row, by=by, at=at, reason=reason)


def ask_held(row: Change, *, by: By, at: datetime, reason: str) -> ApprovalRequest:
    """Ask for the approval of a locked change."""
    try:
        request = approvals.ask(row, by=by, at=at, reason=reason)
    except NotTheirs as problem:
        raise NotYours(str(problem)) from None
    except NotDecided as problem:
        raise Refused(str(problem)) from None
    say(row, "asked", f"asked for approval, {request.reference}", by=by, at=at, reason=reason)
    return request


def approve(change: Change, *, digest: str, confirmed: bool, by: By, at: datetime, reason: str = "") -> Change:
    """Approve at the stage that decides now what the digest stands for; after the last stage the change is approved.

    Refused is raised with the sentence of portal.approvals: its requester and its implementer never decide, nobody
    decides twice, and a content that has moved is not decided on.
    """
    return _decide(change, Verdict.APPROVE, digest=digest, confirmed=confirmed, by=by, at=at, reason=reason)


def reject(change: Change, *, digest: str, confirmed: bool, by: By, at: datetime, reason: str) -> Change:
    """Reject it at the stage that decides now: this ends the request. A reason is required."""
    return _decide(change, Verdict.DENY, digest=digest, confirmed=confirmed, by=by, at=at, reason=reason)


def _decide(
    change: Change, verdict: Verdict, *, digest: str, confirmed: bool, by: By, at: datetime, reason: str
) -> Change:
    request = ApprovalRequest.objects.live().filter(kind=CHANGE.kind, subject_id=change.pk).first()
    if request is None or request.state != RequestState.PENDING:
        row = Change.objects.get(pk=change.pk)
        policy.next_status("approve" if verdict == Verdict.APPROVE else "reject", row.status)
        raise Refused("Nobody has asked for its approval yet. Ask for it first.")
    stage = Stage.objects.filter(request=request, state="open").first()
    if stage is None:
        raise Refused("No stage decides on it now.")
    try:
        approvals.decide(
            request, stage=stage, verdict=verdict, digest=digest, confirmed=confirmed, by=by, at=at, reason=reason
        )
    except NotTheirs as problem:
        raise NotYours(str(problem)) from None
    except NotDecided as problem:
        follow(change, at=at)
        raise Refused(str(problem)) from None
    return follow(change, at=at)


def follow(change: Change, *, at: datetime) -> Change:
    """Let a change stand as its approval says: approved, rejected, or to be decided on again.

    It is called after each decision, by the sweep, and before whatever rests on the approval.
    """
    with transaction.atomic(), acting(by=SYSTEM, at=at, reason="Its approval was decided", origin="task"):
        row = Change.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if row.status == Status.ASSESSED and row.type != ChangeType.STANDARD:
            _follow_decision(row, at=at)
        elif row.status in (Status.APPROVED, Status.SCHEDULED) and row.type != ChangeType.STANDARD:
            _follow_loss(row, at=at)
        elif row.type == ChangeType.EMERGENCY and row.started_at is not None and row.approved_at is None:
            _follow_afterwards(row, at=at)
        if row.status in (Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.SCHEDULED):
            set_cells(row)  # a check may have been added since it was submitted
    return row


def _follow_afterwards(row: Change, *, at: datetime) -> None:
    """Keep what was decided afterwards on an emergency. A denial undoes nothing: it stays on the record."""
    latest = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=row.pk).order_by("-pk").first()
    decided = latest is not None and latest.state in (RequestState.APPROVED, RequestState.DENIED)
    if latest is None or not decided or row.rejected_at is not None:
        return
    standing = approvals.standing(row)
    if latest.state == RequestState.APPROVED:
        if not standing.approved:  # something that it shows was renamed since: the request is about to be void
            return
        row.approved_at, row.approved_by = latest.settled_at, ", ".join(standing.by)[:500]
        approvals.finalise(row, by=SYSTEM, at=at, reason="It was carried out before it was approved")
    else:
        row.rejected_at, row.rejected_by = latest.settled_at, latest.settled_by
    row.save()
    for deadline in deadlines.of(row, [OWED]).filter(key__startswith="approval:", state=DeadlineState.PENDING):
        deadlines.meet(subject=row, kind=OWED, key=deadline.key, at=at)
    words = f"approved afterwards by {row.approved_by}" if row.approved_at else f"rejected by {row.rejected_by}"
    say(row, "afterwards", f"saw it {words}", by=SYSTEM, at=at, detail=latest.outcome)


def _follow_decision(row: Change, *, at: datetime) -> None:
    standing = approvals.standing(row)
    request = standing.request
    if standing.stands == Stands.APPROVED and request is not None:
        row.status = policy.next_status("approve", row.status)
        row.approved_at, row.approved_by = request.settled_at, ", ".join(standing.by)[:500]
        row.save()
        say(row, "approved", f"saw its approval by {row.approved_by}", by=SYSTEM, at=at, data={"request": request.pk})
        return
    latest = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=row.pk).order_by("-pk").first()
    if (
        latest is not None
        and latest.state == RequestState.DENIED
        and latest.digest == CHANGE.digest(CHANGE.read(row.pk))
    ):
        row.status = policy.next_status("reject", row.status)
        row.rejected_at, row.rejected_by = latest.settled_at, latest.settled_by
        row.save()
        say(row, "rejected", f"saw it rejected by {latest.settled_by}", by=SYSTEM, at=at, detail=latest.outcome)


def _follow_loss(row: Change, *, at: datetime) -> None:
    """Take back what rested on an approval that no longer stands, such as one that was withdrawn."""
    if approvals.standing(row).approved:
        return
    row.status = policy.next_status("lose the approval of", row.status)
    stamp(row, "approved", by=None, at=None)
    stamp(row, "scheduled", by=None, at=None)
    row.save()
    keep_period(row)
    say(row, "lost", "saw that its approval no longer stands", by=SYSTEM, at=at, detail="Ask for it again.")
