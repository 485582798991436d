"""The sources of alerts: all of them, one of them, and what a pasted payload would do."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from incidents.intake import acts, trying
from incidents.intake.forms import TryForm
from incidents.selectors import sources as selectors
from portal.accounts.roles import has_role
from portal.lib import clock


def may_try(request: HttpRequest) -> bool:
    """Tell whether the reader may try payloads: whoever keeps addresses, and managers."""
    return request.user.has_perm("incidents.change_intaketoken") or has_role(request.user, "manager")


@require_safe
@login_required
@permission_required("incidents.view_intaketoken", raise_exception=True)
def source_list(request: HttpRequest) -> HttpResponse:
    """Show the sources in use, or with ?state=revoked those that are revoked."""
    revoked = request.GET.get("state") == "revoked"
    context = {
        "now": clock.now(),
        "revoked": revoked,
        "rows": selectors.sources(request.user, revoked=revoked),
        "counts": selectors.counts(request.user),
        "may_try": may_try(request),
    }
    return render(request, "incidents/sources/list.html", context)


@require_safe
@login_required
@permission_required("incidents.view_intaketoken", raise_exception=True)
def source_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how one source stands, what came from it, and its verbs."""
    row = selectors.source(request.user, pk)
    if row is None:
        raise Http404("There is no such source.")
    page = selectors.page_of(request.user, row)
    may_change = request.user.has_perm("incidents.change_intaketoken")
    context = {
        "now": clock.now(),
        "page": page,
        "row": row,
        "token": row.token,
        "acts": acts.of_source(row.token, secrets_in_use=page.secrets_in_use) if may_change else [],
        "topics": [(topic, acts.of_topic(topic) if may_change else []) for topic in page.topics],
        "may_change": may_change,
        "may_try": may_try(request),
    }
    return render(request, "incidents/sources/source.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("incidents.view_intaketoken", raise_exception=True)
def try_payload(request: HttpRequest) -> HttpResponse:
    """Show what a pasted payload would do at an address. Nothing is written, whatever the method."""
    if not may_try(request):
        raise PermissionDenied("Administrators and managers try payloads.")
    at = clock.database_now()
    sent = request.POST if request.method == "POST" else None
    form = TryForm(sent, user=request.user, initial={"source": request.GET.get("source", "")[:20]})
    trial = None
    if sent is not None and form.is_valid():
        body = form.cleaned_data["payload"].encode(errors="surrogatepass")
        trial = trying.attempt(form.cleaned_data["source"], body, reader=request.user, at=at)
    context = {"now": at, "form": form, "trial": trial, "source": form.cleaned_data.get("source") if trial else None}
    return render(request, "incidents/sources/try.html", context, status=422 if form.errors else 200)
