"""How a review begins: its population is frozen, its reviewers are named and told, and its due date is a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from portal.accounts.models import User
from portal.assurance import digesting, messages, policy
from portal.assurance.enums import ReviewKind
from portal.assurance.models import Review, ReviewItem, ReviewPlan
from portal.assurance.policy import Refused
from portal.assurance.services import holdings, populating
from portal.assurance.services.people import check_reason, check_reviewers, contacts_of_reviewers
from portal.audit.actor import By, acting, actor_of
from portal.deadlines import services as deadlines
from portal.lib import times
from portal.lib.inserting import insert_many
from portal.records import services as records

PREFIX = "REV"
DUE, REMINDER = "review_due", "review_reminder"
REMIND_BEFORE = timedelta(days=3)
REMIND_EVERY = timedelta(days=2)


@transaction.atomic
def review_changes(
    *,
    period_from: datetime,
    period_until: datetime,
    due_at: datetime,
    reviewers: Collection[User] = (),
    reviewer_roles: Iterable[str] = (),
    title: str = "",
    plan: ReviewPlan | None = None,
    by: By,
    at: datetime,
    reason: str,
) -> Review:
    """Open a review of the privileged changes of a period that is over. Refused is raised for what makes no sense."""
    if period_until <= period_from:
        raise Refused(policy.PERIOD_ORDER)
    if period_until > at:
        raise Refused(policy.PERIOD_NOT_OVER)
    after = populating.seen_before(period_from)
    found = populating.gestures(populating.changes_of(period_from, period_until, after=after))
    items = [gesture.item(number, period_from) for number, gesture in enumerate(found, start=1)]
    ids = [row["id"] for gesture in found for row in gesture.rows]
    review = Review(
        kind=ReviewKind.CHANGES,
        title=title.strip() or f"Privileged changes, {_days(period_from, period_until)}",
        plan=plan,
        period_from=period_from,
        period_until=period_until,
        scope={"seen_to": populating.newest_row(), "after": after},
        first_row=min(ids, default=None),
        last_row=max(ids, default=None),
        rows=len(ids),
    )
    _open(review, items, reviewers, list(reviewer_roles), due_at=due_at, by=by, at=at, reason=reason)
    return review


@transaction.atomic
def review_access(
    *,
    scope: holdings.Scope,
    due_at: datetime,
    reviewers: Collection[User] = (),
    reviewer_roles: Iterable[str] = (),
    title: str = "",
    plan: ReviewPlan | None = None,
    period_until: datetime | None = None,
    by: By,
    at: datetime,
    reason: str,
) -> Review:
    """Open a review of who holds what at this moment. Refused is raised for an empty scope."""
    if scope.empty:
        raise Refused(policy.NOTHING_TO_REVIEW)
    items = [holding.item(number) for number, holding in enumerate(holdings.held(scope, at=at), start=1)]
    review = Review(
        kind=ReviewKind.ACCESS,
        title=title.strip() or f"Access, as of {times.day(at, at)} {at:%Y}",
        plan=plan,
        period_until=period_until,
        scope=scope.as_json(),
    )
    _open(review, items, reviewers, list(reviewer_roles), due_at=due_at, by=by, at=at, reason=reason)
    return review


def _days(since: datetime, until: datetime) -> str:
    """Return the days of a period in words: the last one is the day before it ends."""
    return f"{times.day(since, until)} to {times.day(until - timedelta(microseconds=1), until)} {until:%Y}"


def _open(
    review: Review, items: list[ReviewItem], reviewers: Collection[User], roles: list[str],
    *, due_at: datetime, by: By, at: datetime, reason: str,
) -> None:  # fmt: skip
    why = check_reason(reason)
    check_reviewers(reviewers, roles)
    if due_at <= at:
        raise Refused(policy.DUE_IN_THE_PAST)
    review.reference = records.next_reference(PREFIX)
    review.opened_at, review.opened_by, review.due_at = at, actor_of(by).name, due_at
    review.reviewer_roles, review.items_count = roles, len(items)
    review.population = digesting.of_population((item.number, item.digest) for item in items)
    with acting(by=by, at=at, reason=why):
        review.save()
        if reviewers:
            review.reviewers.set(list(reviewers))
    for item in items:
        item.review_id = review.pk
    insert_many(items)
    deadlines.start(kind=DUE, subject=review, started_at=at, due_at=due_at)
    start_reminder(review, 1, started_at=at, due_at=first_reminder(at, due_at))
    messages.tell(review, contacts_of_reviewers(review), kind=messages.OPENED, key="", at=at)


def first_reminder(opened_at: datetime, due_at: datetime) -> datetime:
    """Return when reviewers are reminded first: three days before it is due, or at half of a shorter time."""
    return max(due_at - REMIND_BEFORE, opened_at + (due_at - opened_at) / 2)


def start_reminder(review: Review, number: int, **when: Any) -> None:
    """Write down the next reminder."""
    deadlines.start(kind=REMINDER, subject=review, key=str(number), **when)
