"""When a runbook is looked at again: its due moment is a deadline, and its keepers are reminded."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.runbooks.models import Runbook

REVIEW = "runbook.review"
SOON, DUE, LATE = "soon", "due", "late"
BEFORE = timedelta(days=14)
AGAIN = timedelta(days=7)


def reviewed(runbook: Runbook, *, by: By, at: datetime) -> None:
    """Write down that somebody looked at a locked runbook, and when that is due next."""
    stamp(runbook, "reviewed", by=by, at=at)
    runbook.save()
    set_due(runbook, at=at)


def due_at(runbook: Runbook) -> datetime | None:
    """Return when the next review of a runbook is due; nothing before its first version, and once it is retired."""
    if runbook.reviewed_at is None or runbook.retired_at is not None:
        return None
    return runbook.reviewed_at + timedelta(days=runbook.review_every_days)


def set_due(runbook: Runbook, *, at: datetime) -> None:
    """Let the deadlines of a locked runbook follow its last review and its period."""
    deadlines.cancel(subject=runbook, at=at, kind=REVIEW)
    due = due_at(runbook)
    if due is None:
        return
    for key, moment in ((SOON, due - BEFORE), (DUE, due)):
        if moment > at:
            deadlines.move(kind=REVIEW, subject=runbook, key=key, started_at=at, due_at=moment)


def remind_again(runbook: Runbook, *, count: int, at: datetime) -> None:
    """Set the next reminder of a review that is overdue."""
    deadlines.move(kind=REVIEW, subject=runbook, key=f"{LATE}-{count}", started_at=at, due_at=at + AGAIN)
