"""How states of approvals look: word, tone and icon of a pill; tone and icon of how a record stands."""

from __future__ import annotations

from dataclasses import dataclass

from portal.approvals.enums import RequestState, StageState, Stands


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


STATE_LOOKS: dict[str, Look] = {
    RequestState.PENDING: Look("Pending", "amber", "hourglass"),
    RequestState.APPROVED: Look("Approved", "green", "circle-check"),
    RequestState.DENIED: Look("Denied", "red", "circle-x"),
    RequestState.EXPIRED: Look("Expired", "", "clock-alert"),
    RequestState.VOIDED: Look("Void", "orange", "ban"),
    RequestState.WITHDRAWN: Look("Withdrawn", "", "undo-2"),
    RequestState.FINAL: Look("Final", "green", "lock"),
}

# The class of a stage's line and its icon.
STAGE_LOOKS: dict[str, tuple[str, str]] = {
    StageState.WAITING: ("", "circle-dashed"),
    StageState.OPEN: ("is-now", "hourglass"),
    StageState.APPROVED: ("is-done", "check"),
    StageState.DENIED: ("is-refused", "x"),
    StageState.CLOSED: ("", "minus"),
}

STANDING_LOOKS: dict[str, tuple[str, str]] = {
    Stands.APPROVED: ("green", "circle-check"),
    Stands.CHANGED: ("orange", "triangle-alert"),
    Stands.ASKED: ("amber", "hourglass"),
    Stands.NOT: ("", "circle-dashed"),
}


def state_look(state: str) -> Look:
    """Return how a state of a request looks."""
    return STATE_LOOKS[state]
