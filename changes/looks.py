"""How changes look: word, tone and icon of their states, risks, outcomes and conflicts."""

from __future__ import annotations

from dataclasses import dataclass

from changes.enums import CellState, Level, Outcome, Status, Weight


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


STATUS_LOOKS: dict[str, Look] = {
    Status.DRAFT: Look("Draft", "plain", "pencil-line"),
    Status.SUBMITTED: Look("Waiting to be assessed", "blue", "hourglass"),
    Status.ASSESSED: Look("Waiting for approval", "blue", "hourglass"),
    Status.APPROVED: Look("Approved", "green", "circle-check"),
    Status.REJECTED: Look("Rejected", "red", "circle-x"),
    Status.SCHEDULED: Look("Scheduled", "teal", "calendar-check"),
    Status.IN_PROGRESS: Look("In progress", "amber", "play"),
    Status.VERIFYING: Look("Verifying", "amber", "eye"),
    Status.CLOSED: Look("Closed", "", "lock"),
    Status.CANCELLED: Look("Cancelled", "", "ban"),
}
ROLLING_BACK = Look("Rolling back", "red", "undo-2")

OUTCOME_LOOKS: dict[str, Look] = {
    Outcome.SUCCESSFUL: Look("Successful", "green", "circle-check"),
    Outcome.WITH_ISSUES: Look("Successful with issues", "amber", "triangle-alert"),
    Outcome.FAILED: Look("Failed", "red", "circle-x"),
    Outcome.ROLLED_BACK: Look("Rolled back", "orange", "undo-2"),
}

RISK_TONES: dict[str, str] = {Level.LOW: "plain", Level.MEDIUM: "amber", Level.HIGH: "orange"}

WEIGHT_LOOKS: dict[str, Look] = {
    Weight.STOPS: Look("Stops scheduling", "red", "octagon-alert"),
    Weight.WARNS: Look("Warning", "amber", "triangle-alert"),
    Weight.CLEAR: Look("Clear", "green", "circle-check"),
}

# state of a cell: class, icon
CELL_LOOKS: dict[str, tuple[str, str]] = {
    CellState.OPEN: ("open", "circle-dashed"),
    CellState.DONE: ("done", "circle-check"),
    CellState.NOT_NEEDED: ("not", "minus"),
}

# kind of timeline entry: icon and tone
MARKS: dict[str, tuple[str, str]] = {
    "drafted": ("pencil-line", ""),
    "revised": ("pencil", "amber"),
    "asked_again": ("list-checks", "amber"),
    "submitted": ("send", "blue"),
    "assessed": ("gauge", ""),
    "asked": ("file-check", ""),
    "approved": ("circle-check", "green"),
    "rejected": ("circle-x", "red"),
    "lost": ("triangle-alert", "amber"),
    "scheduled": ("calendar-check", "teal"),
    "started": ("play", "amber"),
    "verified": ("eye", "blue"),
    "rolled_back": ("undo-2", "red"),
    "closed": ("lock", ""),
    "cancelled": ("ban", ""),
    "override": ("shield-alert", "red"),
    "gate": ("list-checks", ""),
    "review": ("clipboard-check", ""),
    "carried": ("copy", ""),
    "note": ("message-square", ""),
    "link": ("link", ""),
    "evidence": ("fingerprint", ""),
    "afterwards": ("file-check", ""),
    "answered": ("check", "green"),
    "checklist": ("list-checks", ""),
}


def status_look(status: str, *, rolling_back: bool = False) -> Look:
    """Return how a state of the life of a change looks; one that is being undone says so."""
    return ROLLING_BACK if rolling_back and status == Status.IN_PROGRESS else STATUS_LOOKS[status]
