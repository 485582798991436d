"""The rules of action items as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from portal.actions.enums import State
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal

PREFIX = "ACT"


class Refused(Refusal):
    """A verb does not fit the action item as it stands. The sentence is shown to the user."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[State, State]] = MappingProxyType(
    {
        "complete": {State.OPEN: State.DONE},
        "cancel": {State.OPEN: State.CANCELLED},
        "hand over": {State.OPEN: State.OPEN},
        "move": {State.OPEN: State.OPEN},
    }
)
NEEDS_REASON = frozenset({"cancel", "hand over", "move"})

_REFUSALS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("complete", State.DONE): "It was done already. What was done stands below.",
        ("complete", State.CANCELLED): "It was cancelled. If it is needed after all, open a new one.",
        ("cancel", State.DONE): "It was done already: there is nothing left to cancel.",
        ("cancel", State.CANCELLED): "It was cancelled already.",
        ("hand over", State.DONE): "It was done already: nobody has to take it over.",
        ("move", State.DONE): "It was done already: its day moves no more.",
    }
)


def next_state(verb: str, state: str) -> State:
    """Return the state that a verb leads to; Refused is raised where it leads nowhere from here."""
    before = State(state)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        raise Refused(_REFUSALS.get((verb, before)) or f"It is {before.label.lower()}: you cannot {verb} it.")
    return after


def can(verb: str, state: str) -> bool:
    """Tell whether a verb leads somewhere from here."""
    return State(state) in TRANSITIONS[verb]


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


def check_due(due_at: datetime, *, at: datetime) -> None:
    """Refuse a day that has passed: what nobody could keep is no promise."""
    if due_at <= at:
        raise Refused("That day has passed. Choose one on which it can still be done.")


def check_owner(name: str, *, active: bool) -> None:
    """Refuse somebody who has left."""
    if not active:
        raise Refused(f"{name} has left. Name somebody who is still there.")


def check_done(done_at: datetime, note: str, *, opened_at: datetime, at: datetime) -> None:
    """Refuse a completion in the future, before the item was opened, or that does not say what was done."""
    if is_blank(note):
        raise Refused("Say in a sentence what was done, so that others can look at it.")
    if done_at > at:
        raise Refused("It cannot have been done in the future. Give the moment at which it was done.")
    if done_at < opened_at:
        raise Refused("It cannot have been done before it was opened. Give a later moment, or leave it empty for now.")
