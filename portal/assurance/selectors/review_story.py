"""One item of a review with everything that was said about it, and what became of them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, QuerySet, Subquery

from portal.assurance import policy
from portal.assurance.enums import ItemState, Subject
from portal.assurance.models import Review, ReviewItem, Verdict
from portal.assurance.selectors.review_items import ItemRow, item_rows
from portal.assurance.selectors.review_room import review_for
from portal.assurance.selectors.trail_rows import Line, lines_of
from portal.assurance.services.people import named_reviewers, person_of
from portal.assurance.services.veiling import readable, veiled
from portal.audit.models import TrailRow

RESULT_PAGE = 200
MOST_ROWS = 100


@dataclass(frozen=True)
class Story:
    """One item with its rows of the trail and everything that was said about it."""

    row: ItemRow
    verdicts: list[Verdict]
    changes: list[TrailRow]
    evidence: dict[int, TrailRow]

    @property
    def told(self) -> list[tuple[TrailRow, list[Line]]]:
        """The rows of the trail, each with its differences as people read them."""
        return [(row, lines_of(row)) for row in self.changes]


def item_for(user: Any, review: Review, number: int) -> ReviewItem | None:
    """Return an item of a review: for whoever may see the review, and for whoever made the change that is in it."""
    own = ReviewItem.objects.filter(review=review, number=number, about_id=user.pk)
    seen = ReviewItem.objects.visible_to(user).filter(review=review, number=number)
    found: ReviewItem | None = readable(seen, user).first() or own.first()
    return found


def review_of_own(user: Any, reference: str, number: int) -> Review | None:
    """Return a review that the reader may see, or one with a change of theirs at this number."""
    own = ReviewItem.objects.filter(number=number, about_id=user.pk).values("review")
    found = review_for(user, reference)
    mine: Review | None = Review.objects.filter(reference=reference, pk__in=own).first()
    return found or mine


def story_of(review: Review, item: ReviewItem, user: Any, *, at: datetime) -> Story:
    """Return one item with its rows of the trail, as far as the reader may see them, and its verdicts."""
    person = person_of(user)
    reviewer = policy.is_reviewer(person, named=named_reviewers(review), roles=review.reviewer_roles)
    verdicts = list(Verdict.objects.filter(item=item).order_by("step"))
    wanted = [verdict.evidence_row for verdict in verdicts if verdict.evidence_row]
    seen = TrailRow.objects.visible_to(user)
    evidence = {row.pk: row for row in seen.filter(pk__in=wanted)} if wanted else {}
    return Story(
        row=item_rows(review, [item], person, reviewer=reviewer, at=at)[0],
        verdicts=verdicts,
        changes=list(_changes(seen, item)[:MOST_ROWS]),
        evidence=evidence,
    )


def _changes(seen: QuerySet[TrailRow], item: ReviewItem) -> QuerySet[TrailRow]:
    if item.first_row is None:
        return seen.none()
    rows = seen.filter(pk__gte=item.first_row, pk__lte=item.last_row or item.first_row)
    if item.subject != Subject.CHANGE:
        return rows.order_by("pk")
    same = rows.filter(actor_name=item.about_name, privileged=True)
    return (same.filter(gesture=item.gesture) if item.gesture else same).order_by("pk")


def result_of(review: Review, user: Any, *, page: str | None) -> tuple[Page, list[tuple[Any, Verdict | None]]]:
    """Return one page of the items with the last verdict on each. Three queries."""
    items = ReviewItem.objects.filter(review=review).order_by("number")
    shown = Paginator(items, RESULT_PAGE).get_page(page)
    rows = Verdict.objects.filter(item__in=[item.pk for item in shown.object_list]).order_by("item_id", "step")
    last = {verdict.item_id: verdict for verdict in rows}
    return shown, [(item, last.get(item.pk)) for item in veiled(shown.object_list, user)]


def notable(review: Review, user: Any) -> list[tuple[Any, Verdict]]:
    """Return the items that were questioned, followed up or revoked, with the last verdict on each. Two queries."""
    states = [ItemState.SETTLED, ItemState.FOLLOWED_UP, ItemState.REVOKED, ItemState.GONE]
    last = Verdict.objects.filter(item=OuterRef("item")).order_by("-step").values("pk")[:1]
    rows = Verdict.objects.filter(review=review, state__in=states, pk=Subquery(last)).select_related("item")
    found = list(rows.order_by("item__number")[:RESULT_PAGE])
    return list(zip(veiled([verdict.item for verdict in found], user), found, strict=True))
