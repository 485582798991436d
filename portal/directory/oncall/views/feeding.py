"""What every calendar that leaves the portal shares: its door, its answer, how an address is made and revoked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render

from portal.accounts.models import User
from portal.accounts.requests import SignedIn
from portal.accounts.roles import has_role
from portal.directory.models import CalendarFeed, Contact, System, Team
from portal.directory.oncall import addresses, ical
from portal.directory.oncall.ical import Out
from portal.lib import clock, digests
from portal.lib.zones import zone_or_utc

BEHIND, AHEAD = timedelta(days=28), timedelta(days=183)
FRESH = timedelta(minutes=15)  # how long a calendar program need not ask again


def found_for(secret: str, *, topic: str, reads: Iterable[str]) -> tuple[CalendarFeed, User]:
    """Return the address with this secret, and its owner; Http404 once it is revoked or they may read it no more."""
    found = addresses.find(secret, topic=topic)
    owner = found.owner.user if found is not None else None
    if found is None or owner is None or not owner.has_perms(reads):
        raise Http404("There is no such calendar.")
    return found, owner


def this_hour() -> datetime:
    """Return the hour that has begun: within it the file stays the same unless something moves."""
    return clock.now().replace(minute=0, second=0, microsecond=0)


def answer(
    request: HttpRequest, found: CalendarFeed, events: Iterable[Out], *, at: datetime, name: str = "", **more: Any
) -> HttpResponse:
    """Answer a calendar program with these events, or that nothing has changed since it asked."""
    content = ical.write(name or str(found), events, at=at, zone=zone_or_utc(found.owner.time_zone), **more)
    tag = f'"{digests.digest(content.decode())[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={int(FRESH.total_seconds())}"}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


def may_make(user: Any) -> bool:
    """Tell whether somebody may have an address: who is in the directory, and no auditor, who reads signed in alone."""
    return not has_role(user, "auditor") and Contact.objects.filter(user_id=user.pk).exists()


def make(
    request: SignedIn,
    owner: Contact,
    team: Team | None,
    *,
    topic: str,
    view: str,
    back: str,
    template: str,
    system: System | None = None,
) -> HttpResponse:
    """Make an address and show it this once, read at the page named `view`; what is refused is said at `back`.

    PermissionDenied is raised for an auditor: what they read is kept in the trail, and an address is read without.
    """
    if not may_make(request.user):
        raise PermissionDenied("An auditor reads signed in: what is read by a secret address is kept in no trail.")
    at = clock.now()
    try:
        secret = addresses.make(owner, team, topic=topic, system=system, by=request.user, at=at)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect(back)
    context = {"team": team, "address": addresses.address_of(secret, view), "now": at}
    return render(request, template, context)


def revoke(request: SignedIn, rows: QuerySet[CalendarFeed], pk: int, *, back: str) -> HttpResponse:
    """Revoke one of these addresses, and say so at `back`."""
    try:
        addresses.revoke(get_object_or_404(rows, pk=pk), by=request.user, at=clock.now())
        messages.success(request, "The address is revoked. Calendars that read it get nothing from now on.")
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return redirect(back)
