"""The life of one object as a story: from its creation, with its parts, whether it still exists or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Max, Min, Q, QuerySet
from django.urls import NoReverseMatch, reverse

from portal.assurance.selectors.trail_filters import Filters
from portal.assurance.selectors.trail_gestures import Gesture, Page, page_of
from portal.assurance.selectors.trail_naming import REFERENCE, kind_of, model_of, with_kind
from portal.assurance.selectors.trail_rows import Line, lines_of
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.lib.visibility import VisibleQuerySet

LINES, AT_FIRST = 6, 12
MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Life:
    """What an object was and is: what it was called, when the trail first and last told of it."""

    model: str
    key: str
    kind: str
    reference: str
    name: str
    earlier_names: list[str]
    first_at: datetime
    last_at: datetime
    deleted: bool

    @property
    def title(self) -> str:
        """What it is called."""
        return self.reference or self.name or f"{self.kind} {self.key}"

    @property
    def subtitle(self) -> str:
        """Its name, where the title is its reference."""
        return self.name.removeprefix(self.reference).strip() if self.reference else ""

    @property
    def own_title(self) -> str:
        """What a line about the object itself begins with."""
        return self.reference or with_kind(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One gesture of a story with its differences; `hidden` counts those that stand on the page of the gesture."""

    gesture: Gesture
    lines: list[Line]
    hidden: int


def life_of(seen: QuerySet[TrailRow], model: str, key: str) -> Life | None:
    """Return what became of an object and its parts, or nothing when the reader may see none of it. Two queries."""
    names = list(
        seen.filter(model=model, object_id=key)
        .order_by()
        .values("name", "reference")
        .annotate(first=Min("at"), last=Max("at"), newest=Max("pk"), gone=Max("pk", filter=Q(action=Action.DELETED)))
        .order_by("-newest")[:MOST_NAMES]
    )
    if not names:
        return None
    parts = seen.filter(root_model=model, root_id=key).order_by().aggregate(first=Min("at"), last=Max("at"))
    moments = [row[end] for row in (*names, parts) for end in ("first", "last") if row[end] is not None]
    now = next((row for row in names if row["name"]), names[0])
    reference = now["reference"] if REFERENCE.fullmatch(now["reference"]) else ""
    return Life(
        model,
        key,
        kind_of(model),
        reference,
        now["name"],
        [name for name in dict.fromkeys(row["name"] for row in names) if name and name != now["name"]],
        min(moments),
        max(moments),
        deleted=any(row["gone"] for row in names),
    )


def record_address(user: Any, model: str, key: str) -> str:
    """Return the page of a record while it exists: its own, else the admin's for whoever may open that. One query."""
    found = model_of(model)
    if found is None or not isinstance(found._default_manager.none(), VisibleQuerySet):
        return ""
    try:
        live = found._default_manager.visible_to(user).filter(pk=key).first()
    except (ValueError, OverflowError):
        return ""
    return "" if live is None else _page_of(live, user)


def _page_of(live: Any, user: Any) -> str:
    if hasattr(live, "get_absolute_url"):
        return str(live.get_absolute_url())
    meta = live._meta
    if not user.is_staff or not admin.site.is_registered(type(live)):
        return ""
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[live.pk])
    except NoReverseMatch:
        return ""


def story_of(seen: QuerySet[TrailRow], filters: Filters, *, reader: Any, now: datetime) -> Page:
    """Return a page of the story of the object that the filters name: from its beginning, unless they name a place.

    `last` means the end of the story here.
    """
    placed = filters.before is not None or filters.after is not None
    asked = filters if placed else replace(filters, last=not filters.last)
    address = reverse("assurance:story", args=[filters.model, filters.object])

    def link(*, last: bool = False, **place: Any) -> str:
        query = urlencode({name: str(found) for name, found in place.items()} or ({} if last else {"last": "1"}))
        return f"{address}?{query}" if query else address

    return page_of(seen, asked, reader=reader, now=now, link=link)


def chapters(gestures: list[Gesture], life: Life) -> list[Chapter]:
    """Return the gestures oldest first, each with its first differences: at its creation, what the object held."""
    return [_chapter(gesture, life) for gesture in reversed(gestures)]


def _chapter(gesture: Gesture, life: Life) -> Chapter:
    rows, itself = gesture.rows[::-1], (life.model, life.key)
    made = [row for row in rows if row.action == Action.CREATED and (row.model, row.object_id) == itself]
    begun = [line for row in made for line in lines_of(row)]
    changed = [line for row in rows if row.action == Action.CHANGED for line in lines_of(row)]
    shown = begun[:AT_FIRST] + changed[:LINES]
    return Chapter(gesture, shown, len(begun) + len(changed) - len(shown))
