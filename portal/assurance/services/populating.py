"""The population of a review of privileged changes: the gestures of a period, frozen with a digest of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from portal.assurance import digesting
from portal.assurance.enums import ReviewKind, ReviewState, Subject
from portal.assurance.models import Review, ReviewItem
from portal.assurance.telling import Told, summary
from portal.audit.enums import OF_HISTORY, Action
from portal.audit.models import TrailRow

OF_CHANGES = (*(action.value for action in OF_HISTORY.values()), Action.EVENT.value)
"""What of the privileged rows is a change. Reading, deciding and signing in are not."""
_MORE = ("gesture", "fields", "root_model", "root_id")
_COLUMNS = (*digesting.ROW, *_MORE)
_AT_ONCE = 2000


@dataclass
class Gesture:
    """The privileged rows of one gesture by one actor, in the order of their ids."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Return the digest of the rows as they read now."""
        return digesting.of_rows([row[name] for name in digesting.ROW] for row in self.rows)

    def item(self, number: int, since: datetime | None) -> ReviewItem:
        """Return it as an unsaved item of a review."""
        first = self.rows[0]
        models = {row["root_model"] for row in self.rows}
        one = len({(row["root_model"], row["root_id"]) for row in self.rows}) == 1
        reasons = dict.fromkeys(row["reason"] for row in self.rows if row["reason"])
        return ReviewItem(
            number=number,
            subject=Subject.CHANGE,
            about_id=first["actor_id"],
            about_name=first["actor_name"],
            at=first["at"],
            title=summary([_told(row) for row in self.rows]),
            reason=" · ".join(reasons),
            model=models.pop() if len(models) == 1 else "",
            object_id=first["root_id"] if one else "",
            gesture=first["gesture"],
            first_row=self.rows[0]["id"],
            last_row=self.rows[-1]["id"],
            rows=len(self.rows),
            facts={"origin": first["origin"], "late": since is not None and first["at"] < since},
            digest=self.digest,
        )


def _told(row: dict[str, Any]) -> Told:
    names = ("action", "model", "name", "event", "fields", "root_model", "root_id")
    return Told(*(row[name] for name in names))


def changes_of(since: datetime, until: datetime, *, after: int | None = None) -> QuerySet[TrailRow]:
    """Return the privileged changes of a period. With `after`, also earlier ones that came behind that row."""
    period = Q(at__gte=since, at__lt=until)
    if after is not None:
        period |= Q(at__lt=since, id__gt=after)
    rows: QuerySet[TrailRow] = TrailRow.objects.filter(period, privileged=True, action__in=OF_CHANGES)
    return rows


def gestures(rows: QuerySet[TrailRow]) -> list[Gesture]:
    """Return the rows by gesture and actor, in the order of the first moment of each. One query."""
    found: dict[Any, Gesture] = {}
    for row in rows.order_by("id").values(*_COLUMNS).iterator(_AT_ONCE):
        key = (row["gesture"] or row["id"], row["actor_id"], row["actor_name"])
        found.setdefault(key, Gesture()).rows.append(row)
    return sorted(found.values(), key=lambda gesture: (gesture.rows[0]["at"], gesture.rows[0]["id"]))


def seen_before(since: datetime) -> int | None:
    """Return the last row of the trail that the review before this period was made of; nothing without one.

    What came later but tells an earlier moment belongs to no period any more: the next review takes it in.
    """
    earlier = Review.objects.filter(kind=ReviewKind.CHANGES, period_until__lte=since)
    newest = earlier.exclude(state=ReviewState.CALLED_OFF).order_by("-period_until", "-id").first()
    return None if newest is None else int(newest.scope.get("seen_to") or 0) or None


def newest_row() -> int:
    """Return the id of the newest row of the trail."""
    return TrailRow.objects.order_by("-id").values_list("id", flat=True).first() or 0


def altered(review: Review) -> list[int]:
    """Return the numbers of the items whose rows no longer read as they did when the review was opened.

    A removed row, an edited one and one that was put among them all count.
    """
    if review.kind == ReviewKind.ACCESS:
        return [item.number for item in _items(review) if digesting.of_facts(item.facts) != item.digest]
    if review.period_from is None or review.period_until is None:
        return []
    after = review.scope.get("after")
    rows = changes_of(review.period_from, review.period_until, after=after).filter(id__lte=review.scope["seen_to"])
    now = {gesture.rows[0]["id"]: gesture.digest for gesture in gestures(rows)}
    kept = {item.first_row: item for item in _items(review)}
    gone = [item.number for first, item in kept.items() if now.get(first) != item.digest]
    return sorted(gone) + [0] * len(now.keys() - kept.keys())


def _items(review: Review) -> Iterator[ReviewItem]:
    rows: Iterable[ReviewItem] = ReviewItem.objects.filter(review=review).order_by("number")
    return iter(rows)
