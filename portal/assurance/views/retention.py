"""How long the record is kept: nothing is pruned, holds keep it, and two people remove what a law makes go."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.requests import SignedIn
from portal.assurance.selectors import retention as selectors
from portal.assurance.views.trail import READING
from portal.lib import clock


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def retention(request: SignedIn) -> HttpResponse:
    """Show the rule with its figures, the holds that stand, the requests that wait and the tombstones made."""
    now = clock.now()
    context = {
        "now": now,
        "kept": selectors.retention(request.user, at=now, page=request.GET.get("page")),
        "may_hold": request.user.is_staff and request.user.has_perm("audit.add_legalhold"),
    }
    return render(request, "assurance/retention.html", context)
