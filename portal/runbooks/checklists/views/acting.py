"""Ticking on the page of a run, and the other verbs, each a small form that works without script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.runbooks.checklists import services
from portal.runbooks.checklists.acts import RUN_ACTS, STEP_ACTS, Act
from portal.runbooks.checklists.forms import RunForm
from portal.runbooks.checklists.policy import Refused, Taken
from portal.runbooks.checklists.selectors.finding import run_for, step_for
from portal.runbooks.checklists.selectors.room import lines_of
from portal.runbooks.checklists.views.board import tell
from portal.runbooks.checklists.views.runs import context_of
from portal.runbooks.models import ChecklistRun, RunStep

MOST = 400


@require_POST
@login_required
@permission_required("runbooks.change_runstep", raise_exception=True)
def tick(request: SignedIn, reference: str) -> HttpResponse:
    """Tick one step, or those that were chosen. With htmx the step is put in place, else the page is shown again."""
    run = run_for(request.user, reference)
    pressed = request.POST.get("step", "")
    at = clock.now()
    if not pressed:
        named = [key for key in request.POST.getlist("steps") if key.isascii() and key.isdigit() and len(key) <= 4]
        steps = RunStep.objects.visible_to(request.user).filter(run=run, position__in=named[:MOST])
        tell(request, services.tick_all(list(steps), by=request.user, at=at))
        return redirect(run)
    if not (pressed.isascii() and pressed.isdigit() and len(pressed) <= 4):
        raise Http404("There is no such step.")
    step = step_for(request.user, run, int(pressed))
    try:
        services.tick(step, by=request.user, at=at)
    except Taken as taken:
        if not taken.own:
            messages.warning(request, str(taken))
    except Refused as refused:
        messages.warning(request, str(refused))
    if request.headers.get("HX-Request") == "true":
        return _ticked(request, run, step)
    return redirect(f"{run.get_absolute_url()}#step-{step.position}")


def _ticked(request: SignedIn, run: ChecklistRun, step: RunStep) -> HttpResponse:
    now = run_for(request.user, run.reference)
    (pressed,) = lines_of(now, RunStep.objects.visible_to(request.user).filter(pk=step.pk), request.user)
    context = context_of(request, now, since=clock.now())
    return render(request, "checklists/ticked.html", {**context, "pressed": pressed})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act_on_step(request: SignedIn, reference: str, position: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a step, or carry it out."""
    run = run_for(request.user, reference)
    step = step_for(request.user, run, int(position))
    chosen = _chosen(STEP_ACTS, verb)
    if not request.user.has_perm("runbooks.change_runstep"):
        raise PermissionDenied("Your account does not work checklists.")
    back = f"{run.get_absolute_url()}#step-{step.position}"
    return _act(request, chosen, step, run=run, back=back, context={"step": step, "run": run})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act_on_run(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a run, or carry it out."""
    run = run_for(request.user, reference)
    chosen = _chosen(RUN_ACTS, verb)
    if not request.user.has_perm("runbooks.change_checklistrun"):
        raise PermissionDenied("Your account does not end checklists.")
    return _act(request, chosen, run, run=run, back=run.get_absolute_url(), context={"run": run})


def _chosen(acts: dict[str, Act], verb: str) -> Act:
    if verb not in acts:
        raise Http404("There is no such verb.")
    return acts[verb]


def _act(
    request: SignedIn, chosen: Act, about: Any, *, run: ChecklistRun, back: str, context: dict[str, Any]
) -> HttpResponse:
    at, status = clock.now(), 200
    form = chosen.form(request.POST or None, user=request.user, run=run)
    if request.method == "POST":
        if form.is_valid() and carried_out(request, chosen.service, about, form, at=at, said=chosen.said):
            return redirect(back)
        status = 422
    return render(request, "checklists/act.html", {"now": at, "act": chosen, "form": form, **context}, status=status)


def carried_out(
    request: SignedIn, service: Callable[..., Any], about: Any, form: RunForm, *, at: datetime, said: str
) -> bool:
    """Carry out what a form asks, once; what is refused stands above the form."""
    once = form.cleaned_data["once"]
    if services.done(once, request.user):
        return True
    try:
        with acting(by=request.user, once=once):
            service(about, by=request.user, at=at, **form.words())
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, said)
    return True
