"""The pages of evidence. Each reads the clock once, asks a selector or calls one service, and renders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.accounts.stepup import step_up_required
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records.evidence import acts, policy, services, uploading
from portal.records.evidence.acts import ACTS, Act
from portal.records.evidence.forms import CollectForm, EvidenceForm
from portal.records.evidence.models import Evidence, EvidenceRule
from portal.records.evidence.selectors import SHOWS, Filters, item_for, list_of, room_of, subject_for
from portal.records.evidence.services import Refused

# Nothing of a file is ever shown here, whatever it is and whatever its sender said of it.
HANDED_OUT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Content-Encoding": "identity",  # or the portal would compress it on the way and hide its length
    "Cross-Origin-Resource-Policy": "same-origin",
}


@require_safe
@never_cache
@login_required
@permission_required("records.view_evidence", raise_exception=True)
def evidence_list(request: SignedIn) -> HttpResponse:
    """Show the evidence that the reader may see, newest first."""
    filters = Filters.of(request.GET)
    page, rows = list_of(request.user, filters)
    shows = [(label, filters.address(show=show), show == filters.show) for show, label in SHOWS.items()]
    context = {"now": clock.now(), "filters": filters, "page": page, "rows": rows, "shows": shows}
    return render(request, "records/evidence/list.html", context)


@require_safe
@never_cache
@login_required
def item(request: SignedIn, reference: str) -> HttpResponse:
    """Show one item: what it is, who holds it, and all that happened to it. That it was opened is told of it."""
    at = clock.now()
    found = item_for(request.user, reference)
    services.view(found, by=request.user, at=at)
    context = {"now": at, "item": found, "room": room_of(found, request.user)}
    return render(request, "records/evidence/item.html", context)


@require_safe
@never_cache
@login_required
def report(request: SignedIn, reference: str) -> HttpResponse:
    """Show the custody of one item as a report that prints."""
    at = clock.now()
    found = item_for(request.user, reference)
    services.view(found, by=request.user, at=at, how="as a custody report")
    context = {"now": at, "item": found, "room": room_of(found, request.user, whole=True)}
    return render(request, "records/evidence/report.html", context)


@require_GET
@never_cache
@login_required
@step_up_required
def download(request: SignedIn, reference: str) -> HttpResponseBase:
    """Hand the file out, always as a download; that it leaves is told before its first byte does."""
    found = item_for(request.user, reference)
    try:
        file = services.download(found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    response = FileResponse(
        file, as_attachment=True, filename=found.file_name, content_type="application/octet-stream", headers=HANDED_OUT
    )
    response["Content-Length"] = str(found.stored.size)
    return response


@csrf_exempt  # the token stands in what is posted, which nothing may read before the upload is prepared; see _collect
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def collect(request: SignedIn, kind: str, pk: int) -> HttpResponse:
    """Show the form of an upload, or take a file in. Who may not send anything is told so before it is read."""
    subject = subject_for(request.user, kind, pk)
    if not request.user.has_perm("records.add_evidence"):
        raise PermissionDenied("Your account does not add evidence.")
    most = EvidenceRule.now().most_bytes
    with uploading.taking(request, most=most) as handler:
        return _collect(request, subject, handler, most)


@csrf_protect
def _collect(request: SignedIn, subject: Any, handler: uploading.EvidenceUpload, most: int) -> HttpResponse:
    at = clock.now()
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = CollectForm(*posted, user=request.user, at=at, most=most)
    status = 200
    if request.method == "POST":
        found = _taken(request, subject, handler, form, most, at)
        if found is not None:
            messages.success(request, f"{found.reference} is kept. You hold it.")
            return redirect(found)
        status = 413 if handler.refusal == policy.too_large(most) else 422
    record_opening(subject, "to add evidence")
    context = {"now": at, "subject": subject, "form": form}
    return render(request, "records/evidence/collect.html", context, status=status)


def _taken(
    request: SignedIn, subject: Any, handler: uploading.EvidenceUpload, form: CollectForm, most: int, at: datetime
) -> Evidence | None:
    """Return what was kept; nothing when it was refused, with the sentence in the form."""
    problem, valid = handler.problem(), form.is_valid()
    if problem:
        form.errors.pop("file", None)
        form.add_error("file", problem)
        return None
    if not valid:
        return None
    words = form.words()
    upload = words.pop("file")
    try:
        with acting(by=request.user, once=form.cleaned_data["once"]):
            return services.collect(subject, upload.incoming, most=most, by=request.user, at=at, **words)
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb, or carry it out once. What does not fit is refused with its sentence."""
    at = clock.database_now()
    found = item_for(request.user, reference)
    chosen = ACTS.get(verb)
    if chosen is None:
        raise Http404(f"There is no verb {verb}.")
    if not acts.may(chosen, found, request.user) and policy.can(chosen.rule, found.state, sealed=found.is_sealed):
        raise PermissionDenied(_why_not(chosen, found))
    if not (request.user.has_perm("records.change_evidence") or services.is_receiver(found, request.user)):
        raise PermissionDenied
    form = chosen.form(request.POST or None, user=request.user, at=at, initial=_initial(found))
    if request.method == "POST" and form.is_valid() and _done(request, chosen, found, form, at=at):
        return redirect(found)
    record_opening(found, f"in the form to {chosen.rule} it")
    context = {"now": at, "item": found, "act": chosen, "form": form}
    return render(request, "records/evidence/act.html", context, status=422 if form.is_bound else 200)


def _why_not(chosen: Act, found: Evidence) -> str:
    if chosen.slug == "receive":
        return policy.NOT_THE_RECEIVER.format(receiver=found.offered_to)
    return policy.NOT_THE_HOLDER.format(holder=found.holder, verb=chosen.rule)


def _initial(found: Evidence) -> dict[str, Any]:
    return {"source": found.source, "description": found.description}


def _done(request: SignedIn, chosen: Act, found: Evidence, form: EvidenceForm, *, at: datetime) -> bool:
    """Tell whether the verb was carried out, now or by an earlier submit; else its sentence stands in the form."""
    once = form.cleaned_data["once"]
    if services.done(once, request.user):
        return True
    try:
        with acting(by=request.user, once=once):
            chosen.service(found, by=request.user, at=at, **form.words())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"{found.reference}: {chosen.said}")
    return True
