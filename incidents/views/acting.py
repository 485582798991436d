"""The verbs of an incident, each a small form that works without script. A second submit changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents import services
from incidents.act import Act
from incidents.acts import ACTS
from incidents.enums import Audience
from incidents.forms import ActForm
from incidents.models import Incident
from incidents.policy import Refused
from incidents.security.forms import RuleField
from incidents.selectors.listing import contact_of
from incidents.selectors.related import Related, related_to
from incidents.selectors.room import incident_for
from incidents.services.containing import QUESTIONS
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.directory.models import Severity
from portal.lib import clock
from portal.records import services as records

RULE = "rule"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act(request: HttpRequest, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb, or carry it out. What does not fit is refused with its sentence."""
    incident = incident_for(request.user, reference)
    chosen = ACTS.get(verb)
    if chosen is None:
        raise Http404(f"There is no verb {verb}.")
    if not request.user.has_perm("incidents.change_incident"):
        raise PermissionDenied
    at = clock.database_now()
    if request.method == "POST":
        form = _form(chosen, incident, request, at=at, data=request.POST)
        if form.is_valid():
            try:
                return _carry_out(request, chosen, incident, form, at=at)
            except Refused as refused:
                form.add_error(None, str(refused))
        return _page(request, chosen, incident, form, at=at, status=422)
    return _page(request, chosen, incident, _form(chosen, incident, request, at=at), at=at)


def _carry_out(request: HttpRequest, chosen: Act, incident: Incident, form: ActForm, *, at: datetime) -> HttpResponse:
    once: uuid.UUID = form.cleaned_data["once"]
    by, goes_to = cast(User, request.user), incident
    with transaction.atomic(), acting(by=by, once=once) as context:
        # Under the incident's lock: of two submits of one form, the second finds what the first has written.
        services.hold(incident, *(named for named in form.cleaned_data.values() if isinstance(named, Incident)))
        if not records.timeline(incident).filter(gesture=context.gesture).exists():
            words = form.words()
            if words.pop(RULE, False):
                services.acknowledge_rule(incident, by=by, at=at)
            made = chosen.service(incident, by=by, at=at, **words)
            goes_to = made if isinstance(made, Incident) else incident
    messages.success(request, f"{goes_to.reference}: {chosen.said}")
    return redirect(goes_to)


def _form(chosen: Act, incident: Incident, request: HttpRequest, *, at: datetime, data: Any = None) -> ActForm:
    options: dict[str, Any] = {
        "incident": incident,
        "at": at,
        "user": request.user,
        "initial": _initial(chosen, incident, request),
    }
    if chosen.slug in ("note", "split"):
        options["notes"] = records.timeline(incident)
    form = chosen.form(data, **options)
    if _rule_to_read(incident, request):
        form.fields[RULE] = RuleField()
    return form


def _rule_to_read(incident: Incident, request: HttpRequest) -> str:
    """Return the rule of this type of incident, until the reader has acknowledged it."""
    rule = services.rule_of(incident)
    return rule if rule and not services.has_read_rule(incident, cast(User, request.user).pk) else ""


def _initial(chosen: Act, incident: Incident, request: HttpRequest) -> dict[str, Any]:
    """Return what the form of a verb shows at first."""
    start: dict[str, Callable[[], dict[str, Any]]] = {
        "activate": lambda: {"commander": incident.commander_id or getattr(contact_of(request.user), "pk", None)},
        "update": lambda: {"audience": _asked_audience(request)},
        "reclassify": lambda: _proposed(incident, request) or {"severity": incident.severity_id},
        "merge": lambda: {"into": request.GET.get("into", "")[:20]},
        "relate": lambda: {"to": request.GET.get("to", "")[:20]},
        "split": lambda: {"severity": incident.severity_id},
        "classify": lambda: {name: getattr(incident, name) for name in QUESTIONS},
        "contain": lambda: {"step": request.GET.get("step", "") or None, "state": "done"},
        "systems": lambda: {"systems": list(incident.systems.values_list("pk", flat=True))},
        "type": lambda: {"type": incident.type},
        "suspect": lambda: {"other": request.GET.get("other", "")[:20]},
        "unsuspect": lambda: {"other": request.GET.get("other", "")[:20]},
        "skip": lambda: {"clock": request.GET.get("clock", "")},
        "note": lambda: {"corrects": request.GET.get("corrects", "") or None},
    }
    return start[chosen.slug]() if chosen.slug in start else {}


def _proposed(incident: Incident, request: HttpRequest) -> dict[str, Any]:
    """Return the severity that the classification proposes, with its sentence, where the address asks for it."""
    proposal = services.proposal_of(incident) if "proposed" in request.GET else None
    if proposal is None:
        return {}
    severities = Severity.objects.visible_to(request.user).filter(level=proposal.level)
    return {"severity": severities.values_list("pk", flat=True).first(), "reason": proposal.why}


def _asked_audience(request: HttpRequest) -> str | None:
    asked = request.GET.get("audience", "")
    return asked if asked in Audience.values else None


def _page(
    request: HttpRequest, chosen: Act, incident: Incident, form: ActForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    record_opening(incident, f"in the form to {chosen.slug}")
    context = {"now": at, "act": chosen, "incident": incident, "form": form, "corrected": _corrected(form, incident)}
    context["rule"] = services.rule_of(incident) if RULE in form.fields else ""
    context["likely"] = _likely(chosen, incident, request)
    return render(request, "incidents/act.html", context, status=status)


def _likely(chosen: Act, incident: Incident, request: HttpRequest) -> list[Related]:
    """Return the incidents that the one which the form asks for may be."""
    if chosen.slug not in ("merge", "relate"):
        return []
    found = related_to(incident, user=request.user)
    return [one for one in found if one.incident.is_open or chosen.slug == "relate"]


def _corrected(form: ActForm, incident: Incident) -> Any:
    """Return the entry that a note corrects, to be shown above the form."""
    if "corrects" not in form.fields:
        return None
    pk = str(form["corrects"].value() or "")
    return records.timeline(incident).filter(pk=pk).first() if pk.isdigit() and len(pk) < 19 else None
