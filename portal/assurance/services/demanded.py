"""Access reviews that other parts ask for, such as a release: opened once, and answered when they are signed off."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from changes.services.releasing import REVIEW_TOPIC
from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance.enums import ReviewKind, ReviewState
from portal.assurance.models import Review, ReviewPlan
from portal.assurance.reference import REVIEWING
from portal.assurance.services import opening
from portal.assurance.services.holdings import Scope
from portal.audit.actor import By
from portal.records.models import Demand

EVERYBODY = Scope(roles=tuple(role.name for role in ROLES), accounts=True)


def answer(*, by: By, at: datetime) -> int:
    """Open what is asked for and not opened yet, answer what is signed off, and return how many were answered.

    The demand keeps the reference of its review while it is open. One that was called off is opened anew: whoever
    asked still waits.
    """
    waiting = Demand.objects.filter(topic=REVIEW_TOPIC, answered_at=None, given_up_at=None).order_by("pk")
    return sum(_settle(pk, by=by, at=at) for pk in list(waiting.values_list("pk", flat=True)))


@transaction.atomic
def _settle(pk: int, *, by: By, at: datetime) -> bool:
    demand = Demand.objects.filter(pk=pk, answered_at=None).select_for_update(skip_locked=True, of=("self",)).first()
    if demand is None:
        return False
    review = Review.objects.filter(reference=demand.answer.get("review", "")).first()
    if review is None or review.state == ReviewState.CALLED_OFF:
        demand.answer = {"review": _open(demand, by=by, at=at).reference}
        demand.save(update_fields=["answer"])
        return False
    if review.state != ReviewState.SIGNED:
        return False
    demand.answered_at, demand.answered_by = at, review.signed_by
    demand.save(update_fields=["answered_at", "answered_by"])
    return True


def _open(demand: Demand, *, by: By, at: datetime) -> Review:
    """Open the review in the scope and by the reviewers of the newest plan of access; of everybody without one."""
    plan = ReviewPlan.objects.filter(kind=ReviewKind.ACCESS, active=True).order_by("-pk").first()
    reviewers = list(plan.reviewer_roles) if plan else [BY_SLUG[slug].name for slug in REVIEWING]
    scope = EVERYBODY
    if plan is not None and plan.roles:
        scope = Scope(tuple(plan.roles), plan.all_accounts, plan.emergency_contacts, plan.engagements)
    return opening.review_access(
        scope=scope, due_at=max(demand.answer_by, at + opening.REMIND_BEFORE), reviewer_roles=reviewers,
        title=f"Access, for {demand.payload.get('title', demand.key)}"[:150], by=by, at=at,
        reason=f"{demand.asked_by} asked for it: {demand.key}",
    )  # fmt: skip
