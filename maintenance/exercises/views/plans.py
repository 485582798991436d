"""The pages of recovery plans: the list, one plan, writing one down, its verbs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from maintenance.exercises import services
from maintenance.exercises.acts import PLAN_ACTS, offers_of_plan
from maintenance.exercises.forms import RecoveryPlanForm, steps_form, words_of
from maintenance.exercises.looks import MARKS, PLAN_LOOKS, look_of
from maintenance.exercises.selectors import (
    exercises_for,
    newer_than,
    plan_for,
    runbooks_to_begin_with,
    steps_from,
    words_of_plan,
)
from maintenance.exercises.views.acting import carry_out
from maintenance.models import Exercise, Occurrence, RecoveryPlan
from maintenance.policy import Refused
from portal.accounts.requests import SignedIn
from portal.audit.trail import record_opening
from portal.directory.recovery.reading import promises
from portal.lib import clock
from portal.records.lines import marked, timeline_of
from portal.records.making import making

LOOK = marked(MARKS)
PLANS_ON_A_PAGE = 100
MOST_EXERCISES = 20


@require_safe
@login_required
@permission_required("maintenance.view_recoveryplan", raise_exception=True)
def plans(request: SignedIn) -> HttpResponse:
    """Show every recovery plan, drafts first."""
    rows = RecoveryPlan.objects.visible_to(request.user).select_related("system", "owner")
    page = Paginator(rows.order_by("state", "title", "pk"), PLANS_ON_A_PAGE).get_page(request.GET.get("page"))
    last: dict[int, Exercise] = {}
    for exercise in exercises_for(request.user).filter(plan__in=[plan.pk for plan in page], state="ended"):
        if exercise.plan_id not in last or exercise.ended_at > last[exercise.plan_id].ended_at:
            last[exercise.plan_id] = exercise
    lines = [(plan, PLAN_LOOKS[plan.state], last.get(plan.pk)) for plan in page]
    context = {
        "now": clock.now(),
        "page": page,
        "lines": lines,
        "may_lead": request.user.has_perm("maintenance.add_recoveryplan"),
    }
    return render(request, "maintenance/exercises/plans.html", context)


@require_safe
@never_cache
@login_required
@permission_required("maintenance.view_recoveryplan", raise_exception=True)
def plan(request: SignedIn, reference: str) -> HttpResponse:
    """Show one recovery plan: its steps, what is promised, its exercises."""
    at = clock.now()
    found = plan_for(request.user, reference)
    record_opening(found)
    steps = list(found.steps_now().select_related("owner"))
    exercises = list(exercises_for(request.user).filter(plan=found)[:MOST_EXERCISES])
    may_lead = request.user.has_perm("maintenance.change_recoveryplan")
    due = None
    if found.upkeep is not None:
        due = Occurrence.objects.visible_to(request.user).filter(plan=found.upkeep).standing().first()
    context = {
        "now": at,
        "plan": found,
        "look": PLAN_LOOKS[found.state],
        "steps": steps,
        "minutes": sum(step.minutes for step in steps if step.recovers),
        "gone": sorted({str(step.owner) for step in steps if step.owner is not None and not step.owner.active}),
        "promise": promises([found.system_id])[found.system_id],
        "exercises": [(one, look_of(one, at=at)) for one in exercises],
        "due": due,
        "newer": newer_than(found.runbook_version, request.user),
        "offers": offers_of_plan(found) if may_lead else [],
        "may_lead": may_lead,
        "timeline": timeline_of(found, look=LOOK, quoted=(), whole=request.GET.get("all") == "1", at=at),
    }
    return render(request, "maintenance/exercises/plan.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("maintenance.add_recoveryplan", raise_exception=True)
def draft(request: SignedIn) -> HttpResponse:
    """Show the form of a new recovery plan, filled from a runbook where one is chosen, or write it down."""
    offered = runbooks_to_begin_with(request.user)
    asked = request.GET.get("runbook", "")[:18].upper()
    version = next((one for one in offered if one.runbook.reference == asked), None)
    start: dict[str, Any] = {"once": uuid.uuid4()}
    steps = []
    if version is not None:
        steps = steps_from(version, request.user)
        words = {"title": f"Recovery of {version.runbook.system or version.runbook.title}"[:140]}
        start |= {"runbook_version": version, "system": version.runbook.system, **words}
    form = RecoveryPlanForm(request.POST or None, user=request.user, initial=start)
    lines = steps_form(request.POST or None, steps, user=request.user)
    return _write(request, form, lines, None, begin={"offered": offered, "taken": version})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("maintenance.change_recoveryplan", raise_exception=True)
def edit(request: SignedIn, reference: str) -> HttpResponse:
    """Show the form of a recovery plan that stands, or write a new version of it."""
    found = plan_for(request.user, reference)
    form = RecoveryPlanForm(request.POST or None, instance=found, user=request.user, initial={"once": uuid.uuid4()})
    lines = steps_form(request.POST or None, words_of_plan(found), user=request.user)
    return _write(request, form, lines, found)


def _write(
    request: SignedIn,
    form: RecoveryPlanForm,
    lines: Any,
    found: RecoveryPlan | None,
    begin: Mapping[str, Any] | None = None,
) -> HttpResponse:
    at, status = clock.database_now(), 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and lines.is_valid():
            steps, said = words_of(lines), {"by": request.user, "at": at, "reason": form.cleaned_data["reason"]}
            try:
                with making(request.user, once=form.cleaned_data["once"], kinds=["made", "revised"]) as key:
                    if key is not None:
                        made = RecoveryPlan.objects.visible_to(request.user).filter(pk=key).first()
                        return redirect(made or "maintenance:recovery-plans")
                    if found is None:
                        saved = services.draft(form.values(), steps, **said)
                    else:
                        saved = services.revise(found, form.values(), steps, **said)
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"{saved.reference}: version {saved.version} is written down.")
                return redirect(saved)
    context = {"now": at, "form": form, "lines": lines, "plan": found, **(begin or {})}
    return render(request, "maintenance/exercises/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("maintenance.change_recoveryplan", raise_exception=True)
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a recovery plan, or carry it out."""
    found = plan_for(request.user, reference)
    return carry_out(request, PLAN_ACTS.get(verb), found, found)
