"""The due list, and handing plans over to somebody else, several at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import services
from maintenance.forms.acting import HandOverForm
from maintenance.models import Plan
from maintenance.policy import Refused
from maintenance.selectors.due import Asked, list_of, person_of, plans_without, usual
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock

READS = "maintenance.view_occurrence"
PLANS_ON_A_PAGE = 100


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def due(request: SignedIn) -> HttpResponse:
    """Show what is due: overdue first, then by date."""
    at = clock.now()
    person = person_of(request.user)
    asked = Asked.of(request.GET, usual=usual(request.user, person))
    drafts, in_force = plans_without(request.user)
    context = {
        "now": at,
        "asked": asked,
        "list": list_of(request.user, asked, person, at=at),
        "drafts": drafts,
        "in_force": in_force,
        "may_lead": request.user.has_perm("maintenance.change_plan"),
        "may_act": request.user.has_perm("maintenance.change_occurrence"),
        "previous": asked.address(page=str(asked.page - 1)) if asked.page > 1 else "",
        "following": asked.address(page=str(asked.page + 1)),
    }
    return render(request, "maintenance/due.html", context)


@require_safe
@login_required
@permission_required("maintenance.view_plan", raise_exception=True)
def plans(request: SignedIn) -> HttpResponse:
    """Show every plan, drafts first."""
    rows = Plan.objects.visible_to(request.user).select_related("owner", "manager", "team")
    page = Paginator(rows.order_by("state", "task", "pk"), PLANS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"now": clock.now(), "plans": page, "may_lead": request.user.has_perm("maintenance.add_plan")}
    return render(request, "maintenance/plans.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("maintenance.change_plan", raise_exception=True)
def hand_over(request: SignedIn) -> HttpResponse:
    """Ask to whom the ticked plans go, or hand them over. Whoever opens the address anew ticks them anew."""
    if request.method != "POST":
        return redirect("maintenance:due")
    at = clock.database_now()
    rows = Plan.objects.visible_to(request.user)
    options: dict[str, Any] = {"at": at, "user": request.user, "plans": rows}
    if "once" not in request.POST:
        chosen = [key for key in request.POST.getlist("plans")[:500] if key.isascii() and key.isdigit()]
        found = list(rows.filter(pk__in=[int(key) for key in chosen if len(key) < 18]))
        if not found:
            messages.error(request, "Tick the plans that are handed over, then choose who takes them.")
            return redirect("maintenance:due")
        form = HandOverForm(initial={"plans": [plan.pk for plan in found]}, **options)
        return render(request, "maintenance/hand_over.html", {"now": at, "form": form, "plans": found})
    form = HandOverForm(request.POST, **options)
    if form.is_valid():
        words = form.cleaned_data
        try:
            with acting(by=request.user, once=words["once"]):
                moved = services.hand_over(
                    words["plans"], words["owner"], by=request.user, at=at, reason=words["reason"]
                )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            count = f"{len(moved)} plan{'' if len(moved) == 1 else 's'}"
            messages.success(request, f"{count} handed over to {words['owner']}.")
            return redirect("maintenance:due")
    chosen_rows = list(rows.filter(pk__in=form.cleaned_data.get("plans") or []))
    return render(request, "maintenance/hand_over.html", {"now": at, "form": form, "plans": chosen_rows}, status=422)
