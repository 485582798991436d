"""The list of reviews, what is asked of the reader, and what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q

from portal.assurance.enums import DECIDED, ItemState, ReviewState, Subject
from portal.assurance.looks import OVERDUE, REVIEW_LOOKS, Look
from portal.assurance.models import Review, ReviewItem, ReviewPlan, Verdict
from portal.assurance.policy import Person, is_reviewer
from portal.assurance.selectors.review_items import with_state
from portal.assurance.services.people import ADMINISTRATOR, REVIEWING, person_of
from portal.assurance.services.planning import PLAN
from portal.assurance.services.veiling import hidden_items
from portal.deadlines.models import Deadline, DeadlineState

PAGE = 25
MOST_OPEN = 100


@dataclass(frozen=True)
class Row:
    """One review as the list shows it."""

    review: Review
    decided: int = 0
    overdue: bool = False
    reviewers: str = ""
    yours: bool = False

    @property
    def look(self) -> Look:
        """Return word, tone and icon of its state."""
        return OVERDUE if self.overdue else REVIEW_LOOKS[self.review.state]

    @property
    def late(self) -> bool:
        """Tell whether it was signed after it was due."""
        return bool(self.review.signed_at and self.review.signed_at > self.review.due_at)


@dataclass(frozen=True)
class Lists:
    """What the list page shows."""

    open: list[Row]
    done: Page
    questions: list[ReviewItem]
    plans: list[tuple[ReviewPlan, datetime | None]]

    @property
    def settled(self) -> list[Row]:
        """Return the reviews of the page that are done."""
        return [Row(review) for review in self.done.object_list]


def lists_of(user: Any, *, page: str | None, at: datetime) -> Lists:
    """Return the open reviews, overdue ones first, those that are done, what is asked of the reader, and the plans."""
    seen = Review.objects.visible_to(user)
    running = _open_reviews(user).prefetch_related("reviewers")
    settled = seen.exclude(state=ReviewState.OPEN).order_by("-opened_at", "-pk")
    return Lists(
        open=_rows(list(running[:MOST_OPEN]), user, at=at),
        done=Paginator(settled, PAGE).get_page(page),
        questions=questions_to(user),
        plans=_plans(user),
    )


def _rows(reviews: list[Review], user: Any, *, at: datetime) -> list[Row]:
    """Return reviews with how many of their items are decided, and whether they wait for the reader. One query."""
    items = with_state(ReviewItem.objects.filter(review__in=reviews)).filter(state__in=DECIDED)
    counted = dict(items.order_by().values_list("review_id").annotate(number=Count("pk")))
    person, may = person_of(user), user.has_perm(REVIEWING)
    return [
        Row(review, counted.get(review.pk, 0), review.due_at < at, _whom(review), may and _reviews(review, person))
        for review in reviews
    ]


def _reviews(review: Review, person: Person) -> bool:
    named = {user.pk for user in review.reviewers.all()}
    return is_reviewer(person, named=named, roles=review.reviewer_roles)


def _whom(review: Review) -> str:
    return ", ".join([*(str(user) for user in review.reviewers.all()), *review.reviewer_roles])


def questions_to(user: Any) -> list[ReviewItem]:
    """Return the items about the reader's own changes that wait for an answer. One query.

    What touches a restricted record that the reader may not see is left to others.
    """
    person = person_of(user)
    mine = Q(about_id=user.pk)
    if person.superuser or ADMINISTRATOR in person.roles:
        mine |= Q(about_id=None)
    open_ones = ReviewItem.objects.filter(mine, review__state=ReviewState.OPEN, subject=Subject.CHANGE)
    asked = Verdict.objects.filter(item=OuterRef("pk"), state=ItemState.QUESTIONED)
    waiting = with_state(open_ones.filter(Exists(asked))).filter(state=ItemState.QUESTIONED)
    found = list(waiting.select_related("review").order_by("review__due_at", "number")[:PAGE])
    hidden = hidden_items(found, user)
    return [item for item in found if item.pk not in hidden]


def _plans(user: Any) -> list[tuple[ReviewPlan, datetime | None]]:
    """Return the active plans with when each makes its next review. Two queries."""
    plans = list(ReviewPlan.objects.visible_to(user).filter(active=True).order_by("name"))
    if not plans:
        return []
    rows = Deadline.objects.filter(kind=PLAN, state=DeadlineState.PENDING, subject_id__in=[plan.pk for plan in plans])
    due = dict(rows.values_list("subject_id", "due_at"))
    return [(plan, due.get(plan.pk)) for plan in plans]


def waiting_for(user: Any, *, at: datetime) -> list[Row]:
    """Return the open reviews that wait for the reader as a reviewer, the first due first. At most two queries."""
    if not user.has_perm(REVIEWING):
        return []
    person = person_of(user)
    found = _open_reviews(user).prefetch_related("reviewers")[:MOST_OPEN]
    return [Row(review, overdue=review.due_at < at, yours=True) for review in found if _reviews(review, person)]


def overdue_reviews(user: Any, *, at: datetime) -> list[Row]:
    """Return the overdue reviews that the reader may see, the oldest first, with how far each is. Three queries."""
    found = _open_reviews(user).filter(due_at__lt=at).prefetch_related("reviewers")[:PAGE]
    return _rows(list(found), user, at=at)


def _open_reviews(user: Any) -> Any:
    return Review.objects.visible_to(user).filter(state=ReviewState.OPEN).order_by("due_at", "pk")
