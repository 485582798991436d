"""Writing a plan down, and changing it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from maintenance import services
from maintenance.forms.drafting import PlanForm
from maintenance.models import Plan
from maintenance.policy import Refused
from maintenance.selectors.plan import plan_for
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.records.making import making


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("maintenance.add_plan", raise_exception=True)
def draft(request: SignedIn) -> HttpResponse:
    """Show the form of a new plan, or write it down."""
    at = clock.database_now()
    start = {"once": uuid.uuid4(), "anchor": at.date(), "time_zone": _zone(request)}
    form = PlanForm(request.POST or None, user=request.user, initial=start)
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        try:
            with making(request.user, once=words["once"], kinds=["made"]) as key:
                made = Plan.objects.visible_to(request.user).filter(pk=key).first() if key else None
                if made is None:
                    made = services.draft(
                        form.values(), words["systems"], by=request.user, at=at, reason=words["reason"]
                    )
                    messages.success(request, f"{made.reference} is written down. Put it in force when it is right.")
            return redirect(made)
        except Refused as refused:
            form.add_error(None, str(refused))
    status = 422 if request.method == "POST" else 200
    return render(request, "maintenance/edit.html", {"now": at, "form": form}, status=status)


def _zone(request: SignedIn) -> str:
    contact = getattr(request.user, "contact", None)
    return contact.time_zone if contact is not None else "Europe/London"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("maintenance.change_plan", raise_exception=True)
def edit(request: SignedIn, reference: str) -> HttpResponse:
    """Show the form of a plan that stands, or change it."""
    at = clock.database_now()
    plan = plan_for(request.user, reference)
    form = PlanForm(request.POST or None, instance=plan, user=request.user, initial={"once": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        try:
            with acting(by=request.user, once=words["once"]):
                services.revise(plan, form.values(), words["systems"], by=request.user, at=at, reason=words["reason"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{plan.reference}: the change is kept.")
            return redirect(plan)
    status = 422 if request.method == "POST" else 200
    return render(request, "maintenance/edit.html", {"now": at, "form": form, "plan": plan}, status=status)
