"""Writes to a system's configuration outside of any change: listed, accepted with a reason, or turned into a change."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from changes import services
from changes.enums import FindingState
from changes.models import Finding
from changes.policy import NotYours, Refused
from changes.services.unauthorised import answerable
from portal.accounts.requests import SignedIn
from portal.audit.asking import FIELD, ReasonForm
from portal.lib import clock

READS = "changes.view_finding"
MOST_OPEN, MOST_ANSWERED = 200, 25
# verb: heading, button, icon, what it does
VERBS = {
    "accept": ("Accept it", "Accept", "check", "It was right, though no change announced it. The reason says why."),
    "turn": (
        "Make an emergency change of it", "Draft an emergency change", "siren",
        "It is drafted with what was written and by whom. Its plans are added, and it is decided on.",
    ),
}  # fmt: skip


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def unauthorised(request: SignedIn) -> HttpResponse:
    """Show the writes outside of any change that wait for an answer, and those answered last."""
    rows = Finding.objects.visible_to(request.user).select_related("system", "change")
    waiting = list(rows.filter(state=FindingState.OPEN).order_by("-made_at", "-pk")[:MOST_OPEN])
    context = {
        "now": clock.now(),
        "waiting": waiting,
        "answered": list(rows.exclude(state=FindingState.OPEN).order_by("-answered_at", "-pk")[:MOST_ANSWERED]),
        "answerable": answerable(waiting, request.user),
    }
    return render(request, "changes/unauthorised.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required([READS, "changes.change_change"], raise_exception=True)
def answer_unauthorised(request: SignedIn, pk: int, verb: str) -> HttpResponse:
    """Ask why such a write is accepted or turned into a change, and do it. 403 is for whoever made it."""
    if verb not in VERBS:
        raise Http404(f"There is no verb {verb}.")
    found: Finding = get_object_or_404(Finding.objects.visible_to(request.user).select_related("system"), pk=pk)
    form, status = ReasonForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _answered(request, found, verb, form.cleaned_data[FIELD], at=clock.database_now())
            except NotYours as refused:
                raise PermissionDenied(str(refused)) from refused
            except Refused as refused:
                form.add_error(None, str(refused))
    title, label, icon, about = VERBS[verb]
    context = {
        "now": clock.now(), "finding": found, "form": form,
        "title": title, "label": label, "icon": icon, "about": about,
    }  # fmt: skip
    return render(request, "changes/answer_unauthorised.html", context, status=status)


def _answered(request: SignedIn, found: Finding, verb: str, reason: str, *, at: datetime) -> HttpResponse:
    if verb == "accept":
        services.accept(found, by=request.user, at=at, reason=reason)
        messages.success(request, f"{found.system}: it is accepted.")
        return redirect("changes:unauthorised")
    made = services.turn(found, by=request.user, at=at, reason=reason)
    messages.success(request, f"{made.reference} is drafted. Add its plans, and have it decided on.")
    return redirect(made)
