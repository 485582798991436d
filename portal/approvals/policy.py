"""The rules of an approval as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from portal.approvals.enums import RequestState, StageState, Verdict
from portal.approvals.shown import Moved
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal


class Refused(Refusal):
    """An act does not fit the request as it stands, or whoever acts. The sentence is shown to the user."""


class NotYours(Refused):
    """Whoever acts has no part in this act on this request, however it stands."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[RequestState, RequestState]] = MappingProxyType(
    {
        "approve": {RequestState.PENDING: RequestState.APPROVED},
        "deny": {RequestState.PENDING: RequestState.DENIED},
        "expire": {RequestState.PENDING: RequestState.EXPIRED},
        "void": {RequestState.PENDING: RequestState.VOIDED, RequestState.APPROVED: RequestState.VOIDED},
        "withdraw": {RequestState.PENDING: RequestState.WITHDRAWN, RequestState.APPROVED: RequestState.WITHDRAWN},
        "reassign": {RequestState.PENDING: RequestState.PENDING, RequestState.APPROVED: RequestState.PENDING},
        "finalise": {RequestState.APPROVED: RequestState.FINAL},
    }
)

# The same of a stage. A stage that is reset waits again, because the implementer changed and decisions are void.
STAGE_TRANSITIONS: MappingProxyType[str, dict[StageState, StageState]] = MappingProxyType(
    {
        "open": {StageState.WAITING: StageState.OPEN},
        "approve": {StageState.OPEN: StageState.APPROVED},
        "deny": {StageState.OPEN: StageState.DENIED},
        "close": {StageState.WAITING: StageState.CLOSED, StageState.OPEN: StageState.CLOSED},
        "reset": {StageState.OPEN: StageState.WAITING, StageState.APPROVED: StageState.WAITING},
    }
)

# Why nothing is decided any more.
OVER: MappingProxyType[RequestState, str] = MappingProxyType(
    {
        RequestState.APPROVED: "Every stage has approved it already. Nothing is left to decide.",
        RequestState.DENIED: "It was denied. Nothing is left to decide; it can be asked for again.",
        RequestState.EXPIRED: "The time to decide has passed. It has to be asked for again.",
        RequestState.VOIDED: "The record was changed, so this request is void. It has to be asked for again.",
        RequestState.WITHDRAWN: "It was withdrawn. Nothing is left to decide.",
        RequestState.FINAL: "It is final: the record has moved on. Nothing is decided any more.",
    }
)

CLOSED_ACCOUNT = "This account is closed. Only people who can sign in decide."
OWN = "You asked for this approval yourself. Somebody else decides."
IMPLEMENTER = "You carry this out yourself. Somebody else decides."
WROTE = "You edited this yourself. Somebody else decides."
VOUCHED = "It went ahead on your word. Somebody else decides on it afterwards."
TWICE = "You have decided on this already. Each person decides once, at one stage."
LATE = OVER[RequestState.EXPIRED]
NO_REASON = "Say in a sentence why you deny it. The reason is kept for good and sent to whoever asked."
UNCONFIRMED = "Confirm that it is you, then decide."
NOT_WHAT_IS_SHOWN = "What you read is not what this request shows. Open its page again, read it, then decide."
CHANGED_UNSEEN = "The record was changed after it was shown, so this request is void."
NOT_YOURS = "Only {name}, who asked for it, can withdraw it."
NOT_TO_ASK = "Whoever may change a record may ask for its approval."
NOT_CARRIED_OUT = "Nobody carries this out, so there is nobody to name."
NOT_TO_NAME = "Only whoever asked, or may change the record, names who carries it out."
NAMED_THERE = "The record itself says that {name} carries it out. Name somebody else there; then it is asked for anew."
NO_WORDS = "Say in a sentence why. It is kept with the request."


class RequestLike(Protocol):
    """What the rules read of a request."""

    state: str
    requester_id: int
    requester_name: str
    implementer_id: int | None
    decide_by: datetime
    outcome: str


class StageLike(Protocol):
    """What the rules read of a stage."""

    position: int
    name: str
    role: str
    state: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever acts: the account, whether it is open, its roles, whether it decided already, or wrote what is asked.

    `vouched` tells whether what is asked went ahead on their word.
    """

    user_id: int
    active: bool
    roles: frozenset[str]
    decided: bool = False
    wrote: bool = False
    vouched: bool = False


def over(state: str, outcome: str) -> str:
    """Return why nothing is decided in this state; of what is void, what changed."""
    return outcome if state == RequestState.VOIDED and outcome else OVER.get(RequestState(state), "")


def next_state(verb: str, state: str) -> RequestState:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = RequestState(state)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        raise Refused(OVER.get(before, f"This request is {before.label.lower()}, so it cannot be finished."))
    return after


def next_stage_state(verb: str, state: str) -> StageState:
    """Return the state of a stage that `verb` leads to. KeyError is raised when it leads nowhere from here."""
    return STAGE_TRANSITIONS[verb][StageState(state)]


def check_decide(request: RequestLike, stage: StageLike, person: Person, *, at: datetime) -> None:
    """Refuse a decision of this person at this stage at that moment, with the sentence that says why."""
    check_open(request, at=at)
    check_person(request, person)
    check_stage(stage, person)


def can_decide(request: RequestLike, stage: StageLike, person: Person, *, at: datetime) -> bool:
    """Tell whether this person may decide at this stage."""
    return not why_not(request, stage, person, at=at)


def why_not(request: RequestLike, stage: StageLike, person: Person, *, at: datetime) -> str:
    """Return why this person may not decide at this stage; "" when they may."""
    try:
        check_decide(request, stage, person, at=at)
    except Refused as refused:
        return str(refused)
    return ""


def check_open(request: RequestLike, *, at: datetime) -> None:
    """Refuse once nothing is left to decide, and after the time to decide, whether or not a sweep has noticed.

    Of what is void the sentence says what changed.
    """
    if request.state != RequestState.PENDING:
        raise Refused(over(request.state, request.outcome))
    if at > request.decide_by:
        raise Refused(LATE)


def check_person(request: RequestLike, person: Person) -> None:
    """Refuse a closed account, the requester, the implementer, who wrote it or let it go ahead, and who has decided."""
    if not person.active:
        raise Refused(CLOSED_ACCOUNT)
    if person.user_id == request.requester_id:
        raise Refused(OWN)
    if person.user_id == request.implementer_id:
        raise Refused(IMPLEMENTER)
    if person.wrote:
        raise Refused(WROTE)
    if person.vouched:
        raise Refused(VOUCHED)
    if person.decided:
        raise Refused(TWICE)


def check_stage(stage: StageLike, person: Person) -> None:
    """Refuse a stage that is not open, and a person without its role."""
    if stage.state == StageState.WAITING:
        raise Refused(f"Stage {stage.position}, {stage.name}, is not open yet. The stages before it decide first.")
    if stage.state != StageState.OPEN:
        raise Refused(f"Stage {stage.position}, {stage.name}, is decided already.")
    if stage.role not in person.roles:
        raise Refused(f"Only people with the role {stage.role} decide at stage {stage.position}, {stage.name}.")


def check_words(verdict: str, reason: str) -> None:
    """Refuse a denial without a reason."""
    if verdict == Verdict.DENY and is_blank(reason):
        raise Refused(NO_REASON)


def check_confirmed(*, confirmed: bool) -> None:
    """Refuse whoever has not confirmed lately that it is them."""
    if not confirmed:
        raise Refused(UNCONFIRMED)


def check_withdraw(request: RequestLike, person: Person, reason: str) -> None:
    """Refuse to withdraw what somebody else asked for, with NotYours; what is over, and to say no reason."""
    check_requester(request, person)
    next_state("withdraw", request.state)
    if is_blank(reason):
        raise Refused(NO_WORDS)


def check_requester(request: RequestLike, person: Person) -> None:
    """Refuse a closed account; and whoever did not ask, with NotYours."""
    if not person.active:
        raise Refused(CLOSED_ACCOUNT)
    if person.user_id != request.requester_id:
        raise NotYours(NOT_YOURS.format(name=request.requester_name))


def changed(moved: Iterable[Moved]) -> str:
    """Return the sentence that refuses a decision on what the record no longer is."""
    told = "; ".join(str(one) for one in moved)
    return f"{CHANGED_UNSEEN} Changed: {told or 'it is gone'}."


def restarted(*, old: str, new: str) -> str:
    """Return the sentence that says why every stage decides anew."""
    if not new:
        return f"{old} no longer carries it out. The decisions so far are void; every stage decides anew."
    instead = f" in place of {old}" if old else ""
    return f"{new} carries it out{instead}. The decisions so far are void; every stage decides anew."
