"""Declaring an incident, fast enough for the night."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents import services
from incidents.drill_forms import DrillForm
from incidents.enums import IncidentType
from incidents.forms import DeclareForm
from incidents.models import Incident
from incidents.policy import Refused
from portal.accounts.models import User
from portal.audit.actor import acting, gesture_of
from portal.directory.models import Severity, System
from portal.lib import clock

DECLARED = "{} is declared. Its people are being paged."
NOBODY = "Nobody can be paged for {}, so the administrators are. Name people for it in the directory."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("incidents.add_incident", raise_exception=True)
def declare(request: HttpRequest) -> HttpResponse:
    """Show the form, or declare the incident. `?system=`, `?severity=` and `?title=` fill it in beforehand."""
    return _answer(request, DeclareForm)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(["incidents.add_incident", "incidents.start_drill"], raise_exception=True)
def start_drill(request: HttpRequest) -> HttpResponse:
    """Show the form, or start the drill; filled in beforehand as that of an incident."""
    return _answer(request, DrillForm)


def _answer(request: HttpRequest, form_class: type[DeclareForm]) -> HttpResponse:
    at = clock.database_now()
    if request.method != "POST":
        return _page(request, form_class(at=at, user=request.user, initial=_initial(request)), at=at)
    form = form_class(request.POST, at=at, user=request.user)
    if form.is_valid():
        try:
            incident = _declared(request, form, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            for name in form.unreachable_names():
                messages.warning(request, NOBODY.format(name))
            return redirect(incident)
    return _page(request, form, at=at, status=422)


def _declared(request: HttpRequest, form: DeclareForm, *, at: datetime) -> Incident:
    """Declare once: the form's hidden key is the incident's key, which the database holds unique."""
    words: dict[str, Any] = dict(form.cleaned_data)
    once, security = words.pop("once"), words.pop("security")
    by = cast(User, request.user)
    key, is_drill = f"form:{gesture_of(once, by)}", isinstance(form, DrillForm)
    mine = Incident.objects.filter(dedup_key=key)
    if (standing := mine.first()) is not None:
        return standing
    kind = IncidentType.SECURITY if security else IncidentType.OPERATIONAL
    try:
        with acting(by=by, once=once):
            incident = services.declare(by=by, at=at, type=kind, dedup_key=key, is_drill=is_drill, **words)
    except IntegrityError:  # the same form was sent twice at the same moment
        standing = mine.first()
        if standing is None:
            raise
        return standing
    said = "The drill {} has begun. Its people are paged, with the word DRILL first." if is_drill else DECLARED
    messages.success(request, said.format(incident.reference))
    return incident


def _initial(request: HttpRequest) -> dict[str, Any]:
    asked = request.GET
    found: dict[str, Any] = {"title": asked.get("title", "")[:200]}
    if asked.get("system"):
        named = System.objects.visible_to(request.user).filter(active=True, slug__in=asked.getlist("system"))
        found["systems"] = list(named.values_list("pk", flat=True))
    if asked.get("severity", "").isdigit():
        severities = Severity.objects.visible_to(request.user).filter(level=int(asked["severity"][:3]))
        found["severity"] = severities.values_list("pk", flat=True).first()
    if asked.get("type") == IncidentType.SECURITY:
        found["security"] = True
    return found


def _page(request: HttpRequest, form: DeclareForm, *, at: datetime, status: int = 200) -> HttpResponse:
    context = {"now": at, "form": form, "is_drill": isinstance(form, DrillForm)}
    return render(request, "incidents/declare.html", context, status=status)
