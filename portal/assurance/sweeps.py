"""What the engine does for reviews: makes those that are due, reminds reviewers until it is done, says what is late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from portal.assurance import messages
from portal.assurance.models import Review, ReviewPlan
from portal.assurance.services import demanded, opening, planning
from portal.assurance.services.people import contacts_of_reviewers
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory import services as directory

SYSTEM = "system: reviews"
Batch = list[tuple[Deadline, Any]]


def sweep_reviews(*, at: datetime) -> int:
    """Do everything of reviews that is due at `at`; return how many deadlines fired."""
    with acting(by=SYSTEM, origin="task", at=at):
        planning.start_missing(at=at)
        demanded.answer(by=SYSTEM, at=at)
    fired = 0
    due = deadlines.kinds_due(list(HANDLERS), at=at)
    for kind, (lock, handle) in HANDLERS.items():
        while kind in due:
            with acting(by=SYSTEM, origin="task", at=at, reason="A deadline was due."):
                batch = deadlines.fire_due(kinds=[kind], at=at, lock=lock, handle=handle)
            fired += batch.count
            if not batch.count:
                break
    return fired


def lock_plans(ids: list[int], _at: datetime) -> Mapping[int, ReviewPlan]:
    """Lock the plans in id order, skipping those that somebody changes just now; they wait for the next sweep."""
    rows = ReviewPlan.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True)
    return {row.pk: row for row in rows}


def lock_reviews(ids: list[int], _at: datetime) -> Mapping[int, Review]:
    """Lock the reviews in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Review.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return {row.pk: row for row in rows}


def make(batch: Batch, at: datetime) -> None:
    """Make the reviews whose period is over."""
    for deadline, plan in batch:
        planning.fire(plan, deadline.payload, by=SYSTEM, at=at)


def remind(batch: Batch, at: datetime) -> None:
    """Remind the reviewers until it is done, and write down the next reminder. What was slept through is told once."""
    for deadline, review in batch:
        if not review.is_open:
            continue
        kind = messages.REMINDER if at < review.due_at else messages.OVERDUE
        messages.tell(review, contacts_of_reviewers(review), kind=kind, key=deadline.key, at=at)
        following = deadline.due_at + opening.REMIND_EVERY
        while following <= at:
            following += opening.REMIND_EVERY
        opening.start_reminder(review, int(deadline.key) + 1, started_at=at, due_at=following)


def miss(batch: Batch, at: datetime) -> None:
    """Say that a review is overdue, to its reviewers and to the administrators."""
    for _, review in batch:
        if review.is_open:
            people = [*contacts_of_reviewers(review), *directory.administrators()]
            messages.tell(review, people, kind=messages.OVERDUE, key="due", at=at)


HANDLERS: dict[str, tuple[Callable[[list[int], datetime], Mapping[int, Any]], Callable[[Batch, datetime], None]]] = {
    planning.PLAN: (lock_plans, make),
    opening.DUE: (lock_reviews, miss),
    opening.REMINDER: (lock_reviews, remind),
}
