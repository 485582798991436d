"""The verbs of plans and occurrences, each a small form that works without script."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from maintenance import services
from maintenance.acts import ACTS, PLAN_ACTS, Act
from maintenance.forms.acting import ActForm, ReasonForm
from maintenance.models import Occurrence, Plan, PlanToken
from maintenance.policy import NotYours, Refused
from maintenance.selectors.plan import occurrence_for, plan_for
from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.records.models import Note
from portal.runbooks.checklists import policy as checklists
from portal.runbooks.checklists import services as runs


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def act_on_plan(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a plan, or carry it out."""
    plan = plan_for(request.user, reference)
    return _act(request, plan, PLAN_ACTS.get(verb), "maintenance.change_plan")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def act(request: SignedIn, reference: str, number: int, verb: str) -> HttpResponse:
    """Show the form of a verb of one date, or carry it out."""
    occurrence = occurrence_for(request.user, plan_for(request.user, reference), number)
    return _act(request, occurrence, ACTS.get(verb), "maintenance.change_occurrence")


def _act(request: SignedIn, subject: Plan | Occurrence, chosen: Act | None, permission: str) -> HttpResponse:
    if chosen is None:
        raise Http404("There is no such verb.")
    if not request.user.has_perm(permission):
        raise PermissionDenied
    at = clock.database_now()
    if chosen.slug == "token":
        stepup.require_confirmation(request)
    options: dict[str, Any] = {"subject": subject, "at": at, "user": request.user}
    if request.method != "POST":
        return _page(request, chosen, subject, chosen.form(**options), at=at)
    form, status = chosen.form(request.POST, **options), 422
    if form.is_valid():
        try:
            return _carry_out(request, chosen, subject, form, at=at)
        except NotYours as refused:
            form.add_error(None, str(refused))
            status = 403
        except Refused as refused:
            form.add_error(None, str(refused))
    return _page(request, chosen, subject, form, at=at, status=status)


def _carry_out(
    request: SignedIn, chosen: Act, subject: Plan | Occurrence, form: ActForm, *, at: datetime
) -> HttpResponse:
    plan = subject.plan if isinstance(subject, Occurrence) else subject
    result = None
    with transaction.atomic(), acting(by=request.user, once=form.cleaned_data["once"]) as context:
        # Under the plan's lock: of two submits of one form, the second finds what the first has written.
        Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
        if not Note.objects.filter(gesture=context.gesture).exists():
            result = chosen.service(subject, by=request.user, at=at, **form.words())
    if chosen.slug == "token" and result is not None:
        token, secret = result
        address = f"{settings.PORTAL_URL}/maintenance/{secret}/done"
        page = {"now": at, "plan": plan, "token": token, "address": address}
        return render(request, "maintenance/token.html", page)
    messages.success(request, f"{plan.reference}: {chosen.said}")
    return redirect(subject)


def _page(
    request: SignedIn, chosen: Act, subject: Plan | Occurrence, form: ActForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    plan = subject.plan if isinstance(subject, Occurrence) else subject
    context = {"now": at, "act": chosen, "subject": subject, "plan": plan, "form": form}
    return render(request, "maintenance/act.html", context, status=status)


@require_http_methods(["POST"])
@login_required
def start_checklist(request: SignedIn, reference: str, number: int) -> HttpResponse:
    """Start the checklist of the plan for one of its dates."""
    occurrence = occurrence_for(request.user, plan_for(request.user, reference), number)
    checklist = occurrence.plan.checklist
    if not request.user.has_perm("runbooks.add_checklistrun"):
        raise PermissionDenied
    if checklist is None:
        raise Http404("This plan has no checklist.")
    try:
        run = runs.start(checklist, subject=occurrence, by=request.user, at=clock.database_now())
    except checklists.Refused as refused:
        messages.error(request, str(refused))
        return redirect(occurrence)
    return redirect(run)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke_token(request: SignedIn, reference: str, pk: int) -> HttpResponse:
    """Ask why a token is revoked, or revoke it."""
    plan = plan_for(request.user, reference)
    if not request.user.has_perm("maintenance.change_plan"):
        raise PermissionDenied
    token = get_object_or_404(PlanToken.objects.visible_to(request.user), plan=plan, pk=pk)
    at, status = clock.database_now(), 200
    form = ReasonForm(request.POST or None, subject=plan, at=at, user=request.user)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.revoke_token(token, by=request.user, at=at, reason=form.cleaned_data["reason"])
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"The token of {token.name} counts no more.")
                return redirect(plan)
    context = {"now": at, "plan": plan, "token": token, "form": form}
    return render(request, "maintenance/revoke.html", context, status=status)
