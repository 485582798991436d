"""The rules of engagements and reviews as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from portal.assurance.enums import DECIDED, EngagementState, ItemState, ReviewKind, ReviewState
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal


class Refused(Refusal):
    """An act does not fit what it is done to, or whoever does it. The sentence is shown to the user."""


# verb: {state before: state after}. An engagement starts and runs out by its own dates.
ENGAGEMENT: MappingProxyType[str, dict[EngagementState, EngagementState]] = MappingProxyType(
    {
        "end": {
            EngagementState.PLANNED: EngagementState.ENDED,
            EngagementState.RUNNING: EngagementState.ENDED,
        },
    }
)

REVIEW: MappingProxyType[str, dict[ReviewState, ReviewState]] = MappingProxyType(
    {
        "hand over": {ReviewState.OPEN: ReviewState.OPEN},
        "sign": {ReviewState.OPEN: ReviewState.SIGNED},
        "call off": {ReviewState.OPEN: ReviewState.CALLED_OFF},
    }
)

ITEMS: MappingProxyType[ReviewKind, Mapping[str, dict[ItemState, ItemState]]] = MappingProxyType(
    {
        ReviewKind.CHANGES: {
            "attest": {ItemState.OPEN: ItemState.ATTESTED},
            "question": {
                ItemState.OPEN: ItemState.QUESTIONED,
                ItemState.ATTESTED: ItemState.QUESTIONED,
                ItemState.ANSWERED: ItemState.QUESTIONED,
            },
            "answer": {ItemState.QUESTIONED: ItemState.ANSWERED},
            "settle": {ItemState.QUESTIONED: ItemState.SETTLED, ItemState.ANSWERED: ItemState.SETTLED},
            "follow up": {ItemState.QUESTIONED: ItemState.FOLLOWED_UP, ItemState.ANSWERED: ItemState.FOLLOWED_UP},
        },
        ReviewKind.ACCESS: {
            "attest": {ItemState.OPEN: ItemState.ATTESTED},
            "revoke": {ItemState.OPEN: ItemState.REVOKED, ItemState.ATTESTED: ItemState.REVOKED},
            "note as gone": {ItemState.OPEN: ItemState.GONE, ItemState.ATTESTED: ItemState.GONE},
        },
    }
)

# The verbs that must say something, with the sentence for whoever says nothing.
WORDS: MappingProxyType[str, str] = MappingProxyType(
    {
        "question": "Say what you want to know. It is sent to whoever made the change.",
        "answer": "Answer in a sentence. It is kept with the review.",
        "settle": "Say what settles it. It is kept with the review.",
        "follow up": "Say what is to be done, and by whom.",
        "revoke": "Say why it is revoked. The reason is kept with the account.",
    }
)

_REVIEW_OVER: MappingProxyType[ReviewState, str] = MappingProxyType(
    {
        ReviewState.SIGNED: "This review is signed off. Nothing in it changes any more.",
        ReviewState.CALLED_OFF: "This review was called off. Nothing in it is decided any more.",
    }
)

_ITEM: MappingProxyType[tuple[str, ItemState], str] = MappingProxyType(
    {
        ("attest", ItemState.QUESTIONED): "It is questioned. Settle the question, or have it followed up.",
        ("attest", ItemState.ANSWERED): "The question is answered. Settle it, or have it followed up.",
        ("answer", ItemState.ANSWERED): "It is answered already. The reviewer settles it or asks again.",
        ("answer", ItemState.OPEN): "Nobody has asked anything about it.",
    }
)

ENDED_ALREADY: MappingProxyType[EngagementState, str] = MappingProxyType(
    {
        EngagementState.OVER: "This engagement is over already.",
        EngagementState.ENDED: "This engagement was ended already.",
    }
)

CLOSED_ACCOUNT = "This account is closed. Only people who can sign in do this."
NOT_YOURSELF = "Nobody grants an engagement to themselves. Ask another administrator."
NOT_AN_AUDITOR = "{name} does not have the role Auditor. An administrator gives it first."
INACTIVE_AUDITOR = "The account of {name} is closed, so that nobody could sign in with it."
NOTHING_IN_SCOPE = "Choose at least one kind of record that the engagement opens."
NO_REASON = "Say why. The reason is kept for good."
ENDS_BEFORE_START = "The engagement must end after it starts. Choose a later end."
ENDS_IN_THE_PAST = "That end has passed. Choose a later one."
RECORDS_END_BEFORE_START = "The period of the records must end after it starts."
UNCONFIRMED = "Confirm that it is you, then do it again."
NOT_A_REVIEWER = "Only its reviewers decide in this review. An administrator can hand it over to you."
OWN_CHANGE = "You made this change yourself. Another reviewer decides on it."
OWN_ACCESS = "This is your own access. Another reviewer decides on it."
RESTRICTED = (
    "It touches a restricted record that you may not read. One of its members, or a security lead, decides on it."
)
NOT_ASKED = "The question went to {name}. Only they answer it."
NO_REVIEWERS = "Name somebody who reviews, or a role whose people do."
NOT_A_REVIEWING_ACCOUNT = "{names} may not review. Choose people who may change reviews."
STILL_OPEN = "{count} of {total} items are not decided yet. Decide on them, then sign."
NO_STATEMENT = "Say in a sentence what you attest. It stands above your name for good."
ALTERED = (
    "The trail no longer says what this review was made of: {count} items differ. Nothing was signed. "
    "Run a full check of the trail, and tell the security lead."
)
PERIOD_ORDER = "The period must end after it starts."
PERIOD_NOT_OVER = "The period is not over yet. Review what has happened: choose an end that has passed."
DUE_IN_THE_PAST = "That date has passed. Choose a later one."
NOTHING_TO_REVIEW = "Choose what the review goes through: roles, all accounts, emergency contacts or engagements."
STILL_HELD = "It is still held. Attest or revoke it."
NOT_HELD = "It is no longer held. Note it as gone instead."
ONLY_A_SUPERUSER = "Only a superuser takes something from a superuser."
LAST_ADMINISTRATOR = "Nobody could administer the portal any more. Give the role to somebody else first."


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever acts: the account, whether it is open, and the names of its roles."""

    user_id: int | None
    active: bool
    roles: frozenset[str]
    superuser: bool = False


def engagement_state(*, starts: datetime, ends: datetime, revoked_at: datetime | None, at: datetime) -> EngagementState:
    """Return where an engagement stands at a moment. It runs from its start on, and no longer at its end."""
    if revoked_at is not None:
        return EngagementState.ENDED
    if at < starts:
        return EngagementState.PLANNED
    return EngagementState.RUNNING if at < ends else EngagementState.OVER


def check_end(state: EngagementState) -> None:
    """Refuse to end an engagement that is over."""
    if state not in ENGAGEMENT["end"]:
        raise Refused(ENDED_ALREADY[state])


def next_review_state(verb: str, state: str) -> ReviewState:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = ReviewState(state)
    after = REVIEW[verb].get(before)
    if after is None:
        raise Refused(_REVIEW_OVER[before])
    return after


def check_review_open(state: str) -> None:
    """Refuse once nothing in a review may change."""
    if state != ReviewState.OPEN:
        raise Refused(_REVIEW_OVER[ReviewState(state)])


def next_item_state(kind: str, verb: str, state: str) -> ItemState:
    """Return the state of an item that `verb` leads to; Refused is raised with the sentence when there is none."""
    before = ItemState(state)
    after = ITEMS[ReviewKind(kind)].get(verb, {}).get(before)
    if after is None:
        raise Refused(_ITEM.get((verb, before), f"It is {before.label.lower()} already."))
    return after


def verbs_from(kind: str, state: str) -> list[str]:
    """Return the verbs that lead on from a state, in the order of the table."""
    return [verb for verb, moves in ITEMS[ReviewKind(kind)].items() if ItemState(state) in moves]


def is_reviewer(person: Person, *, named: Collection[int], roles: Collection[str]) -> bool:
    """Tell whether an open account is named as a reviewer, or has a role whose people review."""
    return person.active and (person.user_id in named or not person.roles.isdisjoint(roles))


def check_reviewer(person: Person, *, named: Collection[int], roles: Collection[str]) -> None:
    """Refuse whoever does not review here."""
    if not person.active:
        raise Refused(CLOSED_ACCOUNT)
    if not is_reviewer(person, named=named, roles=roles):
        raise Refused(NOT_A_REVIEWER)


def check_not_own(kind: str, person: Person, about_id: int | None) -> None:
    """Refuse whoever would decide on what they did, or hold, themselves."""
    if about_id is not None and person.user_id == about_id:
        raise Refused(OWN_CHANGE if kind == ReviewKind.CHANGES else OWN_ACCESS)


def may_answer(person: Person, about_id: int | None, *, administrator: str) -> bool:
    """Tell whether somebody answers a question: whoever made the change, administrators where no account did."""
    if not person.active:
        return False
    if about_id is None:
        return person.superuser or administrator in person.roles
    return person.user_id == about_id


def check_words(verb: str, words: str) -> None:
    """Refuse a verb that says nothing where it must."""
    if verb in WORDS and is_blank(words):
        raise Refused(WORDS[verb])


def check_confirmed(*, confirmed: bool) -> None:
    """Refuse whoever has not confirmed lately that it is them."""
    if not confirmed:
        raise Refused(UNCONFIRMED)


def check_sign(counts: Mapping[str, int], statement: str) -> None:
    """Refuse to sign while an item is not decided, and without a statement. `counts` are items by their state."""
    total = sum(counts.values())
    waiting = total - sum(counts.get(state, 0) for state in DECIDED)
    if waiting:
        raise Refused(STILL_OPEN.format(count=f"{waiting:,}", total=f"{total:,}"))
    if is_blank(statement):
        raise Refused(NO_STATEMENT)
