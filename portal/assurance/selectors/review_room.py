"""One review for one reader, in a fixed number of queries however many items it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from portal.assurance import policy
from portal.assurance.enums import DECIDED, UNDER_QUESTION, ItemState, ReviewKind, Subject
from portal.assurance.looks import OVERDUE, REVIEW_LOOKS, Look
from portal.assurance.models import Review, ReviewItem
from portal.assurance.selectors.review_items import VIEWS, ItemRow, counts_of, item_rows, with_state
from portal.assurance.services import holdings
from portal.assurance.services.people import named_reviewers, person_of
from portal.assurance.services.veiling import veiled
from portal.assurance.telling import kind_of

PAGE = 25
MOST_FACETS = 8
MOST_NEW = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """How the items of a review are narrowed; each is part of the address."""

    view: str = ""
    who: str = ""
    model: str = ""
    page: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """Return the filters of an address; what is unknown is left out."""
        view = asked.get("view", "")
        return cls(
            view=view if view in VIEWS else "",
            who=asked.get("who", "").replace("\x00", "")[:200],
            model=asked.get("model", "").replace("\x00", "")[:80],
            page=asked.get("page", "")[:9],
        )

    def address(self, **other: str) -> str:
        """Return the address with some filters changed. A page is left, unless it is named."""
        kept = {"view": self.view, "who": self.who, "model": self.model, **other}
        return "?" + urlencode({name: value for name, value in kept.items() if value})


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as a link."""

    label: str
    count: int | None
    url: str
    current: bool


@dataclass(frozen=True)
class Room:
    """One review, for one reader."""

    review: Review
    look: Look
    overdue: bool
    late: bool
    counts: dict[str, int]
    reviewer: bool
    reviewers: str
    filters: Filters
    tabs: list[Chip]
    facets: list[tuple[str, list[Chip]]]
    page: Page
    rows: list[ItemRow]
    new: list[holdings.Holding]
    why_not: str

    @property
    def decided(self) -> int:
        """Return how many items are decided."""
        return sum(self.counts.get(state, 0) for state in DECIDED)

    @property
    def percent(self) -> int:
        """Return how much of it is decided."""
        return 100 * self.decided // self.review.items_count if self.review.items_count else 100

    @property
    def states(self) -> list[Chip]:
        """Return how many items stand in each state that has some."""
        return [Chip(state.label, self.counts[state], "", current=False) for state in ItemState if state in self.counts]

    @property
    def attestable(self) -> list[ItemRow]:
        """Return the rows of this page that one button attests."""
        return [row for row in self.rows if row.state == ItemState.OPEN and "attest" in row.may]


def review_for(user: Any, reference: str) -> Review | None:
    """Return a review that the reader may see."""
    found: Review | None = Review.objects.visible_to(user).filter(reference=reference).first()
    return found


def room_of(review: Review, user: Any, filters: Filters, *, at: datetime) -> Room:
    """Return one page of a review."""
    counts = counts_of(review)
    person, named = person_of(user), named_reviewers(review)
    reviewer = policy.is_reviewer(person, named=named, roles=review.reviewer_roles)
    filters = (
        filters if filters.view else Filters(_first_view(review, counts), filters.who, filters.model, filters.page)
    )
    items = with_state(ReviewItem.objects.filter(review=review)).order_by("number")
    states = VIEWS[filters.view][1]
    chosen = _narrowed(items, filters).filter(state__in=states)
    page = Paginator(chosen, PAGE).get_page(filters.page or 1)
    return Room(
        review=review,
        look=_look(review, at),
        overdue=review.is_open and review.due_at < at,
        late=bool(review.signed_at and review.signed_at > review.due_at),
        counts=counts,
        reviewer=reviewer,
        reviewers=_reviewers(review),
        filters=filters,
        tabs=_tabs(filters, counts),
        facets=_facets(review, filters),
        page=page,
        rows=item_rows(review, veiled(page.object_list, user), person, reviewer=reviewer, at=at),
        new=_new(review, at),
        why_not=_why_not(review, counts),
    )


def _look(review: Review, at: datetime) -> Look:
    return OVERDUE if review.is_open and review.due_at < at else REVIEW_LOOKS[review.state]


def _first_view(review: Review, counts: Mapping[str, int]) -> str:
    if not review.is_open:
        return "all"
    if counts.get(ItemState.OPEN):
        return "open"
    return "questions" if any(counts.get(state) for state in UNDER_QUESTION) else "decided"


def _why_not(review: Review, counts: Mapping[str, int]) -> str:
    """Return why the review cannot be signed yet; "" when it can."""
    try:
        policy.next_review_state("sign", review.state)
        policy.check_sign(counts, "x")
    except policy.Refused as refused:
        return str(refused)
    return ""


def _narrowed(items: QuerySet[Any], filters: Filters) -> QuerySet[Any]:
    if filters.who:
        items = items.filter(about_name=filters.who)
    return items.filter(Q(model=filters.model) | Q(subject=filters.model)) if filters.model else items


def _tabs(filters: Filters, counts: Mapping[str, int]) -> list[Chip]:
    return [
        Chip(label, sum(counts.get(state, 0) for state in states), filters.address(view=view), view == filters.view)
        for view, (label, states) in VIEWS.items()
    ]


def _facets(review: Review, filters: Filters) -> list[tuple[str, list[Chip]]]:
    """Return the links that narrow by person, and by kind of object or of holding. Two queries."""
    items = ReviewItem.objects.filter(review=review).order_by()
    column = "model" if review.kind == ReviewKind.CHANGES else "subject"
    found = []
    asked = (("Who", "about_name", "who", filters.who), ("What", column, "model", filters.model))
    for label, name, parameter, current in asked:
        rows = items.values_list(name).annotate(number=Count("pk")).order_by("-number", name)[:MOST_FACETS]
        chips = [
            Chip(_named(name, value), number, filters.address(**{parameter: value}), value == current)
            for value, number in rows
            if value
        ]
        anything = Chip(
            "Anybody" if parameter == "who" else "Anything", None, filters.address(**{parameter: ""}), not current
        )
        if len(chips) > 1 or current:
            found.append((label, [anything, *chips]))
    return found


def _named(column: str, value: str) -> str:
    if column == "about_name":
        return value
    return Subject(value).label if column == "subject" else kind_of(value).capitalize()


def _reviewers(review: Review) -> str:
    names = [str(user) for user in review.reviewers.all().order_by("last_name", "username")]
    return ", ".join([*names, *(f"everybody with the role {role}" for role in review.reviewer_roles)])


def _new(review: Review, at: datetime) -> list[holdings.Holding]:
    """Return what is held now and was not when an access review was opened: it belongs to the next one."""
    if review.kind != ReviewKind.ACCESS or not review.is_open:
        return []
    kept = {holdings.key_of(item) for item in ReviewItem.objects.filter(review=review)}
    now = holdings.held(holdings.Scope.of_json(review.scope), at=at)
    return [holding for holding in now if holding.key not in kept][:MOST_NEW]
