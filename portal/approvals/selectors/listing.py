"""The lists of requests: what waits for the reader, what the reader asked for, and all that they may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from portal.approvals import registry
from portal.approvals.enums import LIVE, RequestState
from portal.approvals.looks import Look, state_look
from portal.approvals.models import ApprovalRequest, Stage

PER_PAGE = 25
MOST_AT_ONCE = 50
SOON = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the list of all requests for. What an address misspells is left out."""

    state: str = ""
    kind: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address."""
        state, kind, page = (query.get(name, "") for name in ("state", "kind", "page"))
        return cls(
            state=state if state in RequestState.values else "",
            kind=kind if registry.of_kind(kind) is not None else "",
            page=int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1,
        )

    @property
    def narrowing(self) -> dict[str, str]:
        """What the list is narrowed by, by name."""
        return {name: value for name, value in (("state", self.state), ("kind", self.kind)) if value}

    def address(self, **changes: str) -> str:
        """Return the address of the list with some filters changed, on its first page."""
        asked = replace(self, **changes).narrowing  # type: ignore[arg-type]
        return reverse("approvals:list") + (f"?{urlencode(asked)}" if asked else "")


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter: it narrows the list, or widens it again."""

    label: str
    url: str
    current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One request in a list: how it looks, the stage that decides now, and whether its time nearly runs out."""

    request: ApprovalRequest
    look: Look
    stage: Stage | None
    soon: bool


@dataclass(frozen=True, slots=True)
class Lists:
    """The page of approvals for one reader."""

    waiting: list[Row]
    mine: list[Row]
    everything: list[Row]
    page: Page[Any]
    facets: list[tuple[str, list[Chip]]]


def lists_of(user: Any, filters: Filters, *, at: datetime) -> Lists:
    """Return the three lists, in a fixed number of queries."""
    mine = ApprovalRequest.objects.visible_to(user).filter(requester_id=user.pk, state__in=LIVE)
    found = ApprovalRequest.objects.visible_to(user).filter(**filters.narrowing).with_open_stage()
    page = Paginator(found.order_by("-asked_at", "-pk"), PER_PAGE).get_page(filters.page)
    return Lists(
        waiting=waiting_rows(user, at=at),
        mine=rows_of(mine.with_open_stage()[:MOST_AT_ONCE], at=at),
        everything=rows_of(page.object_list, at=at),
        page=page,
        facets=_facets(filters),
    )


def waiting_rows(user: Any, *, at: datetime) -> list[Row]:
    """Return the requests on which the reader may decide now, the most pressing first."""
    waiting = ApprovalRequest.objects.visible_to(user).waiting_for(user, at=at).order_by("decide_by", "pk")
    return rows_of(waiting.with_open_stage()[:MOST_AT_ONCE], at=at)


def waiting_count(user: Any, *, at: datetime) -> int:
    """Return on how many requests the reader may decide now."""
    found: int = ApprovalRequest.objects.visible_to(user).waiting_for(user, at=at).count()
    return found


def rows_of(requests: Iterable[Any], *, at: datetime) -> list[Row]:
    """Return requests, read with their open stage, as rows."""
    return [
        Row(
            one,
            state_look(one.state),
            next(iter(one.open_stages), None),
            soon=one.state == RequestState.PENDING and one.decide_by - at < SOON,
        )
        for one in requests
    ]


def _facets(filters: Filters) -> list[tuple[str, list[Chip]]]:
    states = [
        Chip(
            state_look(state).word,
            filters.address(state="" if filters.state == state else state),
            filters.state == state,
        )
        for state in RequestState.values
    ]
    kinds = [
        Chip(label, filters.address(kind="" if filters.kind == kind else kind), filters.kind == kind)
        for kind, label in registry.kind_choices()
    ]
    return [("State", states), ("Record", kinds)]
