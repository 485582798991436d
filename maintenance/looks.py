"""How maintenance looks: word, tone and icon of its states, and the marks of its timelines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maintenance.enums import PlanState, State, WindowState
from maintenance.models import Occurrence


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


PLAN_LOOKS: dict[str, Look] = {
    PlanState.DRAFT: Look("Draft", "plain", "pencil-line"),
    PlanState.IN_FORCE: Look("In force", "green", "circle-check"),
    PlanState.RETIRED: Look("Retired", "", "archive"),
}
STATE_LOOKS: dict[str, Look] = {
    State.OPEN: Look("Open", "plain", "clock"),
    State.TO_SIGN: Look("To be signed off", "amber", "pencil-line"),
    State.COMPLETED: Look("Done", "green", "circle-check"),
    State.SKIPPED: Look("Skipped", "", "circle-minus"),
    State.MISSED: Look("Missed", "red", "circle-x"),
    State.WITHDRAWN: Look("Withdrawn", "", "ban"),
}
OVERDUE = Look("Overdue", "red", "octagon-alert")
LATE = Look("Done late", "amber", "circle-check")

WINDOW_LOOKS: dict[str, Look] = {
    WindowState.SCHEDULED: Look("Scheduled", "plain", "calendar-clock"),
    WindowState.IN_PROGRESS: Look("In progress", "violet", "wrench"),
    WindowState.VERIFYING: Look("Verifying", "blue", "eye"),
    WindowState.COMPLETED: Look("Completed", "green", "circle-check"),
    WindowState.CANCELLED: Look("Cancelled", "", "ban"),
}
OVERRUN = Look("Overrun", "red", "octagon-alert")

MARKS: dict[str, tuple[str, str]] = {
    "run": ("database", "green"), "validated": ("shield-check", ""), "heard": ("radio", "green"),
    "silent": ("bell-ring", "red"), "token": ("key-round", ""), "recorded": ("rotate-ccw", ""),
    "failed": ("circle-x", "red"), "made": ("plus", ""), "in_force": ("play", "green"), "revised": ("pencil-line", ""),
    "handed_over": ("users", ""), "retired": ("archive", ""), "taken_up": ("undo-2", ""),
    "missed": ("circle-x", "red"), "done": ("circle-check", "green"), "signed": ("file-check", "green"),
    "sent_back": ("undo-2", "amber"), "skipped": ("circle-minus", ""), "withdrawn": ("ban", ""),
    "reminded": ("send", ""), "escalated": ("megaphone", "amber"), "needed": ("triangle-alert", "amber"),
    "evaluated": ("eye", ""), "carried_over": ("history", ""),
    "planned": ("plus", ""), "begun": ("play", "violet"), "moved": ("calendar-clock", ""),
    "verifying": ("eye", "blue"), "worked_on": ("undo-2", "amber"), "completed": ("circle-check", "green"),
    "extended": ("timer", "amber"), "cancelled": ("ban", ""), "overrun": ("octagon-alert", "red"), "link": ("link", ""),
}  # fmt: skip


def look_of(occurrence: Occurrence, *, at: datetime) -> Look:
    """Return how an occurrence looks now."""
    if occurrence.is_overdue(at):
        return OVERDUE
    if occurrence.state == State.COMPLETED and occurrence.done_at and occurrence.done_at > occurrence.due_at:
        return LATE
    return STATE_LOOKS[occurrence.state]
