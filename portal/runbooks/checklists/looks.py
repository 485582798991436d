"""How steps and runs look: a word, an icon and a tone for each state and event."""

from __future__ import annotations

from typing import NamedTuple

from portal.runbooks.checklists.enums import StepState, What


class Look(NamedTuple):
    """A word with its icon and tone. Colour is never alone."""

    word: str
    icon: str
    tone: str

    @property
    def marks(self) -> str:
        """The class that gives its icon the tone, where it stands alone."""
        return f"is-{self.tone}" if self.tone else ""


_STATES = {
    StepState.OPEN: Look("Open", "circle-dashed", ""),
    StepState.DONE: Look("Done", "circle-check", "green"),
    StepState.FAILED: Look("Failed", "circle-x", "red"),
    StepState.SKIPPED: Look("Skipped", "circle-minus", "amber"),
    StepState.LEFT: Look("Left open", "circle-pause", ""),
}
_EVENTS = {
    What.STARTED: ("play", "blue"),
    What.TICKED: ("circle-check", "green"),
    What.FAILED: ("circle-x", "red"),
    What.SKIPPED: ("circle-minus", "amber"),
    What.UNDONE: ("undo-2", ""),
    What.HANDED_OVER: ("handshake", ""),
    What.NOTED: ("message-square", ""),
    What.ATTACHED: ("paperclip", ""),
    What.ENDED: ("circle-stop", ""),
    What.RESUMED: ("rotate-ccw", ""),
}
RUNNING = Look("Running", "list-checks", "blue")
ENDED = Look("Ended", "circle-stop", "")


def state_look(state: str) -> Look:
    """Return how a state looks."""
    return _STATES[StepState(state)]


def event_look(what: str) -> Look:
    """Return how an event looks."""
    found = What(what)
    return Look(found.label, *_EVENTS[found])
