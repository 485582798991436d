"""The life of a message to an audience as a table, and its sentences. Nothing here reads the database or the clock."""

from __future__ import annotations

from types import MappingProxyType

from incidents.enums import CommunicationState as State
from incidents.policy import Refused
from portal.lib.blank import is_blank

LONGEST_SUBJECT = 200
LONGEST_TEXT = 4000

# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[State, State]] = MappingProxyType(
    {
        "ask": {State.DRAFTED: State.WAITING},
        "approve": {State.WAITING: State.APPROVED},
        "reconsider": {State.WAITING: State.DRAFTED, State.APPROVED: State.DRAFTED},
        "send": {State.DRAFTED: State.SENT, State.APPROVED: State.SENT},
        "withdraw": {
            State.DRAFTED: State.WITHDRAWN,
            State.WAITING: State.WITHDRAWN,
            State.APPROVED: State.WITHDRAWN,
        },
    }
)
UNSENT = (State.DRAFTED, State.WAITING, State.APPROVED)
"""The states in which its words can still be changed."""

_REFUSALS: MappingProxyType[tuple[str, State], str] = MappingProxyType(
    {
        ("ask", State.WAITING): "Its approval is asked for already.",
        ("ask", State.APPROVED): "It is approved already. Send it.",
        ("send", State.WAITING): "It waits for its approval. It cannot go out before.",
        ("send", State.SENT): "It went out already, and is not sent again. Write a new message.",
        ("send", State.WITHDRAWN): "It was withdrawn. Write a new message.",
        ("withdraw", State.SENT): "It went out already. Correct it with a new message.",
        ("withdraw", State.WITHDRAWN): "It is withdrawn already.",
    }
)


def next_state(verb: str, state: str) -> State:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = State(state)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        sentence = _REFUSALS.get((verb, before))
        raise Refused(sentence or f"This message is {before.label.lower()}, so you cannot {verb} it.")
    return after


def can(verb: str, state: str) -> bool:
    """Tell whether `verb` fits a message in this state."""
    return State(state) in TRANSITIONS[verb]


def check_editable(state: str) -> None:
    """Refuse to change the words of a message that is frozen."""
    if state == State.SENT:
        raise Refused("It went out, and its words stay as they were sent. Write a new message.")
    if state == State.WITHDRAWN:
        raise Refused("It was withdrawn. Write a new message.")


def checked_words(subject: str, text: str) -> tuple[str, str]:
    """Return subject, on one line, and text of a message; Refused is raised for what is empty or too long."""
    subject, text = " ".join(subject.split()), text.strip()
    if is_blank(subject):
        raise Refused("Give it a subject: what it is about, in a few words.")
    if is_blank(text):
        raise Refused("Write what you tell them: what is known, what is done, when they hear again.")
    if len(subject) > LONGEST_SUBJECT:
        raise Refused(f"The subject has {len(subject)} characters; {LONGEST_SUBJECT} fit. Shorten it.")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"That is {len(text)} characters; {LONGEST_TEXT} fit. Shorten it.")
    return subject, text
