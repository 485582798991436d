"""Naming another implementer: the decisions so far are void, because one of them may be theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.accounts.models import User
from portal.approvals import messages, policy
from portal.approvals.enums import StageState
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import NotYours, Refused
from portal.approvals.registry import Approvable
from portal.approvals.services.asking import rule_for
from portal.approvals.services.common import SYSTEM, Held, locked, move, move_stage, set_deadlines, stages_of
from portal.approvals.services.people import account_of, authors_of
from portal.approvals.services.stages import check_somebody, open_next
from portal.approvals.services.voiding import tell_all, void_if_changed
from portal.audit.actor import By, acting
from portal.deadlines import services as deadlines
from portal.lib.blank import is_blank

RESTARTED = "approval_restarted"


def reassign(
    request: ApprovalRequest, *, implementer: User | None, by: By, at: datetime, reason: str
) -> ApprovalRequest:
    """Name another implementer, or none: every stage decides anew, in the time that the rule gives.

    NotYours is raised for whoever neither asked nor may change the record; Refused when the request is over, when that
    person carries it out already, when the record itself names who does, and without a reason.
    """
    with locked(request, by=by, at=at, reason=reason) as held:
        check_may_name(held.request, held.kind, account_of(by))
        voided = void_if_changed(held.request, held.kind, held.subject, at=at)
        if not voided:
            if is_blank(reason):
                raise Refused(policy.NO_WORDS)
            _check_named_here(held)
            named = implementer.pk if implementer else None
            apart = [held.request.requester_id, named, *authors_of(held.request)]
            check_somebody(stages_of(held.request), but=apart)
            _restart(held, implementer, by=by, at=at)
    if voided:
        raise Refused(voided)
    return held.request


def _check_named_here(held: Held) -> None:
    """Refuse to name another implementer than the record does: the next look at it would take that back."""
    named = held.kind.implementer(held.subject) if held.subject is not None else None
    if named is not None:
        raise Refused(policy.NAMED_THERE.format(name=named))


def check_may_name(request: ApprovalRequest, kind: Approvable | None, account: User) -> None:
    """Refuse whoever neither asked nor may change the record, and what nobody carries out, with NotYours.

    A closed account is refused too.
    """
    if not account.is_active:
        raise Refused(policy.CLOSED_ACCOUNT)
    if kind is not None and not kind.carried_out:
        raise NotYours(policy.NOT_CARRIED_OUT)
    if account.pk != request.requester_id and not (kind is not None and kind.may_ask(account)):
        raise NotYours(policy.NOT_TO_NAME)


def follow_implementer(held: Held, *, at: datetime) -> str:
    """Name the implementer whom the locked record itself names now, where it names one that the request does not.

    Return the sentence that says that every stage decides anew; "" when nobody else is named.
    """
    named = held.kind.implementer(held.subject) if held.subject is not None else None
    if named is None or not held.request.is_live or named.pk == held.request.implementer_id:
        return ""
    with acting(by=SYSTEM, at=at, reason=f"The record names {named} as its implementer."):
        _restart(held, named, by=SYSTEM, at=at)
    return held.request.outcome


def _restart(held: Held, implementer: User | None, *, by: By, at: datetime) -> None:
    request = held.request
    policy.next_state("reassign", request.state)
    new, old = str(implementer or ""), request.implementer_name
    if (implementer.pk if implementer else None, new) == (request.implementer_id, old):
        raise Refused(f"{old} carries it out already." if old else "Nobody is named to carry it out already.")
    rule = rule_for(held.kind, held.subject) if held.subject is not None else None
    request.implementer_id, request.implementer_name = (implementer.pk if implementer else None), new
    request.round += 1
    if rule is not None:
        request.decide_by = at + timedelta(hours=rule.decide_within_hours)
    deadlines.cancel(subject=request, at=at)
    messages.stop_asking(request, at=at)
    move(request, "reassign", by=by, at=at, outcome=policy.restarted(old=old, new=new))
    for stage in stages_of(request):
        if stage.state != StageState.WAITING:
            move_stage(stage, "reset")
    set_deadlines(request, at=at)
    tell_all(request, kind=RESTARTED, at=at)
    open_next(request, at=at)
