"""The verbs of a source, each a small form that says what it does and asks why."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from incidents.intake.acts import ACTS, Act
from incidents.models import IntakeToken
from incidents.policy import Refused
from portal.accounts import stepup
from portal.audit.asking import ReasonForm
from portal.audit.middleware import person
from portal.lib import clock


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("incidents.change_intaketoken", raise_exception=True)
def act_on_source(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Show the form of a verb, or carry it out. What does not fit is refused with its sentence."""
    token = IntakeToken.objects.visible_to(request.user).filter(pk=pk).first()
    act = ACTS.get(verb)
    if token is None or act is None:
        raise Http404("There is no such source, or no such verb.")
    part = _part(request, token, act)
    if act.confirmed:
        stepup.require_confirmation(request)
    form = act.form(request.POST if request.method == "POST" else None, initial=_initial(part))
    if request.method != "POST":
        return _page(request, token, act, form, part)
    if form.is_valid():
        words = dict(form.cleaned_data)
        reason = words.pop("change_reason")
        subject = token if part is None else part
        try:
            made = act.service(subject, **words, by=person(request), at=clock.database_now(), reason=reason)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return _done(request, token, act, made)
    return _page(request, token, act, form, part, status=422)


def _part(request: HttpRequest, token: IntakeToken, act: Act) -> Any:
    """Return the secret or the topic that the verb is about, by ?of=; Http404 when this source has no such one."""
    if act.part is None:
        return None
    asked = request.GET.get("of", "")
    rows = act.part.objects.visible_to(request.user).filter(token=token)
    found = rows.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
    if found is None:
        raise Http404("This source has no such part.")
    return found


def _initial(part: Any) -> dict[str, Any]:
    return {"certificate": getattr(part, "certificate", "")}


def _done(request: HttpRequest, token: IntakeToken, act: Act, made: Any) -> HttpResponse:
    if isinstance(made, str):  # a secret is shown on this answer alone: no address shows it again
        context = {"now": clock.now(), "token": token, "act": act, "secret": made}
        return render(request, "incidents/sources/secret.html", context)
    messages.success(request, f"{token}: {act.said}")
    return redirect("incidents:source", token.pk)


def _page(
    request: HttpRequest, token: IntakeToken, act: Act, form: ReasonForm, part: Any, status: int = 200
) -> HttpResponse:
    context = {"now": clock.now(), "token": token, "act": act, "form": form, "part": part}
    return render(request, "incidents/sources/act.html", context, status=status)
