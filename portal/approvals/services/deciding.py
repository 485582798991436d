"""Deciding on exactly what was shown: at the open stage, once, never on one's own."""

from __future__ import annotations

from datetime import datetime

from portal.approvals import messages, policy
from portal.approvals.enums import Verdict
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.policy import Refused
from portal.approvals.services.common import Held, close_stages, locked, move, move_stage
from portal.approvals.services.noticing import notice_held
from portal.approvals.services.people import contacts_of, person_of
from portal.approvals.services.stages import open_next
from portal.approvals.shown import differences
from portal.audit.actor import By, actor_of, current
from portal.audit.enums import Action
from portal.audit.trail import record

APPROVED = "approval_approved"
DENIED = "approval_denied"


def decide(
    request: ApprovalRequest,
    *,
    stage: Stage,
    verdict: str,
    digest: str,
    confirmed: bool,
    by: By,
    at: datetime,
    reason: str = "",
) -> ApprovalRequest:
    """Write down what somebody decided at a stage, and what follows from it.

    `digest` is that of what they read, `confirmed` whether they have lately confirmed that it is them. Refused is
    raised with the sentence that says why not: see portal.approvals.policy. Whoever may not decide writes nothing. For
    whoever may, a record that was changed meanwhile voids the request, and one that names another implementer has
    every stage decide anew: so it stays although the decision is refused.
    """
    with locked(request, by=by, at=at, reason=reason.strip() or _plain_reason(verdict)) as held:
        found = Stage.objects.filter(request=held.request, pk=stage.pk).select_related("request").first()
        if found is None:
            raise Refused("This stage belongs to another request.")
        person = person_of(by, held.request)
        policy.check_decide(held.request, found, person, at=at)
        noticed = notice_held(held, at=at)
        if not noticed:
            _decide(
                held, found, person, verdict=verdict, digest=digest, confirmed=confirmed, by=by, at=at,
                reason=reason,
            )  # fmt: skip
    if noticed:
        raise Refused(noticed)
    return held.request


def _plain_reason(verdict: str) -> str:
    return "Approved what was shown" if verdict == Verdict.APPROVE else ""


def _decide(
    held: Held, stage: Stage, person: policy.Person,
    *, verdict: str, digest: str, confirmed: bool, by: By, at: datetime, reason: str,
) -> None:  # fmt: skip
    request = held.request
    if digest != request.digest:
        raise Refused(_other_words(request, digest))
    if kept_back := held.kind.kept_back(held.subject, request.shown):
        raise Refused(kept_back)
    held_up = held.kind.held_up(held.subject) if verdict == Verdict.APPROVE else ""
    if held_up:
        raise Refused(held_up)
    policy.check_words(verdict, reason)
    policy.check_confirmed(confirmed=confirmed)
    decision = _write(request, stage, person, verdict=verdict, by=by, at=at, reason=reason.strip())
    words = f"{decision.get_verdict_display()} stage {stage.position}, {stage.name}"
    record(Action.DECIDED, event=words, subject=request, reason=decision.reason)
    if verdict == Verdict.DENY:
        _deny(request, stage, decision, by=by, at=at)
    else:
        _approve(request, stage, by=by, at=at)


def _other_words(request: ApprovalRequest, digest: str) -> str:
    """Return the sentence for a decision on other words than those shown: what changed, where they are known."""
    others = ApprovalRequest.objects.filter(kind=request.kind, subject_id=request.subject_id, digest=digest)
    read = others.order_by("-pk").first()
    if read is None:
        return policy.NOT_WHAT_IS_SHOWN
    told = "; ".join(str(one) for one in differences(read.shown, request.shown))
    return f"{policy.NOT_WHAT_IS_SHOWN} Changed since {read.reference}: {told}."


def _write(
    request: ApprovalRequest, stage: Stage, person: policy.Person, *, verdict: str, by: By, at: datetime, reason: str
) -> Decision:
    actor, context = actor_of(by), current()
    return Decision.objects.create(
        request=request,
        stage=stage,
        round=request.round,
        decider_id=person.user_id,
        decided_by=actor.name,
        decided_at=at,
        verdict=verdict,
        reason=reason,
        digest=request.digest,
        requester_id=request.requester_id,
        requester_name=request.requester_name,
        implementer_id=request.implementer_id,
        implementer_name=request.implementer_name,
        gesture=context.gesture if context else None,
        origin=context.origin if context else "",
        address=context.address if context else "",
    )


def _approve(request: ApprovalRequest, stage: Stage, *, by: By, at: datetime) -> None:
    mine = Decision.objects.filter(stage=stage, round=request.round, verdict=Verdict.APPROVE)
    if mine.count() < stage.needed:
        return
    move_stage(stage, "approve")
    if open_next(request, at=at) is not None:
        return
    move(request, "approve", by=by, at=at, outcome="Every stage has approved it.")
    messages.stop_asking(request, at=at)
    _tell_requester(request, kind=APPROVED, at=at)


def _deny(request: ApprovalRequest, stage: Stage, decision: Decision, *, by: By, at: datetime) -> None:
    move_stage(stage, "deny")
    close_stages(request)
    move(request, "deny", by=by, at=at, outcome=decision.reason)
    messages.stop_asking(request, at=at)
    _tell_requester(request, kind=DENIED, at=at)


def _tell_requester(request: ApprovalRequest, *, kind: str, at: datetime) -> None:
    people = contacts_of([request.requester_id, request.implementer_id])
    messages.tell(request, people, kind=kind, key="end", at=at)
