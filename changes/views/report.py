"""How changes went."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from changes.enums import Outcome
from changes.selectors.report import report_of
from portal.accounts.requests import SignedIn
from portal.lib import clock


@require_safe
@login_required
@permission_required("changes.view_change", raise_exception=True)
def report(request: SignedIn) -> HttpResponse:
    """Show success rate, emergency share, lead time and change-caused incidents, by month and in all."""
    at = clock.now()
    context = {"now": at, "report": report_of(request.user, at=at), "outcomes": [one.label for one in Outcome]}
    return render(request, "changes/report.html", context)
