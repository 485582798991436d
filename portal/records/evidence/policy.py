"""The rules of custody as tables and pure functions. Nothing here reads the database, the disk or the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal
from portal.records.evidence.enums import State

PREFIX = "EVD"
MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 1024  # of one file, until an administrator writes another rule
VERIFY_DAYS = 7
VERIFY_MEGABYTES = 512  # that one look reads at most
LATE = timedelta(days=2)  # beyond the days after which a file is read again
CLOCK_SLACK = timedelta(minutes=1)
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
EVERY_STATE = {state: state for state in State}


class Refused(Refusal):
    """Something does not fit the evidence as it stands. The sentence is shown to the user."""


class NotYours(Refused):
    """It fits, and somebody else may do it."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[State, State]] = MappingProxyType(
    {
        "view": EVERY_STATE,
        "download": EVERY_STATE,
        "verify": EVERY_STATE,
        "describe": {State.HELD: State.HELD},
        "seal": {State.HELD: State.HELD},
        "hand over": {State.HELD: State.OFFERED},
        "receive": {State.OFFERED: State.HELD},
        "end the handover of": {State.OFFERED: State.HELD},
        "release": {State.HELD: State.RELEASED},
    }
)
ONLY_UNSEALED = frozenset({"describe", "seal"})
NEEDS_REASON = frozenset({"describe", "seal", "hand over", "end the handover of", "release"})

_REFUSALS: MappingProxyType[tuple[str, State], str] = MappingProxyType(
    {
        ("hand over", State.OFFERED): "It is being handed over already. End that handover first.",
        ("seal", State.OFFERED): "It is being handed over. Seal it once its receipt is confirmed.",
        ("release", State.OFFERED): "It is being handed over. Release it once its receipt is confirmed.",
        ("describe", State.OFFERED): "It is being handed over. Describe it once its receipt is confirmed.",
        ("receive", State.HELD): "Nobody hands it over, so there is no receipt to confirm.",
        ("end the handover of", State.HELD): "Nobody hands it over just now.",
    }
)
RELEASED = "Its custody has ended. It is kept, read again and downloaded, and nothing else is done with it."
SEALED = "It is sealed: its words are never changed again."

TOO_LARGE = "The file is larger than {limit} MB, which is the most for one file. Split it, or have the limit raised."
NO_ROOM = "The disk is full, so that nothing was kept. Tell whoever runs the portal to make room, then send it again."
CUT_OFF = "The file arrived incomplete, so that nothing was kept. Send it again."
EMPTY = "The file is empty. Nothing was kept: choose the file again."
NO_FILE = "Choose the file that is to be kept."
ONE_FILE = "One file at a time: each is a piece of evidence of its own. Nothing was kept."
DAMAGED = (
    "The same content is kept already and was altered on the disk, so that this file was not taken. Keep it safe, and "
    "tell the security lead."
)
UNREADABLE = (
    "The file is not where it was put, or not as it was. It is not handed out. The security lead is told; the copy in "
    "the backup may be whole."
)
NOT_YET = "That moment has not come yet. Say when it was acquired."
LONG_AGO = "That is too long ago. Check the date."
NOT_THE_HOLDER = "{holder} holds it and alone may {verb} it. A security lead may in their place."
NOT_THE_RECEIVER = "Only {receiver} confirms the receipt: it is given into their hands."
NOT_IN_IT = "Only {holder}, {receiver} or a security lead may end this handover."
SAME_PERSON = "{holder} holds it already. Choose somebody else."
NO_ACCOUNT = "{receiver} has no account and could not confirm the receipt. Release it to people outside instead."


def next_state(verb: str, state: str, *, sealed: bool = False) -> State:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = State(state)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        sentence = RELEASED if before == State.RELEASED else _REFUSALS.get((verb, before))
        raise Refused(sentence or f"It is {before.label.lower()}, so you cannot {verb} it.")
    if sealed and verb in ONLY_UNSEALED:
        raise Refused(SEALED)
    return after


def can(verb: str, state: str, *, sealed: bool = False) -> bool:
    """Tell whether `verb` fits evidence that stands so."""
    return State(state) in TRANSITIONS[verb] and not (sealed and verb in ONLY_UNSEALED)


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


def check_acquired(acquired_at: datetime, at: datetime) -> None:
    """Refuse a moment of acquiring that has not come yet, or that nothing here can be as old as."""
    if acquired_at > at + CLOCK_SLACK:
        raise Refused(NOT_YET)
    if acquired_at < OLDEST:
        raise Refused(LONG_AGO)


def too_large(most: int) -> str:
    """Return the sentence that refuses a file of more than `most` bytes."""
    return TOO_LARGE.format(limit=f"{most // MEGABYTE:,}")


def check_size(size: int, *, most: int) -> None:
    """Refuse what is empty, or larger than `most` bytes."""
    if not size:
        raise Refused(EMPTY)
    if size > most:
        raise Refused(too_large(most))
