"""The incident list: every view of it is an address."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.selectors.facets import facets_of, tabs_of
from incidents.selectors.filters import Filters
from incidents.selectors.listing import contact_of, page_of
from portal.lib import clock


@require_safe
@login_required
@permission_required("incidents.view_incident", raise_exception=True)
def incident_list(request: HttpRequest) -> HttpResponse:
    """Show the incidents that the reader may see and asked for, unsettled first."""
    at = clock.now()
    filters = Filters.of(request.GET)
    contact = contact_of(request.user)
    contact_id = contact.pk if contact else None
    context = {
        "now": at,
        "filters": filters,
        "contact": contact,
        "listing": page_of(request.user, filters, contact_id=contact_id, at=at),
        "tabs": tabs_of(request.user, filters, contact_id=contact_id),
        "facets": facets_of(request.user, filters),
        "sorts": _sorts(filters),
        "view_only": Filters(view=filters.view).address(),
        "search_all": filters.address(view="all"),
    }
    return render(request, "incidents/list.html", context)


def _sorts(filters: Filters) -> dict[str, dict[str, str]]:
    """Return the headings that sort: where they lead, and how the rows stand now."""
    declared = {"newest": "descending", "oldest": "ascending"}.get(filters.sort, "")
    severity = {"worst": "descending", "mildest": "ascending"}.get(filters.sort, "")
    other_declared = "oldest" if declared == "descending" else "newest"
    other_severity = "mildest" if severity == "descending" else "worst"
    return {
        "declared": {"url": filters.address(sort=other_declared), "order": declared},
        "severity": {"url": filters.address(sort=other_severity), "order": severity},
    }
