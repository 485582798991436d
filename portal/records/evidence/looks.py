"""How evidence looks: a word, an icon and a tone for each state, result and event."""

from __future__ import annotations

from typing import Any, NamedTuple

from portal.records.evidence.enums import Kind, Result, State


class Look(NamedTuple):
    """A word with its icon and tone. Colour is never alone."""

    word: str
    icon: str
    tone: str


_STATES = {
    State.HELD: Look("In custody", "fingerprint", "blue"),
    State.OFFERED: Look("Being handed over", "handshake", "amber"),
    State.RELEASED: Look("Released", "archive", "grey"),
}
_RESULTS = {
    Result.INTACT: Look("Intact", "shield-check", "green"),
    Result.ALTERED: Look("Altered", "shield-x", "red"),
    Result.MISSING: Look("Missing", "shield-x", "red"),
}
_KINDS = {
    Kind.COLLECTED: ("upload", "blue"),
    Kind.VIEWED: ("eye", ""),
    Kind.DOWNLOADED: ("download", "amber"),
    Kind.HANDED_OVER: ("handshake", "amber"),
    Kind.RECEIVED: ("circle-check", "green"),
    Kind.NOT_RECEIVED: ("undo-2", ""),
    Kind.VERIFIED: ("shield-check", ""),
    Kind.SEALED: ("lock", ""),
    Kind.RELEASED: ("archive", ""),
}
SEALED = Look("Sealed", "lock", "")
UNREAD = Look("Not read again yet", "clock", "")


def state_look(state: str) -> Look:
    """Return how a state of custody looks."""
    return _STATES[State(state)]


def result_look(result: str) -> Look:
    """Return how the last reading of a file looks."""
    return _RESULTS[Result(result)] if result else UNREAD


def event_look(event: Any) -> Look:
    """Return how a custody event looks; one that found something wrong is red."""
    if event.result in {Result.ALTERED, Result.MISSING}:
        return Look(f"{event.get_kind_display()}: {event.get_result_display().lower()}", "shield-x", "red")
    icon, tone = _KINDS[Kind(event.kind)]
    result = f": {event.get_result_display().lower()}" if event.result else ""
    return Look(f"{event.get_kind_display()}{result}", icon, tone)
