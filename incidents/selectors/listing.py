"""The incident list: unsettled first, the same number of queries at a hundred incidents and at a hundred thousand.

Two ordered windows are read instead of one sorted whole: the open incidents, of which there are few, and behind them
the settled ones straight from the index on the moment of declaration. Counts are capped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from incidents import clocks
from incidents.clocks import ClockFace
from incidents.enums import OPEN
from incidents.looks import Look, status_look
from incidents.models import Incident, Responder
from incidents.selectors.filters import Filters
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Contact
from portal.lib.paging import COUNT_CAP, PAGE_SIZE, PageWindow, Total

ORDERS: dict[str, tuple[str, ...]] = {
    "urgent": ("-declared_at", "-id"),
    "newest": ("-declared_at", "-id"),
    "oldest": ("declared_at", "id"),
    "worst": ("severity__level", "-declared_at", "-id"),
    "mildest": ("-severity__level", "-declared_at", "-id"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    incident: Incident
    look: Look
    systems: str
    clock: Any
    edge: str
    length: timedelta

    @property
    def settled(self) -> bool:
        """Whether nothing burns here any more."""
        return not self.incident.is_open


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list with its pager."""

    rows: list[Row]
    window: PageWindow


def contact_of(user: Any) -> Contact | None:
    """Return the person in the directory behind an account, if there is one."""
    return Contact.objects.filter(user_id=user.pk).first()


def involving(contact_id: int | None) -> Q:
    """Return the incidents that somebody commands or responds to."""
    working = Responder.objects.filter(incident=OuterRef("pk"), contact_id=contact_id or 0)
    return Q(commander_id=contact_id or 0) | Q(Exists(working))


def narrowed(user: Any, filters: Filters, *, contact_id: int | None) -> QuerySet[Incident]:
    """Return the incidents that the reader may see and asked for, in no order."""
    found: QuerySet[Incident] = Incident.objects.visible_to(user).order_by()
    if filters.view == "open":
        found = found.filter(status__in=OPEN)
    if filters.view == "mine":
        found = found.filter(involving(contact_id))
    if filters.kind:
        found = found.filter(is_drill=filters.kind == "drill")
    alike = {
        "severity__level": filters.severity,
        "status": filters.status,
        "type": filters.type,
        "systems__slug": filters.system,
        "commander_id": filters.commander,
        "reference": filters.reference,
    }
    found = found.filter(**{name: value for name, value in alike.items() if value})
    for word in filters.words:
        found = found.filter(title__icontains=word)
    return found


def page_of(user: Any, filters: Filters, *, contact_id: int | None, at: datetime) -> Listing:
    """Return one page of the list: the open incidents first, real ones before drills, then the settled ones."""
    asked = narrowed(user, filters, contact_id=contact_id)
    burning = asked.filter(status__in=OPEN)
    first = (filters.page - 1) * PAGE_SIZE
    open_count = burning.count()
    order = ORDERS["worst" if filters.sort == "urgent" else filters.sort]
    ids = list(burning.order_by("is_drill", *order).values_list("pk", flat=True)[first : first + PAGE_SIZE])
    settled_from = max(first - open_count, 0)
    behind = asked.exclude(status__in=OPEN).order_by(*ORDERS[filters.sort]).values_list("pk", flat=True)
    settled = list(behind[settled_from : settled_from + COUNT_CAP + 1])
    ids += settled[: PAGE_SIZE - len(ids)]
    known = open_count + settled_from + len(settled)
    count: str | int = known if len(settled) <= COUNT_CAP else f"more than {known - 1:,}"
    window = PageWindow(Total(count), filters.page, len(ids), known > first + len(ids))
    return Listing(rows_of(ids, at=at), window)


def rows_of(ids: list[int], *, at: datetime) -> list[Row]:
    """Return these incidents as rows, in the order of the ids. Four queries."""
    incidents = Incident.objects.filter(pk__in=ids).select_related("severity", "commander").prefetch_related("systems")
    found = {incident.pk: incident for incident in incidents}
    next_clocks = clocks.next_clock(ids, at=at)
    kept = clocks.of_many(ids)
    return [_row(found[pk], next_clocks.get(pk), kept.get(pk, {}), at=at) for pk in ids if pk in found]


def _row(incident: Incident, next_clock: ClockFace | None, kept: dict[str, Deadline], *, at: datetime) -> Row:
    return Row(
        incident=incident,
        look=status_look(incident.status),
        systems=", ".join(system.name for system in incident.systems.all()),
        clock=_open_clock(next_clock, kept) if incident.is_open else _settled_clock(kept),
        edge=_edge(next_clock, kept) if incident.is_open else "is-settled",
        length=length_of(incident, at=at),
    )


def _edge(next_clock: ClockFace | None, kept: dict[str, Deadline]) -> str:
    if _owed(kept) or (next_clock is not None and next_clock.state == "missed"):
        return "is-late"
    return "is-warm" if next_clock is not None and next_clock.state == "risk" else ""


def _owed(kept: dict[str, Deadline]) -> int:
    """Return how many deadlines have passed without what they waited for."""
    return sum(1 for row in kept.values() if row.state == DeadlineState.FIRED and row.met_at is None)


def _open_clock(next_clock: ClockFace | None, kept: dict[str, Deadline]) -> dict[str, Any] | None:
    owed = _owed(kept)
    if owed and (next_clock is None or next_clock.state == "paused"):
        return {"state": "missed", "chip": f"{owed} missed, none done yet" if owed > 1 else "1 missed, not done yet"}
    return running_clock(next_clock)


def running_clock(face: ClockFace | None) -> dict[str, Any] | None:
    """Return a running clock for a due chip, named by what it asks for: "Tell customers in 12:04"."""
    if face is None:
        return None
    return {"name": face.asks_for, "state": face.state, "value": face.value, "due_at": face.due_at}


def _settled_clock(kept: dict[str, Deadline]) -> dict[str, str] | None:
    missed = sum(1 for row in kept.values() if row.state == DeadlineState.FIRED)
    if missed:
        return {"state": "missed", "chip": f"{missed} missed"}
    met = any(row.state == DeadlineState.MET for row in kept.values())
    return {"state": "met", "chip": "All met"} if met else None


def length_of(incident: Incident, *, at: datetime) -> timedelta:
    """Return how long it lasted, or has lasted so far: until resolved or cancelled, else until `at`."""
    return (
        incident.resolved_at or incident.cancelled_at or incident.merged_at or incident.closed_at or at
    ) - incident.declared_at
