"""The change calendar, and the secret address from which a calendar program reads it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from changes.selectors.calendar import VIEWS, Asked, Entry, calendar_of, feed_entries
from portal.accounts.requests import SignedIn
from portal.accounts.second import not_needed_for
from portal.directory.enums import FeedTopic
from portal.directory.models import CalendarFeed, Contact
from portal.directory.oncall.ical import Out
from portal.directory.oncall.views import feeding
from portal.lib import clock, digests

READS = "changes.view_change"
MOST_EVENTS = 2000


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def calendar(request: SignedIn) -> HttpResponse:
    """Show what is planned, frozen, under maintenance and broken, by month, by week or as a list."""
    at = clock.now()
    today = timezone.localtime(at).date()
    asked = Asked.of(request.GET, today=today)
    context = {
        "now": at,
        "asked": asked,
        "calendar": calendar_of(request.user, asked, at=at),
        "views": [(view, asked.address(view=view), view == asked.view) for view in VIEWS],
        "today_url": asked.address(on=today),
        "is_now": asked.first <= today < asked.last,
        "feeds": _own_feeds(request),
        "may_feed": feeding.may_make(request.user),
    }
    return render(request, "changes/calendar.html", context)


def _own_feeds(request: SignedIn) -> list[CalendarFeed]:
    rows = CalendarFeed.objects.visible_to(request.user).filter(owner__user_id=request.user.pk)
    return list(rows.filter(topic=FeedTopic.CHANGES, revoked_at=None))


@not_needed_for
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer a calendar program. Whoever has the secret reads what its owner may see now; 404 once it is revoked."""
    found, owner = feeding.found_for(secret, topic=FeedTopic.CHANGES, reads=[READS])
    at = feeding.this_hour()
    entries = feed_entries(owner, since=at - feeding.BEHIND, until=at + feeding.AHEAD, most=MOST_EVENTS)
    return feeding.answer(request, found, (_event(one, at=at) for one in entries), at=at, product="Changes")


def _event(entry: Entry, *, at: datetime) -> Out:
    """Return an event; what somebody is at just now lasts to the end of this hour, and is read again every hour."""
    name = entry.reference or digests.digest(f"{entry.title}{entry.starts.isoformat()}")[:24]
    title = f"{entry.reference} {entry.title}" if entry.reference else f"Freeze: {entry.title}"
    until = entry.ends or at + timedelta(hours=1)
    url = f"{settings.PORTAL_URL}{entry.url}" if entry.url else ""
    return Out(f"{name}@watchbook", title, entry.starts, until, detail=entry.word, url=url)


@never_cache
@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def make_feed(request: SignedIn) -> HttpResponse:
    """Make an address of the change calendar for one's own calendar program, and show it this once."""
    me = Contact.objects.visible_to(request.user).filter(user_id=request.user.pk).first()
    if me is None:
        raise PermissionDenied("Only whoever is in the directory has a calendar address.")
    return feeding.make(
        request, me, None, topic=FeedTopic.CHANGES, view="changes:feed", back="changes:calendar",
        template="changes/feed.html",
    )  # fmt: skip


@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def revoke_feed(request: SignedIn, pk: int) -> HttpResponse:
    """Revoke one of one's own addresses."""
    rows = CalendarFeed.objects.visible_to(request.user).filter(topic=FeedTopic.CHANGES, owner__user_id=request.user.pk)
    return feeding.revoke(request, rows, pk, back="changes:calendar")
