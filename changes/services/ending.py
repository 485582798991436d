"""The ends of a change: closed with its outcome, or cancelled."""

from __future__ import annotations

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from changes import policy
from changes.enums import Outcome, Status
from changes.models import Cell, Change
from changes.policy import Refused
from changes.services import working
from changes.services.common import keep_period, locked, move, say
from changes.services.doing import OWED
from portal.approvals import services as approvals
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState
from portal.lib.blank import is_blank
from portal.records.models import Demand


def open_ends(change: Change) -> list[str]:
    """Return what keeps a change from being closed, a sentence each: access reviews that are still open."""
    keys = Cell.objects.filter(change=change).exclude(demand_key="").values_list("demand_key", flat=True)
    waiting = Demand.objects.filter(key__in=list(keys), answered_at=None).order_by("pk")
    return [f"The access review of {demand.payload.get('module', demand.key)} is still open." for demand in waiting]


def close(change: Change, *, outcome: str, by: By, at: datetime, review: str = "", reason: str = "") -> Change:
    """Close a change that was verified, with its outcome.

    Refused is raised for an outcome that does not fit what happened or that its steps do not bear out, without a review
    where one is required, and while an access review is open.
    """
    if outcome not in Outcome.values:
        raise Refused("Choose how it ended.")
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "close")
        ends = policy.Ends(open_ends(row), review or row.review, rolled_back=row.rolled_back_at is not None)
        policy.check_close(row.type, outcome, ends)
        working.check_outcome(row, outcome)
        row.outcome, row.review = outcome, (review or row.review).strip()
        stamp(row, "closed", by=by, at=at)
        row.save()
        keep_period(row)
        if row.review:
            settle(row, "review", at=at)
        _answer_demands(row, at=at)
        working.end(row, by=by, at=at, reason="The change is closed.")
        say(row, "closed", f"closed it as {Outcome(outcome).label.lower()}", by=by, at=at, reason=reason,
            detail=row.review)  # fmt: skip
    return row


def asked_of(change: Change) -> QuerySet[Demand]:
    """Return what other parts wait for on its systems, and what closing it well answers, oldest first."""
    topic = change.template.answers_topic if change.template is not None else ""
    if not topic:
        return Demand.objects.none()
    return Demand.objects.filter(topic=topic, answered_at=None, system__in=change.systems.all()).order_by("pk")


def _answer_demands(row: Change, *, at: datetime) -> None:
    """Answer what a standard change was made for, such as the security patch that maintenance waits for."""
    if row.outcome not in _WELL:
        return
    for demand in asked_of(row).select_for_update(of=("self",)):
        demand.answer = {"change": row.reference, "outcome": row.outcome}
        demand.made_type, demand.made_id = ContentType.objects.get_for_model(Change), row.pk
        demand.answered_at, demand.answered_by = at, str(row.closed_by)
        demand.retry_at, demand.given_up_at, demand.error = None, None, ""
        demand.save()
        say(row, "answered", f"answered what {demand.asked_by} asked for on {demand.system}", by=row.closed_by, at=at)


_WELL = (Outcome.SUCCESSFUL, Outcome.WITH_ISSUES)


def write_review(change: Change, *, review: str, by: By, at: datetime, reason: str = "") -> Change:
    """Write the post-implementation review of a change that is carried out, before or after it is closed."""
    with locked(change, by=by, at=at, reason=reason) as row:
        if row.status not in (Status.VERIFYING, Status.CLOSED):
            raise Refused("It is not carried out yet. Review it once it is verified.")
        if is_blank(review):
            raise Refused("Write what happened, why, and what follows from it.")
        row.review = review.strip()
        row.save()
        settle(row, "review", at=at)
        say(row, "review", "wrote the post-implementation review", by=by, at=at, reason=reason, detail=row.review)
    return row


def settle(row: Change, what: str, *, at: datetime) -> None:
    """End the shouting about what an emergency owed: its approval or its review."""
    for deadline in deadlines.of(row, [OWED]).filter(key__startswith=f"{what}:", state=DeadlineState.PENDING):
        deadlines.meet(subject=row, kind=OWED, key=deadline.key, at=at)


def cancel(change: Change, *, by: By, at: datetime, reason: str) -> Change:
    """Give a change up before anybody was at it. Its approval is withdrawn with it, and its slot is free."""
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "cancel", reason=reason)
        stamp(row, "cancelled", by=by, at=at)
        row.save()
        keep_period(row)
        request = approvals.standing(row).request
        if request is not None and request.is_live:
            approvals.withdraw_with_record(request, by=by, at=at, reason=reason)
        say(row, "cancelled", "cancelled the change", by=by, at=at, reason=reason)
    return row
