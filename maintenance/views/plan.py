"""The pages of one plan and of one of its dates."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from maintenance.acts import ACTS, PLAN_ACTS, offers
from maintenance.looks import MARKS, PLAN_LOOKS, look_of
from maintenance.messages import leads_nowhere
from maintenance.models import Occurrence, PlanToken
from maintenance.selectors.plan import history_of, occurrence_for, plan_for, why_of
from portal.accounts.requests import SignedIn
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records.evidence.selectors import section_of
from portal.records.lines import marked, timeline_of
from portal.runbooks.models import ChecklistRun

LOOK = marked(MARKS)
QUOTED = frozenset({"done"})  # what somebody found


@require_safe
@never_cache
@login_required
def plan(request: SignedIn, reference: str) -> HttpResponse:
    """Show one plan: what is done, whose it is, the date that stands and why, and its whole history."""
    at = clock.now()
    found = plan_for(request.user, reference)
    record_opening(found)
    whole = request.GET.get("all") == "1"
    marks, older = history_of(request.user, found, whole=whole, at=at)
    standing = next((mark for mark in reversed(marks) if mark.occurrence.is_standing), None)
    may_lead = request.user.has_perm("maintenance.change_plan")
    tokens = PlanToken.objects.visible_to(request.user).filter(plan=found, revoked_at=None)
    context = {
        "now": at,
        "plan": found,
        "rule": found.as_rule(),
        "look": PLAN_LOOKS[found.state],
        "marks": marks,
        "width": max(len(marks) * 9, 360),
        "older": older,
        "standing": standing,
        "why": [standing.occurrence.why] if standing else why_of(found),
        "owner_gone": found.owner is not None and not found.owner.active,
        "leads_nowhere": found.manager is not None and found.is_in_force and leads_nowhere(found),
        "offers": offers(PLAN_ACTS, found, request.user) if may_lead else [],
        "may_lead": may_lead,
        "may_act": request.user.has_perm("maintenance.change_occurrence"),
        "tokens": list(tokens),
        "timeline": timeline_of(found, look=LOOK, quoted=QUOTED, whole=whole, at=at),
    }
    return render(request, "maintenance/plan.html", context)


@require_safe
@never_cache
@login_required
def occurrence(request: SignedIn, reference: str, number: int) -> HttpResponse:
    """Show one date of a plan: what became of it and what shows it."""
    at = clock.now()
    found = occurrence_for(request.user, plan_for(request.user, reference), number)
    record_opening(found.plan, f"at its date {found.scheduled_on}")
    may_act = request.user.has_perm("maintenance.change_occurrence")
    context = {
        "now": at,
        "occurrence": found,
        "plan": found.plan,
        "look": look_of(found, at=at),
        "offers": offers(ACTS, found, request.user) if may_act else [],
        "may_act": may_act,
        "runs": _runs(request, found),
        "timeline": timeline_of(found, look=LOOK, quoted=QUOTED, whole=request.GET.get("all") == "1", at=at),
        "evidence": section_of(found, request.user),
    }
    return render(request, "maintenance/occurrence.html", context)


def _runs(request: SignedIn, found: Occurrence) -> list[ChecklistRun]:
    return list(ChecklistRun.objects.visible_to(request.user).of(found))
