"""One request: what it shows word for word, its stages with who decided what, and what its reader may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404

from portal.accounts.models import User
from portal.approvals import policy, registry, services
from portal.approvals.enums import RequestState, StageState, Verdict
from portal.approvals.looks import STAGE_LOOKS, Look, state_look
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.registry import Approvable
from portal.approvals.selectors.listing import SOON

MOST_NAMES = 6


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage: how it looks, its decisions in this round, and who may still decide, in words."""

    stage: Stage
    classes: str
    icon: str
    decisions: list[Decision]
    approved: int
    people: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """The page of one request for one reader.

    `refusal` says why the reader may not decide, "" when they may; `kept_back` why its words may not be read just now;
    `out_of_date` what changed since it was shown: the next sweep voids the request. `earlier` are decisions that
    became void because the implementer changed.
    """

    request: ApprovalRequest
    look: Look
    kind: Approvable | None
    record_url: str
    lines: list[StageLine]
    earlier: list[Decision]
    deciding: Stage | None
    refusal: str
    out_of_date: str
    kept_back: str
    soon: bool
    may_withdraw: bool
    may_name: bool
    may_ask_again: bool


def request_for(user: Any, reference: str) -> ApprovalRequest:
    """Return the request of that reference; Http404 is raised for what the reader may not see."""
    found: ApprovalRequest | None = ApprovalRequest.objects.visible_to(user).filter(reference__iexact=reference).first()
    if found is None:
        raise Http404("There is no such request.")
    return found


def room_of(request: ApprovalRequest, user: User, *, at: datetime) -> Room:
    """Return everything of one request that its reader may see."""
    kind = registry.of_kind(request.kind)
    subject = kind.read(request.subject_id) if kind is not None else None
    stages = list(request.stages.order_by("position"))
    decisions = list(request.decisions.order_by("pk"))
    deciding = next((stage for stage in stages if stage.state == StageState.OPEN), None)
    may_ask = kind is not None and kind.may_ask(user)
    mine = request.requester_id == user.pk
    out_of_date = services.out_of_date(request, kind, subject) if kind is not None else ""
    kept_back = kind.kept_back(subject, request.shown) if kind is not None else ""
    refusal = refusal_at(request, deciding, user, at=at)
    return Room(
        request=request,
        look=state_look(request.state),
        kind=kind,
        record_url=_record_url(kind, subject, user),
        lines=[_line(stage, decisions, request, user) for stage in stages],
        earlier=[one for one in decisions if one.round != request.round],
        deciding=deciding,
        refusal=kept_back or refusal or out_of_date if deciding is not None else refusal,
        out_of_date=policy.CHANGED_UNSEEN if kept_back and out_of_date else out_of_date,
        kept_back=kept_back,
        soon=request.state == RequestState.PENDING and request.decide_by - at < SOON,
        may_withdraw=mine and request.is_live,
        may_name=(mine or may_ask) and request.is_live and _is_named_here(kind, subject),
        may_ask_again=kind is not None
        and may_ask
        and subject is not None
        and _is_over(request, out_of_date)
        and not kind.not_yet(subject),
    )


def _is_named_here(kind: Approvable | None, subject: Any) -> bool:
    """Tell whether the request says who carries the record out: somebody does, and the record itself names nobody."""
    if kind is None or not kind.carried_out:
        return False
    return subject is None or kind.implementer(subject) is None


def _is_over(request: ApprovalRequest, out_of_date: str) -> bool:
    """Tell whether another request may take its place: it ended otherwise than final, or is about to be void."""
    return bool(out_of_date) or not (request.is_live or request.state == RequestState.FINAL)


def never_decides(request: ApprovalRequest, user: User) -> bool:
    """Tell whether the reader has no part in deciding, however the request stands: the role of none of its stages."""
    return user.role_names.isdisjoint(stage.role for stage in request.stages.all())


def _record_url(kind: Approvable | None, subject: Any, user: User) -> str:
    if kind is None or subject is None:
        return ""
    url = kind.url(subject)
    return "" if url.startswith("/admin/") and not user.is_staff else url


def refusal_at(request: ApprovalRequest, stage: Stage | None, user: User, *, at: datetime) -> str:
    """Return why the reader may not decide at a stage, the open one or another; "" when they may."""
    if stage is None:
        return policy.over(request.state, request.outcome)
    return policy.why_not(request, stage, services.person_of(user, request), at=at)


def _line(stage: Stage, decisions: Sequence[Decision], request: ApprovalRequest, user: User) -> StageLine:
    classes, icon = STAGE_LOOKS[stage.state]
    mine = [one for one in decisions if one.stage_id == stage.pk and one.round == request.round]
    approved = sum(one.verdict == Verdict.APPROVE for one in mine)
    return StageLine(stage, classes, icon, mine, approved, _people(stage, user))


def _people(stage: Stage, user: User) -> str:
    """Return in words who may still decide at a stage that has not decided."""
    if stage.state not in {StageState.OPEN, StageState.WAITING}:
        return ""
    found = list(services.may_decide(stage)[: MOST_NAMES + 1])
    names = ["You" if one.pk == user.pk else str(one) for one in found[:MOST_NAMES]]
    names.sort(key=lambda name: name != "You")
    if not names:
        return f"Nobody can decide: give somebody else the role {stage.role}."
    if len(found) > MOST_NAMES:
        return f"{', '.join(names)} and others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
