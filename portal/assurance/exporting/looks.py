"""How the state of an export looks: word, tone and icon of its pill."""

from __future__ import annotations

from dataclasses import dataclass

from portal.assurance.exporting.enums import ExportState


@dataclass(frozen=True, slots=True)
class Look:
    """A pill: never colour alone."""

    word: str
    tone: str
    icon: str


_LOOKS = {
    ExportState.WAITING: Look("Waiting", "plain", "hourglass"),
    ExportState.WORKING: Look("Being made", "blue", "loader"),
    ExportState.DONE: Look("Ready", "green", "circle-check"),
    ExportState.FAILED: Look("Failed", "red", "octagon-alert"),
    ExportState.EXPIRED: Look("Expired", "", "circle-minus"),
}


def look_of(state: str) -> Look:
    """Return the pill of a state."""
    return _LOOKS[ExportState(state)]
