"""The closed lists of engagements and reviews."""

from __future__ import annotations

from django.db.models import TextChoices


class Register(TextChoices):
    """A kind of record that an engagement opens: what stands in each is data in portal.assurance.registers."""

    INCIDENTS = "incidents", "Incidents"
    CHANGES = "changes", "Changes"
    MAINTENANCE = "maintenance", "Maintenance and recovery"
    RUNBOOKS = "runbooks", "Runbooks and checklists"
    APPROVALS = "approvals", "Approvals"
    DIRECTORY = "directory", "Systems, people and policies"
    ACCOUNTS = "accounts", "Accounts, roles and sign-ins"
    MESSAGES = "messages", "Messages and deadlines"
    TRAIL = "trail", "The trail and its seals"
    REVIEWS = "reviews", "Reviews"


class EngagementState(TextChoices):
    """Planned until it starts, running until it is over, unless somebody ended it early. Time moves the first two."""

    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    OVER = "over", "Over"
    ENDED = "ended", "Ended early"


class ReviewKind(TextChoices):
    """What a review goes through: privileged changes of a period, or who holds what."""

    CHANGES = "changes", "Privileged changes"
    ACCESS = "access", "Access"


class ReviewState(TextChoices):
    """Open until it is signed off, or called off with a reason."""

    OPEN = "open", "Open"
    SIGNED = "signed", "Signed off"
    CALLED_OFF = "called-off", "Called off"


class Subject(TextChoices):
    """What one item of a review is: a gesture of privileged changes, or something that somebody holds."""

    CHANGE = "change", "Privileged change"
    ROLE = "role", "Role"
    SUPERUSER = "superuser", "Superuser"
    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Emergency contact"
    ENGAGEMENT = "engagement", "Engagement"


class ItemState(TextChoices):
    """Where one item stands. A verdict leads to each but the first."""

    OPEN = "open", "Open"
    ATTESTED = "attested", "Attested"
    QUESTIONED = "questioned", "Questioned"
    ANSWERED = "answered", "Answered"
    SETTLED = "settled", "Settled"
    FOLLOWED_UP = "followed-up", "Followed up"
    REVOKED = "revoked", "Revoked"
    GONE = "gone", "No longer held"


DECIDED = (ItemState.ATTESTED, ItemState.SETTLED, ItemState.FOLLOWED_UP, ItemState.REVOKED, ItemState.GONE)
"""The states in which an item no longer keeps its review from being signed."""

UNDER_QUESTION = (ItemState.QUESTIONED, ItemState.ANSWERED)
