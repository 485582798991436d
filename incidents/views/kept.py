"""The report of communications: every view of it is an address."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.selectors.kept import Asked, report_of
from portal.accounts.requests import SignedIn
from portal.lib import clock


@require_safe
@login_required
@permission_required("incidents.view_incident", raise_exception=True)
def communications(request: SignedIn) -> HttpResponse:
    """Show which messages to audiences were due, met, missed and skipped, and of which incidents."""
    at = clock.now()
    asked = Asked.of(request.GET)
    context = {"now": at, "asked": asked, "report": report_of(request.user, asked, at=at)}
    return render(request, "incidents/kept.html", context)
