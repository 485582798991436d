"""The pages of engagements: who reads what until when; granting and ending, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.assurance.forms import GrantForm, ReasonForm, RecordForm
from portal.assurance.models import Engagement, GrantedRecord
from portal.assurance.policy import Refused
from portal.assurance.selectors import engagements as selectors
from portal.assurance.services import engagements as services
from portal.assurance.services.once import done
from portal.audit.actor import acting
from portal.lib import clock, times
from portal.lib.once import OnceForm
from portal.lib.visibility import restricted_models

GRANTING = "assurance.add_engagement"
ENDING = "assurance.change_engagement"


@require_safe
@never_cache
@login_required
def engagement_list(request: SignedIn) -> HttpResponse:
    """Show an auditor what they may read and until when; administrators and others every engagement."""
    at = clock.now()
    if selectors.is_auditor_only(request.user) and not request.user.has_perm(GRANTING):
        return own(request, at=at)
    if not request.user.has_perm("assurance.view_engagement"):
        raise PermissionDenied
    rows = selectors.all_engagements(request.user, at=at)
    context = {"now": at, "rows": rows, "may_grant": request.user.has_perm(GRANTING)}
    return render(request, "assurance/engagements.html", context)


def own(request: SignedIn, *, at: datetime, status: int = 200) -> HttpResponse:
    """Show an auditor their own engagements; without one that runs, whom to ask."""
    rows = selectors.own_engagements(request.user, at=at)
    running = [row for row in rows if row.running]
    context = {
        "now": at,
        "running": running,
        "others": [row for row in rows if not row.running],
        "ask": [] if running else selectors.whom_to_ask(),
    }
    return render(request, "assurance/engagement_own.html", context, status=status)


@require_safe
@never_cache
@login_required
def engagement(request: SignedIn, reference: str) -> HttpResponse:
    """Show one engagement: what it opens, why, by whom, and the restricted records that it opens by name."""
    at = clock.now()
    found = _found(request, reference)
    context = {
        "now": at,
        "row": selectors.row_of(found, at=at),
        "engagement": found,
        "records": selectors.records_of(request.user, found),
        "restricts": bool(restricted_models()),
        "may_end": request.user.has_perm(ENDING),
        "own": found.auditor_id == request.user.pk,
    }
    return render(request, "assurance/engagement.html", context)


def _found(request: SignedIn, reference: str) -> Engagement:
    rows = Engagement.objects.visible_to(request.user).select_related("auditor").prefetch_related("systems")
    found: Engagement = get_object_or_404(rows, reference=reference)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(GRANTING, raise_exception=True)
@stepup.step_up_required
def grant(request: SignedIn) -> HttpResponse:
    """Grant an engagement by name, after a confirmation of who grants it."""
    at = clock.now()
    sent = request.method == "POST"
    form = GrantForm(request.POST if sent else None, user=request.user, at=at)
    if sent and form.is_valid():
        try:
            return _granted(request, form, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
    context = {"now": at, "form": form}
    return render(request, "assurance/engagement_grant.html", context, status=422 if sent else 200)


def _granted(request: SignedIn, form: GrantForm, *, at: datetime) -> HttpResponse:
    once = form.cleaned_data["once"]
    if done(once, request.user):
        return redirect("assurance:engagements")
    with acting(by=request.user, once=once):
        made = services.grant(by=request.user, at=at, **form.terms(at))
    until = f"{times.day(made.ends, at)}, {times.clock(made.ends)}"
    messages.success(request, f"{made.auditor} reads {made.title} until {until}.")
    return redirect(made)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(ENDING, raise_exception=True)
@stepup.step_up_required
def end(request: SignedIn, reference: str) -> HttpResponse:
    """End an engagement early: from now on it opens nothing."""
    found = _found(request, reference)

    def act(given: dict[str, Any], at: datetime) -> None:
        services.end(found, by=request.user, at=at, reason=given["reason"])

    words = {
        "title": "End the engagement",
        "text": f"{found.auditor} reads nothing by it from now on.",
        "verb": "End engagement",
        "icon": "ban",
        "danger": True,
    }
    return _act(request, found, ReasonForm(request.POST or None), act, words, said="The engagement is ended.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(ENDING, raise_exception=True)
@stepup.step_up_required
def grant_record(request: SignedIn, reference: str) -> HttpResponse:
    """Open one restricted record to the auditor, by name."""
    found = _found(request, reference)
    if not restricted_models():
        raise Http404("No kind of record can be restricted.")

    def act(given: dict[str, Any], at: datetime) -> None:
        services.grant_record(found, given["found"], by=request.user, at=at, reason=given["reason"])

    words = {
        "title": "Open a restricted record",
        "text": f"{found.auditor} may read it until the engagement ends. Each opening is kept in the trail.",
        "verb": "Open the record",
        "icon": "eye",
    }
    form = RecordForm(request.POST or None, user=request.user)
    return _act(request, found, form, act, words, said="The record is opened.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(ENDING, raise_exception=True)
@stepup.step_up_required
def withdraw_record(request: SignedIn, reference: str, pk: int) -> HttpResponse:
    """Close a restricted record to the auditor again."""
    found = _found(request, reference)
    rows = GrantedRecord.objects.visible_to(request.user).filter(engagement=found, withdrawn_at=None)
    granted = get_object_or_404(rows, pk=pk)

    def act(given: dict[str, Any], at: datetime) -> None:
        services.withdraw_record(granted, by=request.user, at=at, reason=given["reason"])

    words = {
        "title": f"Close {granted.reference or granted.name}",
        "text": f"{found.auditor} no longer reads it.",
        "verb": "Close the record",
        "icon": "eye-off",
        "danger": True,
    }
    return _act(request, found, ReasonForm(request.POST or None), act, words, said="The record is closed again.")


def _act(
    request: SignedIn,
    found: Engagement,
    form: OnceForm,
    act: Callable[[dict[str, Any], datetime], None],
    words: dict[str, Any],
    *,
    said: str,
) -> HttpResponse:
    """Show the form of a verb, or carry it out once. What does not fit is refused with its sentence."""
    at = clock.now()
    if request.method == "POST" and form.is_valid():
        try:
            if not done(form.cleaned_data["once"], request.user):
                with acting(by=request.user, once=form.cleaned_data["once"]):
                    act(form.cleaned_data, at)
                messages.success(request, f"{found.reference}: {said}")
            return redirect(found)
        except Refused as refused:
            form.add_error(None, str(refused))
    crumbs = {"list_url": "assurance:engagements", "list_name": "Engagements", "back": found.get_absolute_url()}
    context = {"now": at, "record": found, "form": form, "act": words, **crumbs}
    return render(request, "assurance/engagement_act.html", context, status=422 if form.is_bound else 200)
