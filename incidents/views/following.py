"""What the reader follows: listed, begun and ended by themselves."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from incidents.communications import subscribing
from incidents.models import Incident, Subscription
from incidents.policy import Refused
from portal.accounts.requests import SignedIn
from portal.directory.models import System
from portal.lib import clock


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("incidents.add_subscription", raise_exception=True)
def following(request: SignedIn) -> HttpResponse:
    """List what the reader follows. A POST names a `system` by its short name, or an `incident`, to follow it."""
    at = clock.database_now()
    problem = ""
    if request.method == "POST":
        try:
            row = subscribing.follow(_subject(request), by=request.user, at=at)
        except Refused as refused:
            problem = str(refused)
        else:
            messages.success(request, f"You follow {row.incident or row.system}, and hear what happens.")
            return redirect(row.incident) if row.incident is not None else redirect("incidents:following")
    rows = Subscription.objects.visible_to(request.user).active().filter(person__user_id=request.user.pk)
    mine = list(rows.select_related("system", "incident__severity"))
    others = System.objects.visible_to(request.user).filter(active=True)
    context = {
        "now": at,
        "problem": problem,
        "systems": [row for row in mine if row.system_id],
        "incidents": [row for row in mine if row.incident_id],
        "others": others.exclude(pk__in=[row.system_id for row in mine if row.system_id]).order_by("name"),
    }
    return render(request, "incidents/following.html", context, status=422 if problem else 200)


def _subject(request: SignedIn) -> System | Incident:
    """Return the record that a form names; Refused is raised for one that the reader may not see."""
    reference, slug = request.POST.get("incident", ""), request.POST.get("system", "")
    found: System | Incident | None
    if reference:
        found = Incident.objects.visible_to(request.user).filter(reference=reference.upper()[:16]).first()
    else:
        found = System.objects.visible_to(request.user).filter(slug=slug[:60]).first()
    if found is None:
        raise Refused(subscribing.NOT_SEEN.format("incident" if reference else "system"))
    return found


@require_POST
@login_required
@permission_required("incidents.add_subscription", raise_exception=True)
def stop_following(request: SignedIn, pk: int) -> HttpResponse:
    """End one of the reader's own subscriptions."""
    rows = Subscription.objects.visible_to(request.user).filter(person__user_id=request.user.pk)
    row = rows.select_related("incident", "system").filter(pk=pk).first()
    if row is None:
        raise Http404("There is no such subscription of yours.")
    subscribing.stop(row, by=request.user, at=clock.database_now())
    messages.success(request, f"You do not follow {row.incident or row.system} any more.")
    back = row.incident if row.incident is not None and request.POST.get("from") == "room" else "incidents:following"
    return redirect(back)
