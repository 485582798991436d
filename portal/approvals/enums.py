"""The closed lists of approvals."""

from __future__ import annotations

from django.db.models import TextChoices


class RequestState(TextChoices):
    """Pending until its stages have approved it or one of them denied it.

    What was approved is final once the record has moved on. Denied, expired, voided, withdrawn and final are the end.
    """

    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    EXPIRED = "expired", "Expired"
    VOIDED = "voided", "Voided"
    WITHDRAWN = "withdrawn", "Withdrawn"
    FINAL = "final", "Final"


class StageState(TextChoices):
    """Waiting for the stage before it, open to decisions, then approved, denied, or closed without a result."""

    WAITING = "waiting", "Waiting"
    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    CLOSED = "closed", "Closed"


class Verdict(TextChoices):
    """What somebody decided."""

    APPROVE = "approve", "Approved"
    DENY = "deny", "Denied"


LIVE = (RequestState.PENDING, RequestState.APPROVED)
"""The states in which a later edit of the record voids the request."""


class Stands(TextChoices):
    """How a record stands towards its approval."""

    APPROVED = "approved", "Approved"
    CHANGED = "changed", "Changed since approval"
    ASKED = "asked", "Approval asked"
    NOT = "not", "Not approved"
