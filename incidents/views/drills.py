"""The drills: all of them, and how one went."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.selectors.drills import drills_of, lines_of, report_of
from incidents.selectors.room import incident_for
from portal.accounts.requests import SignedIn
from portal.audit.trail import record_opening
from portal.lib import clock

PAGE_SIZE = 25


@require_safe
@login_required
@permission_required("incidents.view_incident", raise_exception=True)
def drill_list(request: SignedIn) -> HttpResponse:
    """Show the drills that the reader may see, the newest first."""
    at = clock.now()
    page = Paginator(drills_of(request.user), PAGE_SIZE).get_page(request.GET.get("page", "")[:9])
    context = {"now": at, "page": page, "lines": lines_of(request.user, [drill.pk for drill in page], at=at)}
    return render(request, "incidents/drills/list.html", context)


@require_safe
@login_required
def drill_report(request: SignedIn, reference: str) -> HttpResponse:
    """Show how one drill went: what was done when, its clocks, its messages."""
    at = clock.now()
    incident = incident_for(request.user, reference)
    if not incident.is_drill:
        raise Http404("This is no drill.")
    record_opening(incident, "in the report of the drill")
    context = {"now": at, "incident": incident, "report": report_of(incident, user=request.user, at=at)}
    return render(request, "incidents/drills/report.html", context)
