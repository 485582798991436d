"""The list of changes: every view of it is an address."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from changes.selectors.facets import facets_of, tabs_of
from changes.selectors.filters import Filters
from changes.selectors.listing import page_of, unanswered
from portal.accounts.requests import SignedIn
from portal.lib import clock


@require_safe
@login_required
@permission_required("changes.view_change", raise_exception=True)
def change_list(request: SignedIn) -> HttpResponse:
    """Show the changes that the reader may see and asked for, the next ones first."""
    at = clock.now()
    filters = Filters.of(request.GET)
    context = {
        "now": at,
        "filters": filters,
        "listing": page_of(request.user, filters, at=at),
        "tabs": tabs_of(request.user, filters, at=at),
        "unauthorised": unanswered(request.user),
        "facets": facets_of(request.user, filters),
        "sorts": _sorts(filters),
        "view_only": Filters(view=filters.view).address(),
        "search_all": filters.address(view="all"),
    }
    return render(request, "changes/list.html", context)


def _sorts(filters: Filters) -> dict[str, dict[str, str]]:
    """Return the headings that sort: where they lead, and how the rows stand now."""
    requested = {"newest": "descending", "oldest": "ascending"}.get(filters.sort, "")
    other = "oldest" if requested == "descending" else "newest"
    return {
        "planned": {"url": filters.address(sort="planned"), "order": "ascending" if filters.sort == "planned" else ""},
        "risk": {"url": filters.address(sort="risk"), "order": "descending" if filters.sort == "risk" else ""},
        "requested": {"url": filters.address(sort=other), "order": requested},
    }
