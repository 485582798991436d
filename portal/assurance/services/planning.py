"""Reviews that are made by themselves: each plan has one due row, for the end of the period that runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, F, OuterRef

from portal.assurance.enums import ReviewKind
from portal.assurance.models import Review, ReviewPlan
from portal.assurance.periods import period_of
from portal.assurance.services import opening
from portal.assurance.services.holdings import Scope
from portal.audit.actor import By
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState

PLAN = "review_plan"
SETTLING = timedelta(hours=1)
"""How long after the end of a period its review is made, so that what was being written then is in it."""


def zone() -> ZoneInfo:
    """Return the zone whose calendar months count: the portal's own."""
    return ZoneInfo(settings.TIME_ZONE)


def start_missing(*, at: datetime) -> int:
    """Write down the due row of each active plan that has none, and return how many. One query when none is missing."""
    kind = ContentType.objects.get_for_model(ReviewPlan)
    pending = Deadline.objects.filter(
        subject_type=kind, subject_id=OuterRef("pk"), kind=PLAN, state=DeadlineState.PENDING
    )
    plans = list(ReviewPlan.objects.filter(~Exists(pending), active=True).order_by("pk"))
    for plan in plans:
        _start(plan, *_next_period(plan, at), at=at)
    return len(plans)


def _next_period(plan: ReviewPlan, at: datetime) -> tuple[datetime, datetime]:
    """Return the period whose review comes next: the one after the newest review, else the one that runs."""
    newest = plan.reviews.exclude(period_until=None).order_by("-period_until").first()
    running = period_of(at, plan.months, zone())
    if newest is None or plan.kind == ReviewKind.ACCESS:
        return running
    starts, ends = period_of(newest.period_until, plan.months, zone())
    return max(starts, newest.period_until), ends


def _start(plan: ReviewPlan, starts: datetime, ends: datetime, *, at: datetime) -> None:
    generation = deadlines.of(plan, [PLAN]).filter(key=f"{ends:%Y-%m-%d}").count() + 1
    row = Deadline(
        kind=PLAN, subject_type=ContentType.objects.get_for_model(plan), subject_id=plan.pk, key=f"{ends:%Y-%m-%d}",
        generation=generation, started_at=at, due_at=ends + SETTLING,
        payload={"from": starts.isoformat(), "until": ends.isoformat()},
    )  # fmt: skip
    deadlines.start_many([row])  # two sweeps may find it missing at the same moment


def fire(plan: ReviewPlan, payload: dict[str, Any], *, by: By, at: datetime) -> Review | None:
    """Make the review of one period and write down the next one; nothing for a plan that is no longer active."""
    if not plan.active:
        return None
    starts, ends = datetime.fromisoformat(payload["from"]), datetime.fromisoformat(payload["until"])
    review = plan.reviews.filter(period_until=ends).first() or _make(plan, starts, ends, by=by, at=at)
    following = period_of(ends, plan.months, zone())
    if plan.kind == ReviewKind.ACCESS and following[1] <= at:
        following = period_of(at, plan.months, zone())  # who held what in a past quarter can no longer be asked
    _start(plan, *following, at=at)
    return review


def _make(plan: ReviewPlan, starts: datetime, ends: datetime, *, by: By, at: datetime) -> Review:
    common: dict[str, Any] = {
        "due_at": at + timedelta(days=plan.days), "reviewers": list(plan.reviewers.filter(is_active=True)),
        "reviewer_roles": plan.reviewer_roles, "plan": plan, "by": by, "at": at, "reason": f"Made by plan: {plan.name}",
    }  # fmt: skip
    if plan.kind == ReviewKind.CHANGES:
        return opening.review_changes(period_from=starts, period_until=ends, **common)
    scope = Scope(tuple(plan.roles), plan.all_accounts, plan.emergency_contacts, plan.engagements)
    return opening.review_access(scope=scope, period_until=ends, **common)


def overdue(*, at: datetime) -> Any:
    """Return the reviews that should have been signed by now, the oldest first."""
    return Review.objects.filter(state="open", due_at__lt=at).order_by(F("due_at"), "pk")
