"""How action items look: word, tone and icon of their states, and the marks of their timelines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.actions.enums import State
from portal.actions.models import ActionItem


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


LOOKS: dict[str, Look] = {
    State.OPEN: Look("Open", "plain", "clock"),
    State.DONE: Look("Done", "green", "circle-check"),
    State.CANCELLED: Look("Cancelled", "", "ban"),
}
OVERDUE = Look("Overdue", "red", "octagon-alert")
LATE = Look("Done late", "amber", "circle-check")

MARKS: dict[str, tuple[str, str]] = {
    "opened": ("plus", ""), "done": ("circle-check", "green"), "cancelled": ("ban", ""), "handed_over": ("users", ""),
    "moved": ("calendar-clock", "amber"), "reminded": ("send", ""), "link": ("link", ""),
    "action": ("clipboard-list", ""),
}  # fmt: skip


def look_of(item: ActionItem, *, at: datetime) -> Look:
    """Return how an action item looks now."""
    if item.is_overdue(at):
        return OVERDUE
    if item.done_at is not None and item.done_at > item.due_at:
        return LATE
    return LOOKS[item.state]
