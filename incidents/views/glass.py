"""Breaking the glass: an administrator opens a restricted incident to themselves, with a reason, and everybody is told.

The page names nothing of the incident but its reference.
"""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents import services
from incidents.forms import ReasonForm
from incidents.policy import Refused
from incidents.selectors.room import hidden_from, incident_for
from portal.accounts import stepup
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.lib import clock

BREAKING = "incidents.add_accessgrant"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(BREAKING, raise_exception=True)
@stepup.step_up_required
def break_glass(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Ask for the reason, and open the incident to the reader."""
    incident = hidden_from(request.user, reference)
    if incident is None:
        return redirect(incident_for(request.user, reference))
    at = clock.database_now()
    form = ReasonForm(
        request.POST if request.method == "POST" else None, incident=incident, at=at, user=request.user
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        by = cast(User, request.user)
        try:
            with acting(by=by, once=form.cleaned_data["once"]):
                services.break_glass(incident, by=by, at=at, reason=form.cleaned_data["reason"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"You may read {incident.reference} now. The security leads are told.")
            return redirect(incident)
    return _page(request, incident.reference, form)


def _page(request: HttpRequest, reference: str, form: ReasonForm) -> HttpResponse:
    context = {"reference": reference, "form": form}
    return render(request, "incidents/glass.html", context, status=422 if form.errors else 200)
