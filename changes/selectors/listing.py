"""The list of changes: the same number of queries at a hundred changes and at a hundred thousand. Counts are capped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from changes.approving import CHANGE
from changes.enums import EDITABLE, RUNNING, ChangeType, FindingState, Level, Status
from changes.looks import OUTCOME_LOOKS, RISK_TONES, Look, status_look
from changes.models import Change, Finding
from changes.selectors.filters import ENDED, Filters
from portal.approvals.models import ApprovalRequest
from portal.lib.counting import counts_of
from portal.lib.paging import COUNT_CAP, PAGE_SIZE, PageWindow, Total, capped
from portal.records.models import Link

OPEN = tuple(status for status in Status if status not in ENDED)
_RISK = Case(
    When(risk_level=Level.HIGH, then=Value(0)), When(risk_level=Level.MEDIUM, then=Value(1)),
    When(risk_level=Level.LOW, then=Value(2)), default=Value(3), output_field=IntegerField(),
)  # fmt: skip
ORDERS: dict[str, tuple[Any, ...]] = {
    "planned": (F("planned_start").asc(nulls_last=True), "-pk"),
    "newest": ("-requested_at", "-pk"),
    "oldest": ("requested_at", "pk"),
    "risk": (_RISK, F("risk_points").desc(nulls_last=True), "-pk"),
}
ENDED_ORDER = (Coalesce("closed_at", "cancelled_at").desc(), "-pk")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    change: Change
    look: Look
    outcome: Look | None
    risk_tone: str
    systems: str
    edge: str
    says: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list with its pager."""

    rows: list[Row]
    window: PageWindow


def of_view(rows: QuerySet[Change], view: str, *, user: Any, at: datetime) -> QuerySet[Change]:
    """Return those changes that belong to one of the views."""
    if view == "open":
        return rows.filter(status__in=OPEN)
    if view == "mine":
        return rows.filter(Q(requester=user) | Q(implementer=user))
    if view == "decide":
        return rows.filter(pk__in=to_decide(user, at=at))
    if view == "reviews":
        return rows.filter(owed_review())
    return rows.filter(status__in=ENDED) if view == "closed" else rows


def to_decide(user: Any, *, at: datetime) -> QuerySet[Any]:
    """Return the ids of the changes that wait for the decision of `user`."""
    waiting = ApprovalRequest.objects.visible_to(user).waiting_for(user, at=at).filter(kind=CHANGE.kind)
    return waiting.order_by().values("subject_id")


def owed_review() -> Q:
    """Return the emergencies that were started and whose review is still owed."""
    return Q(type=ChangeType.EMERGENCY, status__in=RUNNING, review="")


def narrowed(user: Any, filters: Filters, *, at: datetime) -> QuerySet[Change]:
    """Return the changes that the reader may see and asked for, in no order."""
    seen: QuerySet[Change] = Change.objects.visible_to(user).order_by()
    found = of_view(seen, filters.view, user=user, at=at)
    for name in ("type", "status", "outcome"):
        if value := getattr(filters, name):
            found = found.filter(**{name: value})
    if filters.risk:
        found = found.filter(risk_level=filters.risk)
    if filters.system:
        found = found.filter(systems__slug=filters.system)
    if filters.month:
        found = found.filter(closed_at__gte=month_start(filters.month), closed_at__lt=month_end(filters.month))
    if filters.caused:
        found = found.filter(pk__in=caused())
    if filters.reference:
        found = found.filter(reference=filters.reference)
    for word in filters.words:
        found = found.filter(title__icontains=word)
    return found


def unanswered(user: Any) -> int:
    """Return how many writes outside of any change wait for an answer that the reader may see. One query."""
    return int(Finding.objects.visible_to(user).filter(state=FindingState.OPEN).count())


def caused() -> QuerySet[Any]:
    """Return the ids of the changes that caused something."""
    return Link.objects.filter(kind="caused", from_type=ContentType.objects.get_for_model(Change)).values("from_id")


def month_start(month: str) -> datetime:
    """Return when a month such as 2026-11 begins, in UTC."""
    year, number = map(int, month.split("-"))
    return datetime(max(year, 1), number, 1, tzinfo=UTC)


def month_end(month: str) -> datetime:
    """Return when the month after it begins, in UTC."""
    start = month_start(month)
    year, number = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return datetime(min(year, 9999), number, 1, tzinfo=UTC)


def page_of(user: Any, filters: Filters, *, at: datetime) -> Listing:
    """Return one page of the list. Five queries."""
    asked = narrowed(user, filters, at=at)
    order = ENDED_ORDER if filters.view == "closed" and filters.sort == "planned" else ORDERS[filters.sort]
    first = (filters.page - 1) * PAGE_SIZE
    ids = list(asked.order_by(*order).values_list("pk", flat=True)[first : first + PAGE_SIZE + 1])
    count = capped(counts_of(known=asked[: COUNT_CAP + 1])["known"])
    window = PageWindow(Total(count), filters.page, len(ids[:PAGE_SIZE]), len(ids) > PAGE_SIZE)
    return Listing(rows_of(user, ids[:PAGE_SIZE], at=at), window)


def rows_of(user: Any, ids: list[int], *, at: datetime) -> list[Row]:
    """Return these changes as rows, in the order of the ids. Two queries."""
    wanted = Change.objects.visible_to(user).filter(pk__in=ids).select_related("requester", "implementer")
    found = {change.pk: change for change in wanted.prefetch_related("systems")}
    return [_row(found[pk], at=at) for pk in ids if pk in found]


def _row(change: Change, *, at: datetime) -> Row:
    says, edge = _edge(change, at=at)
    return Row(
        change=change,
        look=status_look(change.status, rolling_back=change.is_rolling_back),
        outcome=OUTCOME_LOOKS.get(change.outcome),
        risk_tone=RISK_TONES.get(change.risk_level, ""),
        systems=", ".join(sorted(system.name for system in change.systems.all())),
        edge=edge,
        says=says,
    )


def _edge(change: Change, *, at: datetime) -> tuple[str, str]:
    """Return what is wrong with a change's time, in words, and the edge of its row."""
    if change.status in ENDED:
        return "", "is-settled"
    end = change.planned_end
    if change.status in RUNNING:
        return ("past its window", "is-late") if end is not None and end < at else ("", "is-warm")
    if change.status in EDITABLE and end is not None and end < at:
        return "its window has passed", "is-late"
    return "", ""
