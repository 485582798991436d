"""The incident room, and its live parts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from incidents.forms import NoteForm
from incidents.models import Incident
from incidents.selectors.room import hidden_from, incident_for, room_of
from incidents.selectors.runbooks import runbooks_for
from incidents.views.glass import BREAKING
from portal.actions.selectors import section_of as actions_of
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records.evidence.selectors import section_of
from portal.runbooks.checklists.selectors.progress import section_of as checklists_of

TOLD_AGAIN = timedelta(hours=1)


@require_safe
@login_required
def room(request: HttpRequest, reference: str) -> HttpResponse:
    """Show everything about one incident that whoever works on it needs; the trail keeps who opens a restricted one."""
    try:
        context = _context(request, reference)
    except Http404:
        if request.user.has_perm(BREAKING) and hidden_from(request.user, reference) is not None:
            return redirect("incidents:glass", reference)
        raise
    record_opening(context["incident"])
    context["runbooks"] = runbooks_for(context["incident"], request.user)
    context["evidence"] = section_of(context["incident"], request.user)
    context["actions"] = actions_of(context["incident"], request.user, at=context["now"])
    return render(request, "incidents/room.html", context)


@require_safe
@login_required
def live(request: HttpRequest, reference: str) -> HttpResponse:
    """Give the parts of the room that change by themselves, for htmx to put in place.

    Who looks on at a restricted incident is in the trail once an hour.
    """
    context = _context(request, reference)
    record_opening(context["incident"], "live", unless_since=context["now"] - TOLD_AGAIN)
    return render(request, "incidents/live.html", context)


def _context(request: HttpRequest, reference: str) -> dict[str, Any]:
    at = clock.now()
    incident = incident_for(request.user, reference)
    show, page = request.GET.get("show", ""), request.GET.get("page", "")
    return {
        "now": at,
        "incident": incident,
        "room": room_of(
            incident, user=request.user, show=show, page=int(page) if page.isdecimal() and len(page) <= 4 else 0, at=at
        ),
        "may_act": request.user.has_perm("incidents.change_incident"),
        "note_form": NoteForm(incident=incident, at=at, user=request.user),
        "once": uuid.uuid4(),
        "checklists": checklists_of(incident, request.user),
        "history_url": _history(request, incident),
        "query": request.GET.urlencode(),
    }


def _history(request: HttpRequest, incident: Incident) -> str:
    """Return the address of the full history for those who may see it."""
    if not (request.user.is_staff and request.user.has_perm("incidents.view_incident")):
        return ""
    try:
        return reverse("admin:incidents_incident_history", args=[incident.pk])
    except NoReverseMatch:
        return ""
