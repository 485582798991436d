"""The contact sheet as a page that prints, and as the file that is exported."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.requests import SignedIn
from portal.directory.models import Contact, ContactMethod, OnCallShift, System
from portal.directory.sheet import delivering, making
from portal.lib import clock
from portal.lib.visibility import reads_all

READS = [
    "directory.view_system",
    "directory.view_contact",
    "directory.view_contactmethod",
    "directory.view_oncallshift",
]
WHOLE = (System, Contact, ContactMethod, OnCallShift)


def guarded(view: Callable[[SignedIn], HttpResponse]) -> Callable[..., HttpResponse]:
    """Open the sheet to whoever may read all that stands on it: it is whole, or it is not."""

    def whole(request: SignedIn) -> HttpResponse:
        if not all(reads_all(request.user, model) for model in WHOLE):
            raise PermissionDenied("What you may read is narrowed; the sheet is only there as a whole.")
        return view(request)

    checked = permission_required(READS, raise_exception=True)(whole)
    return require_safe(never_cache(login_required(checked)))


@guarded
def page(request: SignedIn) -> HttpResponse:
    """Show the sheet, and when it last left the machine."""
    at = clock.now()
    context = {"now": at, "sheet": making.sheet(at=at), "deliveries": delivering.newest()}
    return render(request, "directory/contact_sheet.html", context)


@guarded
def file(_request: SignedIn) -> HttpResponse:
    """Return the sheet as one file that needs no portal."""
    name = delivering.NAME
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(making.as_file(at=clock.now()), content_type=delivering.TYPE, headers=headers)
