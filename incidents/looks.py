"""How the states of an incident look: word, tone and icon of a pill, and the icon of each kind of timeline entry."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.enums import Audience, Status


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


STATUS_LOOKS: dict[str, Look] = {
    Status.DECLARED: Look("Declared", "red", "bell"),
    Status.ACKNOWLEDGED: Look("Acknowledged", "teal", "user-round-check"),
    Status.MITIGATED: Look("Mitigated", "blue", "shield-check"),
    Status.RESOLVED: Look("Resolved", "green", "circle-check"),
    Status.CLOSED: Look("Closed", "", "lock"),
    Status.CANCELLED: Look("Cancelled", "", "ban"),
    Status.MERGED: Look("Merged", "", "git-merge"),
}

AUDIENCE_ICONS: dict[str, str] = {
    Audience.STAKEHOLDERS: "users",
    Audience.CUSTOMERS: "globe",
    Audience.EXECUTIVES: "building-2",
}

SYSTEM_ICONS: dict[str, str] = {"met": "circle-check", "missed": "octagon-alert", "at_risk": "triangle-alert"}


def status_look(status: str) -> Look:
    """Return how a state of the life of an incident looks."""
    return STATUS_LOOKS[status]
