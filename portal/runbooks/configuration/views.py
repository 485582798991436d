"""The page Configuration: what the runbook in force asks of each system, and marking what one found."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.directory.models import System
from portal.lib import clock
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.configuration import services
from portal.runbooks.configuration.knowing import known_of

VIEW, ADD = "runbooks.view_configurationmark", "runbooks.add_configurationmark"


@require_safe
@never_cache
@login_required
@permission_required(VIEW, raise_exception=True)
def systems(request: SignedIn) -> HttpResponse:
    """List the systems, each with what is asked, what is missing and what is stale; those asked something first."""
    at = clock.now()
    known = sorted(known_of(System.objects.visible_to(request.user), at=at), key=lambda one: not one.items)
    return render(request, "runbooks/configuration/systems.html", {"now": at, "known": known})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(VIEW, raise_exception=True)
def system(request: SignedIn, slug: str) -> HttpResponse:
    """Show what is asked of one system, or mark what was chosen as present or missing."""
    found = System.objects.visible_to(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such system.")
    at = clock.now()
    (known,) = known_of([found], at=at)
    if request.method == "POST":
        if not request.user.has_perm(ADD):
            raise PermissionDenied("Your account does not mark configuration.")
        chosen = set(request.POST.getlist("item"))
        items = [one.item for one in known.items if f"{one.item.kind}:{one.item.name}" in chosen]
        try:
            made = services.mark(found, items, present="absent" not in request.POST, by=request.user, at=at)
        except Refused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, f"{len(made)} marked.")
        return redirect("checklists:configuration-of", found.slug)
    context = {"now": at, "known": known, "may_act": request.user.has_perm(ADD)}
    return render(request, "runbooks/configuration/system.html", context)
