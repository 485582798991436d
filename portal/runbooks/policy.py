"""The rules of runbooks as pure tables."""

from __future__ import annotations

from portal.lib.refusals import Refusal
from portal.runbooks.enums import VersionState as State

TRANSITIONS: dict[str, dict[State, State]] = {
    "write": {State.DRAFT: State.DRAFT},
    "submit": {State.DRAFT: State.IN_REVIEW},
    "return": {State.IN_REVIEW: State.DRAFT},
    "publish": {State.IN_REVIEW: State.PUBLISHED},
    "supersede": {State.PUBLISHED: State.SUPERSEDED},
    "discard": {State.DRAFT: State.DISCARDED},
}
REFUSALS: dict[str, str] = {
    "write": "Only a draft can be changed. Start a new version.",
    "submit": "Only a draft can be sent to review.",
    "return": "Only a version in review goes back to its writers.",
    "publish": "Only a version in review can be published. Send it to review first.",
    "supersede": "Only the published version can be superseded.",
    "discard": "Only a draft can be discarded. Take it back from review first.",
}


class Refused(Refusal):
    """An act that does not fit, with the sentence that the user is shown."""


def next_state(verb: str, state: str) -> State:
    """Return where `verb` leads a version; Refused is raised with the sentence when it does not fit."""
    found = TRANSITIONS[verb].get(State(state))
    if found is None:
        raise Refused(REFUSALS[verb])
    return found
