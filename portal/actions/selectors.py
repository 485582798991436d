"""What pages read of action items: the list with its views and figures, and the block on the page of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse

from portal.actions.enums import State
from portal.actions.looks import Look, look_of
from portal.actions.models import ActionItem
from portal.directory.models import Contact, Team
from portal.lib.counting import counts_of
from portal.records import services as records

PAGE_SIZE = 50
CAP = 999
WHOSE: MappingProxyType[str, str] = MappingProxyType({"mine": "Mine", "teams": "My teams'", "all": "All"})
WHEN = ("overdue", "7", "30", "orphaned", "ended")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked for in the address of the list."""

    whose: str = "all"
    when: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str], *, usual: str) -> Asked:
        """Read the address; what is not known is left out."""
        page = query.get("page", "1")
        whose, when = query.get("whose", usual), query.get("when", "")
        return cls(
            whose if whose in WHOSE else usual, when if when in WHEN else "",
            query.get("q", "").replace("\x00", "").strip()[:100],
            min(int(page), 100_000) if page.isascii() and page.isdigit() and 0 < len(page) < 7 and int(page) else 1,
        )  # fmt: skip

    def address(self, **change: Any) -> str:
        """Return the address of another view of the list."""
        other = replace(self, **{"page": 1, **change})
        given = {"whose": other.whose, "when": other.when, "q": other.q, "page": other.page if other.page > 1 else ""}
        return "?" + urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One item as lists show it; `source` is nothing where there is none, or none that the reader may see."""

    item: ActionItem
    look: Look
    source: Any
    edge: str
    owner_gone: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """A view of the list, with how many it holds."""

    label: str
    url: str
    current: bool
    count: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over the list that leads to what it counts."""

    label: str
    count: str
    note: str
    url: str
    current: bool
    is_red: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """One page of the list, its views, its figures."""

    rows: list[Row]
    more: bool
    tabs: list[Tab]
    figures: list[Figure]
    gone: int


def person_of(user: Any) -> Contact | None:
    """Return the reader's own entry in the directory."""
    found: Contact | None = Contact.objects.filter(user_id=user.pk).first()
    return found


def usual(user: Any, person: Contact | None) -> str:
    """Return the view that a reader sees first: what is theirs, else everything."""
    mine = ActionItem.objects.visible_to(user).standing()
    return "mine" if person is not None and mine.filter(owner=person).exists() else "all"


def of_whom(rows: QuerySet[Any], whose: str, person: Contact | None) -> QuerySet[Any]:
    """Return the items that are somebody's own, or of a member of one of their teams."""
    if whose == "all":
        return rows
    if person is None:
        return rows.none()
    if whose == "mine":
        return rows.filter(owner=person)
    teams = Team.objects.filter(members=person).order_by().values("pk")
    return rows.filter(owner__in=Contact.objects.filter(teams__in=teams).order_by().values("pk"))


def of_when(rows: QuerySet[Any], when: str, *, at: datetime) -> QuerySet[Any]:
    """Return the items that are overdue, due within so many days, of somebody who left, or that are over."""
    if when == "ended":
        return rows.exclude(state=State.OPEN)
    standing = rows.filter(state=State.OPEN)
    if when == "overdue":
        return standing.filter(due_at__lt=at)
    if when == "orphaned":
        return standing.filter(owner__active=False)
    return standing.filter(due_at__gte=at, due_at__lt=at + timedelta(days=int(when))) if when else standing


def list_of(user: Any, asked: Asked, person: Contact | None, *, at: datetime) -> List:
    """Return one page of the list. Overdue comes first, since the list goes by day; what is over, newest first."""
    every = ActionItem.objects.visible_to(user)
    mine = of_whom(every, asked.whose, person)
    found = of_when(mine, asked.when, at=at)
    if asked.q:
        words = models.Q(title__icontains=asked.q) | models.Q(reference__iexact=asked.q)
        found = found.filter(words | models.Q(owner__name__icontains=asked.q))
    order = ("-due_at", "-pk") if asked.when == "ended" else ("due_at", "pk")
    first = (asked.page - 1) * PAGE_SIZE
    page = list(found.select_related("owner", "source_type").order_by(*order)[first : first + PAGE_SIZE + 1])
    counts = counts_of(
        **{f"whose_{whose}": of_whom(every.standing(), whose, person)[: CAP + 1] for whose in WHOSE},
        **{f"when_{when}": of_when(mine, when, at=at)[: CAP + 1] for when in WHEN},
        everywhere=of_when(every, "overdue", at=at)[: CAP + 1],
    )
    return List(
        rows_of(page[:PAGE_SIZE], user, at=at), len(page) > PAGE_SIZE, _tabs(asked, counts), _figures(asked, counts),
        counts["when_orphaned"],
    )  # fmt: skip


def rows_of(items: list[ActionItem], user: Any, *, at: datetime) -> list[Row]:
    """Return items as rows, with the records that they came from: one query for each kind of record."""
    ends = {(item.source_type_id, item.source_id) for item in items if item.source_type_id and item.source_id}
    sources: dict[Any, Any] = records.records_of({(kind, key) for kind, key in ends if kind and key}, user)
    return [
        Row(
            item, look_of(item, at=at), sources.get((item.source_type_id, item.source_id)),
            "is-late" if item.is_overdue(at) else "is-warm" if _is_soon(item, at) else "", not item.owner.active,
        )
        for item in items
    ]  # fmt: skip


def _is_soon(item: ActionItem, at: datetime) -> bool:
    return item.is_standing and item.due_at < at + timedelta(days=7)


def _capped(count: int) -> str:
    return f"{count:,}" if count <= CAP else f"{CAP:,}+"


def _tabs(asked: Asked, counts: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(label, asked.address(whose=whose), whose == asked.whose, _capped(counts[f"whose_{whose}"]))
        for whose, label in WHOSE.items()
    ]


def _figures(asked: Asked, counts: Mapping[str, int]) -> list[Figure]:
    def figure(when: str, label: str, note: str) -> Figure:
        current, count = asked.when == when, counts[f"when_{when}"]
        url = asked.address(when="" if current else when)
        return Figure(label, _capped(count), note, url, current, when == "overdue" and count > 0)

    return [
        figure("overdue", "Overdue", f"{_capped(counts['everywhere'])} across everything"),
        figure("7", "Next 7 days", "due soon"),
        figure("30", "Next 30 days", "due in a month"),
        figure("ended", "Done or cancelled", "with what was done, or why not"),
    ]


def item_for(user: Any, reference: str) -> ActionItem:
    """Return the item with this reference; Http404 is raised when there is none that the reader may see."""
    rows = ActionItem.objects.visible_to(user).select_related("owner", "asker", "source_type")
    found: ActionItem | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No action item {reference} can be seen.")
    return found


@dataclass(frozen=True, slots=True)
class Section:
    """The action items of one record, as actions/section.html shows them; `open_url` is empty for who opens none."""

    rows: list[Row]
    overdue: int
    standing: int
    open_url: str


def section_of(record: Any, user: Any, *, at: datetime) -> Section:
    """Return the block of action items for the page of a record. One query. The record has a registered reference."""
    items = list(ActionItem.objects.visible_to(user).of(record).select_related("owner"))
    rows = [
        Row(item, look_of(item, at=at), None, "is-late" if item.is_overdue(at) else "", not item.owner.active)
        for item in items
    ]
    may = user.has_perm("actions.add_actionitem")
    url = f"{reverse('actions:open')}?about={record.reference}" if may else ""
    standing = sum(item.is_standing for item in items)
    return Section(rows, sum(item.is_overdue(at) for item in items), standing, url)
