"""How long the record is kept, as its page says it: the rule with its figures, holds, requests and tombstones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.urls import reverse

from portal.assurance.selectors.trail_naming import kind_of
from portal.audit.holds import REQUEST_LASTS, LegalHold, Tombstone, TombstonedRow, TombstoneRequest
from portal.audit.retention import REMOVED
from portal.audit.sealing import SealState, state
from portal.audit.seals import Seal
from portal.audit.tables import TrailRow

PER_PAGE = 25
MOST_POSITIONS = 12
MOST_LIFTED = 10
TRAIL = str(TrailRow._meta.label_lower)


@dataclass(frozen=True, slots=True)
class Position:
    """A place of the chain, with the address of the row that is sealed there when the reader may see it."""

    number: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A legal hold, and what it covers in words."""

    hold: LegalHold
    covers: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a tombstone that nobody confirmed yet. `over` says that it has run out."""

    request: TombstoneRequest
    positions: list[Position]
    more: int
    expires_at: datetime
    over: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A tombstone: how many rows it replaced, and where they are sealed."""

    tombstone: Tombstone
    rows: int
    positions: list[Position]
    more: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The page."""

    oldest_at: datetime | None
    seals: SealState
    holds: list[Held]
    ended: list[Held]
    waiting: list[Asked]
    tombstones: list[Made]
    page: Page[Tombstone]


def retention(user: Any, *, at: datetime, page: str | None) -> Retention:
    """Return what the reader may see of it. A fixed number of queries, however long the record is."""
    seen = TrailRow.objects.visible_to(user)
    holds = LegalHold.objects.visible_to(user)
    ended = holds.filter(lifted_at__isnull=False).order_by("-lifted_at")[:MOST_LIFTED]
    requests = list(open_requests(TombstoneRequest.objects.visible_to(user)))
    made = Tombstone.objects.visible_to(user).select_related("request").annotate(count=Count("rows"))
    shown = Paginator(made.order_by("-confirmed_at", "-id"), PER_PAGE).get_page(page)
    tombstones = list(shown.object_list)
    some = [request.positions[:MOST_POSITIONS] for request in [*requests, *(one.request for one in tombstones)]]
    places = _places(user, [position for positions in some for position in positions])
    return Retention(
        oldest_at=seen.order_by("at", "id").values_list("at", flat=True).first(),
        seals=state(),
        holds=[Held(hold, covered_by(hold)) for hold in holds.standing()],
        ended=[Held(hold, covered_by(hold)) for hold in ended],
        waiting=[_asked(request, places, at) for request in requests],
        tombstones=[Made(one, one.count, *_shown(one.request, places)) for one in tombstones],
        page=shown,
    )


def open_requests(rows: Any) -> Any:
    """Return the requests that nobody confirmed, newest first."""
    return rows.filter(tombstone__isnull=True).order_by("-asked_at", "-id")


def covered_by(hold: LegalHold) -> str:
    """Return what a hold covers, in words."""
    if not hold.model:
        return "the whole record"
    return (
        f"{kind_of(hold.model)} {hold.object_id}, with its parts" if hold.object_id else f"every {kind_of(hold.model)}"
    )


def _asked(request: TombstoneRequest, places: dict[int, Position], at: datetime) -> Asked:
    expires_at = request.asked_at + REQUEST_LASTS
    return Asked(request, *_shown(request, places), expires_at, over=at > expires_at)


def _shown(request: TombstoneRequest, places: dict[int, Position]) -> tuple[list[Position], int]:
    first = request.positions[:MOST_POSITIONS]
    return [places[position] for position in first], len(request.positions) - len(first)


def _places(user: Any, positions: Sequence[int]) -> dict[int, Position]:
    """Return each of these positions with the address of its row. Two queries."""
    sealed = Seal.objects.filter(position__in=positions, source=TRAIL).values_list("position", "row_id")
    rows = dict(sealed)
    seen = set(TrailRow.objects.visible_to(user).filter(pk__in=rows.values()).values_list("pk", flat=True))
    base = reverse("assurance:rows")
    found = {position: Position(position) for position in positions}
    return found | {
        position: Position(position, f"{base}?{urlencode({'id': row})}")
        for position, row in rows.items()
        if row in seen
    }


@dataclass(frozen=True, slots=True)
class Removed:
    """The tombstone that replaced the words of a row, and when."""

    number: int
    at: datetime

    @property
    def url(self) -> str:
        """Where the tombstone is told."""
        return f"{reverse('assurance:retention')}#tombstone-{self.number}"


def removed_from(rows: Iterable[TrailRow]) -> dict[int, Removed]:
    """Return the tombstones over these rows, by row. No query while none looks like one that lost its words."""
    ids = [row.pk for row in rows if row.actor_name == REMOVED]
    if not ids:
        return {}
    rows_of = dict(Seal.objects.filter(source=TRAIL, row_id__in=ids, salt=None).values_list("position", "row_id"))
    made = TombstonedRow.objects.filter(seal__in=list(rows_of))
    found = made.values_list("seal_id", "tombstone_id", "tombstone__confirmed_at")
    return {rows_of[position]: Removed(number, at) for position, number, at in found}
