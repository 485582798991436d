"""The other ends of a request: withdrawn by whoever asked, expired, final because the record has moved on."""

from __future__ import annotations

from datetime import datetime

from django.db import models, transaction

from portal.approvals import messages, policy, registry
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import Refused
from portal.approvals.services.common import SYSTEM, close_stages, lock_subject, locked, move
from portal.approvals.services.people import person_of
from portal.approvals.services.voiding import tell_all, void_if_changed
from portal.audit.actor import By, acting

WITHDRAWN = "approval_withdrawn"
EXPIRED = "approval_expired"
NOT_APPROVED = "It is not approved as it stands. Ask for its approval first."


def withdraw(request: ApprovalRequest, *, by: By, at: datetime, reason: str) -> ApprovalRequest:
    """Take a request back. Refused is raised for what somebody else asked for, what is over, and without a reason."""
    with locked(request, by=by, at=at, reason=reason) as held:
        policy.check_withdraw(held.request, person_of(by), reason)
        _withdraw(held.request, by=by, at=at, reason=reason)
    return held.request


def withdraw_with_record(request: ApprovalRequest, *, by: By, at: datetime, reason: str) -> ApprovalRequest:
    """Take back the request of a record that is given up, by whoever gives it up. The caller says who may do that.

    Refused is raised for a request that is over.
    """
    with locked(request, by=by, at=at, reason=reason) as held:
        _withdraw(held.request, by=by, at=at, reason=reason)
    return held.request


def _withdraw(request: ApprovalRequest, *, by: By, at: datetime, reason: str) -> None:
    move(request, "withdraw", by=by, at=at, outcome=reason.strip())
    close_stages(request)
    messages.stop_asking(request, at=at)
    tell_all(request, kind=WITHDRAWN, at=at)


def expire(request: ApprovalRequest, *, at: datetime) -> None:
    """End a locked request whose time to decide has passed; nothing happens when it has ended already."""
    if request.state != RequestState.PENDING:
        return
    outcome = "Nobody decided in time."
    with acting(by=SYSTEM, at=at, reason=outcome):
        request.state = policy.next_state("expire", request.state)
        request.settled_at, request.settled_by, request.outcome = at, SYSTEM, outcome
        request.save()
        close_stages(request)
        messages.stop_asking(request, at=at)
        tell_all(request, kind=EXPIRED, at=at)


@transaction.atomic
def finalise(
    subject: models.Model, *, by: By, at: datetime, reason: str = "The record has moved on"
) -> ApprovalRequest:
    """Make the approval of a record final, in the transaction in which the record moves on.

    Afterwards nothing is decided, withdrawn or voided. Refused is raised when the record is not approved as it stands.
    """
    kind = registry.of_subject(subject)
    if kind is None:
        raise Refused(f"A {subject._meta.verbose_name} is not approved here.")
    with acting(by=by, at=at, reason=reason):
        standing = lock_subject(kind, subject.pk)
        request = (
            ApprovalRequest.objects.live().filter(kind=kind.kind, subject_id=subject.pk).select_for_update().first()
        )
        if request is None or request.state != RequestState.APPROVED:
            raise Refused(NOT_APPROVED)
        voided = void_if_changed(request, kind, standing, at=at)
        if voided:
            raise Refused(voided)
        move(request, "finalise", by=by, at=at, outcome=reason)
    return request
