"""Attaching a new file to a step: it is kept as evidence of the record, and named at the step, in one form."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.records.evidence import policy as evidence
from portal.records.evidence import uploading
from portal.records.evidence.forms import CollectForm
from portal.records.evidence.models import EvidenceRule
from portal.runbooks.checklists import services
from portal.runbooks.checklists.acts import UPLOAD
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.selectors.finding import run_for, step_for
from portal.runbooks.models import RunStep


@csrf_exempt  # the token stands in what is posted, which nothing may read before the upload is prepared; see _upload
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(["runbooks.change_runstep", "records.add_evidence"], raise_exception=True)
def upload(request: SignedIn, reference: str, position: str) -> HttpResponse:
    """Show the form, or take a file in. Who may not send anything is told so before it is read."""
    run = run_for(request.user, reference)
    step = step_for(request.user, run, int(position))
    if run.subject is None:
        raise Http404("This checklist is for no record that could have evidence.")
    most = EvidenceRule.now().most_bytes
    with uploading.taking(request, most=most) as handler:
        return _upload(request, step, handler, most)


@csrf_protect
def _upload(request: SignedIn, step: RunStep, handler: uploading.EvidenceUpload, most: int) -> HttpResponse:
    at, status = clock.now(), 200
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = CollectForm(*posted, user=request.user, at=at, most=most)
    if request.method == "POST":
        kept = _taken(request, step, handler, form, most, at)
        if kept is not None:
            messages.success(request, kept)
            return redirect(f"{step.run.get_absolute_url()}#step-{step.position}")
        status = 413 if handler.refusal == evidence.too_large(most) else 422
    context = {"now": at, "act": UPLOAD, "form": form, "run": step.run, "step": step}
    return render(request, "checklists/act.html", context, status=status)


def _taken(
    request: SignedIn, step: RunStep, handler: uploading.EvidenceUpload, form: CollectForm, most: int, at: datetime
) -> str | None:
    """Return the sentence of what was kept; nothing when it was refused, with the sentence in the form."""
    problem, valid = handler.problem(), form.is_valid()
    if problem:
        form.errors.pop("file", None)
        form.add_error("file", problem)
        return None
    if not valid:
        return None
    words = form.words()
    taken = words.pop("file")
    once = form.cleaned_data["once"]
    if services.done(once, request.user):
        return UPLOAD.said
    try:
        with acting(by=request.user, once=once):
            kept = services.attach_file(step, incoming=taken.incoming, most=most, by=request.user, at=at, **words)
    except evidence.Refused as refused:
        form.add_error("file", str(refused))
        return None
    except Refused as refused:
        form.add_error(None, str(refused))
        return None
    return f"{kept.reference} is kept and attached. You hold it."
