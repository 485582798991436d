"""Exports: ask for one, watch it being made, fetch it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.accounts.stepup import step_up_required
from portal.assurance.exporting import policy, registry, services
from portal.assurance.exporting.enums import CONTENT_TYPES
from portal.assurance.exporting.forms import form_of
from portal.assurance.exporting.looks import look_of
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import Source
from portal.assurance.models import Export, ExportRule
from portal.assurance.selectors.trail_filters import Filters
from portal.lib import clock
from portal.lib.zones import zone_or_utc

PER_PAGE = 25
LONGEST_QUERY = 2000
READY = "{reference} is being made. It arrives in your inbox when it is ready; you need not wait here."


@require_safe
@login_required
def export_list(request: SignedIn) -> HttpResponse:
    """Show the exports that the reader may see, newest first; htmx asks for the list alone while some are made."""
    page = _page(request)
    context = {
        "now": clock.now(),
        "page": page,
        "rows": [(export, look_of(export.state)) for export in page.object_list],
        "unmade": any(export.is_open for export in page.object_list),
        "sources": registry.sources_for(request.user),
        "keep_days": ExportRule.days(),
    }
    part = "assurance/parts/export_rows.html"
    return render(request, part if _wants_part(request) else "assurance/exports.html", context)


def _page(request: SignedIn) -> Page[Export]:
    seen = Export.objects.visible_to(request.user).select_related("requester")
    return Paginator(seen, PER_PAGE).get_page(request.GET.get("page"))


def _wants_part(request: HttpRequest) -> bool:
    """Tell whether htmx asks for the part that refreshes itself."""
    return request.headers.get("HX-Request") == "true"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask_for_export(request: SignedIn, source: str) -> HttpResponse:
    """Show the form of one kind of export, or ask for it. The filters of the address narrow what is exported."""
    found, now = _source(request, source), clock.now()
    if found.chosen_on and "model" not in request.GET:
        return redirect(found.chosen_on)
    parameters = _narrowed(request) if found.by_filters else {}
    posted = request.POST if request.method == "POST" else None
    form = form_of(found, request.user, posted, filters=Filters.of(request.GET), at=now)
    if request.method == "POST" and form.is_valid():
        try:
            export = services.ask(
                source=source,
                format=form.cleaned_data["format"],
                parameters=parameters | form.parameters(),
                by=request.user,
                at=now,
                reason=form.cleaned_data["reason"],
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, READY.format(reference=export.reference))
            return redirect(export)
    context = {
        "now": now,
        "source": found,
        "form": form,
        "narrowing": _narrowing(found, parameters, request),
        "keep_days": ExportRule.days(),
    }
    return render(request, "assurance/export_ask.html", context, status=422 if form.errors else 200)


def _narrowing(source: Source, parameters: dict[str, Any], request: SignedIn) -> str:
    """Return how the address narrows the export, in words; what means nothing is said by the form once it is sent."""
    try:
        return source.narrowing(parameters, zone=zone_or_utc(request.user.time_zone))
    except Refused as refusal:
        return str(refusal)


def _source(request: SignedIn, slug: str) -> Source:
    if slug not in registry.SOURCES:
        raise Http404("There is no such export.")
    found = registry.SOURCES[slug]
    if not request.user.has_perm(found.permission):
        raise PermissionDenied("Your account does not see this, so it cannot export it.")
    return found


def _narrowed(request: HttpRequest) -> dict[str, Any]:
    """Return the filters that the page's address carries."""
    query = request.GET.copy()
    query.pop("page", None)
    return {"query": query.urlencode()[:LONGEST_QUERY]} if query else {}


@require_safe
@login_required
def export_page(request: SignedIn, pk: int) -> HttpResponse:
    """Show one export: who, what, why, how far it is, and its file."""
    export = _export(request, pk)
    zone = zone_or_utc(export.zone)
    known = registry.SOURCES.get(export.source)
    context = {
        "now": clock.now(),
        "export": export,
        "look": look_of(export.state),
        "source": known,
        "narrowing": known.narrowing(export.parameters, zone=zone) if known else "",
        "may_fetch": policy.can_fetch(export.state, is_requester=export.requester_id == request.user.pk),
    }
    part = "assurance/parts/export_state.html"
    return render(request, part if _wants_part(request) else "assurance/export.html", context)


def _export(request: SignedIn, pk: int) -> Export:
    found: Export | None = Export.objects.visible_to(request.user).select_related("requester").filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such export.")
    return found


@require_GET
@never_cache
@login_required
@step_up_required
def fetch_export(request: SignedIn, pk: int) -> HttpResponseBase:
    """Hand the file to whoever asked for it; the trail keeps that it left, with its rows and its SHA-256."""
    export = _export(request, pk)
    try:
        path = services.fetch(export, by=request.user, at=clock.now())
        file = path.open("rb")
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(export)
    response = FileResponse(
        file, as_attachment=True, filename=export.file_name, content_type=CONTENT_TYPES[export.kind]
    )
    response["Content-Encoding"] = "identity"  # or the portal would compress it on the way and hide its length
    return response
