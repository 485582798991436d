"""The items of a review as its pages show them: where each stands, and what the reader may do to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from portal.assurance import policy
from portal.assurance.enums import DECIDED, UNDER_QUESTION, ItemState, ReviewKind
from portal.assurance.looks import ITEM_LOOKS, SUBJECT_ICONS, Look
from portal.assurance.models import Review, ReviewItem, Verdict
from portal.assurance.policy import Person
from portal.assurance.services import holdings
from portal.assurance.services.people import ADMINISTRATOR

VIEWS: dict[str, tuple[str, tuple[ItemState, ...]]] = {
    "open": ("Open", (ItemState.OPEN,)),
    "questions": ("Under question", UNDER_QUESTION),
    "decided": ("Decided", DECIDED),
    "all": ("All", tuple(ItemState)),
}
"""The tabs of a review: what each is called, and the states of its items."""


def with_state(items: QuerySet[Any]) -> QuerySet[Any]:
    """Return items annotated with where they stand: `state`, from the last verdict on each."""
    last = Verdict.objects.filter(item=OuterRef("pk")).order_by("-step")
    return items.annotate(state=Coalesce(Subquery(last.values("state")[:1]), Value(ItemState.OPEN.value)))


def counts_of(review: Review) -> dict[str, int]:
    """Return how many items stand in each state. One query."""
    rows = with_state(ReviewItem.objects.filter(review=review)).order_by().values_list("state")
    return dict(rows.annotate(number=Count("pk")))


@dataclass
class ItemRow:
    """One item as the page shows it, with what the reader may do to it."""

    item: Any
    state: ItemState
    own: bool
    held: bool
    may: list[str] = field(default_factory=list)
    last: Verdict | None = None

    @property
    def look(self) -> Look:
        """Return word, tone and icon of its state."""
        return ITEM_LOOKS[self.state]

    @property
    def icon(self) -> str:
        """Return the icon of what it is."""
        return SUBJECT_ICONS[self.item.subject]

    @property
    def veiled(self) -> bool:
        """Tell whether it touches a restricted record that the reader may not see."""
        return getattr(self.item, "is_veiled", False)

    @property
    def lapsed(self) -> bool:
        """Tell whether what it names is no longer held, and nobody has noted it."""
        return not self.held and self.state in (ItemState.OPEN, ItemState.ATTESTED)


def item_rows(review: Review, items: list[Any], person: Person, *, reviewer: bool, at: datetime) -> list[ItemRow]:
    """Return items with what the reader may do to each. A fixed number of queries."""
    of_access = review.kind == ReviewKind.ACCESS and review.is_open
    held = holdings.held_now(items, at=at) if of_access and items else {}
    rows = Verdict.objects.filter(item__in=[item.pk for item in items]).order_by("item_id", "step")
    last = {verdict.item_id: verdict for verdict in rows}
    return [
        _item_row(review, item, person, last.get(item.pk), reviewer=reviewer, held=held.get(item.pk, True))
        for item in items
    ]


def _item_row(
    review: Review, item: Any, person: Person, last: Verdict | None, *, reviewer: bool, held: bool
) -> ItemRow:
    state = ItemState(last.state) if last else ItemState.OPEN
    own = item.about_id is not None and item.about_id == person.user_id
    verbs = policy.verbs_from(review.kind, state) if review.is_open else []
    decides = reviewer and not own and not getattr(item, "is_veiled", False)
    may = [verb for verb in verbs if verb != "answer" and decides and _fits(verb, held=held)]
    answers = "answer" in verbs and policy.may_answer(person, item.about_id, administrator=ADMINISTRATOR)
    return ItemRow(item, state, own, held, [*may, *(["answer"] if answers else [])], last)


def _fits(verb: str, *, held: bool) -> bool:
    """Tell whether a verb goes with what is held now: only what is held is attested or revoked."""
    return held != (verb == "note as gone") if verb in {"attest", "revoke", "note as gone"} else True
