"""How states of engagements and reviews look: word, tone and icon of a pill."""

from __future__ import annotations

from dataclasses import dataclass

from portal.assurance.enums import EngagementState, ItemState, ReviewState, Subject


@dataclass(frozen=True, slots=True)
class Look:
    """A word with the tone and the icon that go with it."""

    word: str
    tone: str
    icon: str


ENGAGEMENT_LOOKS: dict[str, Look] = {
    EngagementState.PLANNED: Look("Planned", "", "calendar"),
    EngagementState.RUNNING: Look("Running", "violet", "eye"),
    EngagementState.OVER: Look("Over", "", "lock"),
    EngagementState.ENDED: Look("Ended early", "", "ban"),
}
REVIEW_LOOKS: dict[str, Look] = {
    ReviewState.OPEN: Look("Open", "amber", "hourglass"),
    ReviewState.SIGNED: Look("Signed off", "green", "file-check"),
    ReviewState.CALLED_OFF: Look("Called off", "", "ban"),
}
OVERDUE = Look("Overdue", "red", "octagon-alert")
ITEM_LOOKS: dict[str, Look] = {
    ItemState.OPEN: Look("Open", "", "circle-dashed"),
    ItemState.ATTESTED: Look("Attested", "green", "circle-check"),
    ItemState.QUESTIONED: Look("Questioned", "amber", "circle-help"),
    ItemState.ANSWERED: Look("Answered", "blue", "message-square"),
    ItemState.SETTLED: Look("Settled", "green", "circle-check"),
    ItemState.FOLLOWED_UP: Look("Followed up", "orange", "flag"),
    ItemState.REVOKED: Look("Revoked", "red", "circle-x"),
    ItemState.GONE: Look("No longer held", "", "circle-minus"),
}
SUBJECT_ICONS: dict[str, str] = {
    Subject.CHANGE: "key-round",
    Subject.ROLE: "users",
    Subject.SUPERUSER: "shield-alert",
    Subject.ACCOUNT: "user",
    Subject.CONTACT: "phone",
    Subject.ENGAGEMENT: "eye",
}
