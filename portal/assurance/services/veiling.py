"""Items of a review that touch a restricted record: decided by whoever may read that, and veiled to everybody else."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from portal.assurance.models import ReviewItem
from portal.audit.models import TrailRow
from portal.lib.visibility import Nobody, hidden_rows

TITLE = "A change to a restricted record"


def hidden_items(items: Iterable[ReviewItem], user: Any) -> set[int]:
    """Return the keys of the items of which any row of the trail is hidden from a reader, their own left out.

    One query where anything is hidden, and none of its own else.
    """
    others = [item for item in items if item.about_id is None or item.about_id != user.pk]
    rows = _hidden(user) if others else None
    if rows is None:
        return set()
    acts = {item.gesture for item in others if item.gesture is not None}
    alone = {item.first_row for item in others if item.gesture is None and item.first_row is not None}
    found = rows.filter(Q(gesture__in=acts) | Q(pk__in=alone)).values_list("gesture", "pk")
    told = {key for pair in found for key in pair if key is not None}
    return {item.pk for item in others if (item.first_row if item.gesture is None else item.gesture) in told}


def readable(rows: QuerySet[Any], user: Any, *, item: str = "") -> QuerySet[Any]:
    """Return items without those of which any row is hidden from a reader, or what belongs to such: by `item`."""
    hidden = _hidden(user)
    if hidden is None:
        return rows
    acts, alone = hidden.exclude(gesture=None), hidden.filter(gesture=None)
    return rows.exclude(
        Q(**{f"{item}gesture__in": acts.order_by().values("gesture")})
        | Q(**{f"{item}gesture": None, f"{item}first_row__in": alone.order_by().values("pk")})
    )


def _hidden(user: Any) -> QuerySet[TrailRow] | None:
    condition = hidden_rows(TrailRow, user)
    if condition is None:
        return None
    rows: QuerySet[TrailRow] = TrailRow.objects.filter(condition, privileged=True)
    return rows


def veiled(items: Iterable[ReviewItem], user: Any) -> list[Any]:
    """Return items as a reader may have them: themselves, or copies that say no more than who and when."""
    listed = list(items)
    hidden = hidden_items(listed, user)
    return [_veiled(item) if item.pk in hidden else item for item in listed]


def told_to_all(item: ReviewItem) -> Any:
    """Return an item as a message or the trail may tell of it, whoever reads that."""
    return veiled([item], Nobody())[0]


def _veiled(item: ReviewItem) -> Any:
    copied: Any = copy.copy(item)
    copied.title, copied.reason, copied.model, copied.object_id = TITLE, "", "", ""
    copied.is_veiled = True
    return copied
