"""The calendar of maintenance, and the secret address from which a calendar program reads it."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from maintenance.enums import State, WindowState
from maintenance.models import Occurrence, Window
from maintenance.selectors.calendar import month_of
from maintenance.selectors.due import WHOSE, WHOSE_LABELS, of_whom, person_of, usual
from portal.accounts.requests import SignedIn
from portal.accounts.second import not_needed_for
from portal.directory.enums import FeedTopic
from portal.directory.models import CalendarFeed, System, Team
from portal.directory.oncall.ical import Out
from portal.directory.oncall.views import feeding
from portal.lib import clock

READS = "maintenance.view_occurrence"
MOST_EVENTS = 2000
LASTS = timedelta(minutes=30)  # how long a date takes in a calendar program


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def calendar(request: SignedIn) -> HttpResponse:
    """Show a month of what is due, what was done and what is to come."""
    at = clock.now()
    today = timezone.localtime(at).date()
    try:
        on = date.fromisoformat(request.GET.get("on", "")[:10])
    except ValueError:
        on = today
    on = min(max(on, date(2000, 1, 1)), date(2100, 1, 1)).replace(day=1)
    person = person_of(request.user)
    asked = request.GET.get("whose", "")
    whose = asked if asked in WHOSE else usual(request.user, person)
    before, after = (on - timedelta(days=1)).replace(day=1), (on + timedelta(days=32)).replace(day=1)
    feeds = CalendarFeed.objects.visible_to(request.user).filter(owner__user_id=request.user.pk)
    context = {
        "now": at,
        "month": month_of(request.user, whose, person, on=on, at=at, today=today),
        "tabs": [(WHOSE_LABELS[one], f"?whose={one}&on={on}", one == whose) for one in WHOSE],
        "previous": f"?whose={whose}&on={before}",
        "following": f"?whose={whose}&on={after}",
        "this": f"?whose={whose}",
        "is_now": on == today.replace(day=1),
        "feeds": list(feeds.filter(topic=FeedTopic.MAINTENANCE, revoked_at=None).select_related("team", "system")),
        "may_feed": feeding.may_make(request.user),
        "teams": Team.objects.visible_to(request.user).filter(members=person, active=True) if person else (),
        "systems": System.objects.visible_to(request.user).filter(active=True) if person else (),
    }
    return render(request, "maintenance/calendar.html", context)


@not_needed_for
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer a calendar program. Whoever has the secret reads what its owner may see now; 404 once it is revoked."""
    found, owner = feeding.found_for(secret, topic=FeedTopic.MAINTENANCE, reads=[READS])
    at = feeding.this_hour()
    rows = Occurrence.objects.visible_to(owner).exclude(state=State.WITHDRAWN).filter(due_at__gte=at - feeding.BEHIND)
    mine: QuerySet[Occurrence]
    if found.system_id:
        mine = rows.filter(plan__systems=found.system)
    else:
        mine = rows.filter(plan__team=found.team) if found.team_id else of_whom(rows, "mine", found.owner)
    entries = mine.select_related("plan").order_by("due_at", "pk")[:MOST_EVENTS]
    name = f"Maintenance of {found.system or found.team or found.owner}"
    windows = Window.objects.visible_to(owner).exclude(state=WindowState.CANCELLED)
    near = windows.filter(ends_at__gte=at - feeding.BEHIND, starts_at__lte=at + feeding.AHEAD)
    if found.system_id:
        near = near.filter(systems=found.system)
    elif found.team_id:
        near = near.filter(systems__owner=found.team).distinct()
    events = [*map(_event, entries), *map(_window, near.order_by("starts_at", "pk")[:MOST_EVENTS])]
    return feeding.answer(request, found, events, at=at, name=name, product="Maintenance")


def _event(row: Occurrence) -> Out:
    word = row.get_state_display()
    return Out(
        f"{row.reference}@watchbook", f"{row.plan.reference} {row.plan.task}", row.due_at - LASTS, row.due_at,
        detail=word, url=f"{settings.PORTAL_URL}{row.get_absolute_url()}",
    )  # fmt: skip


def _window(row: Window) -> Out:
    return Out(
        f"{row.reference}@watchbook", f"{row.reference} {row.title}", row.starts_at, row.ends_at,
        detail=f"Maintenance window, {row.get_state_display().lower()}",
        url=f"{settings.PORTAL_URL}{row.get_absolute_url()}",
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(READS, raise_exception=True)
def make_feed(request: SignedIn) -> HttpResponse:
    """Make an address of one's own tasks, of those of one of one's teams or of a system, and show it this once.

    Whoever opens the page of it anew is led to the calendar: nothing is shown twice.
    """
    if request.method != "POST":
        return redirect("maintenance:calendar")
    me = person_of(request.user)
    if me is None:
        raise PermissionDenied("Only whoever is in the directory has a calendar address.")
    kind, _, slug = request.POST.get("of", "")[:120].partition(":")
    if kind not in ("", "team", "system"):
        raise Http404("There is no such calendar.")
    teams = Team.objects.visible_to(request.user).filter(members=me, active=True)
    systems = System.objects.visible_to(request.user).filter(active=True)
    team = get_object_or_404(teams, slug=slug) if kind == "team" else None
    system = get_object_or_404(systems, slug=slug) if kind == "system" else None
    return feeding.make(
        request, me, team, system=system, topic=FeedTopic.MAINTENANCE, view="maintenance:feed",
        back="maintenance:calendar", template="maintenance/feed.html",
    )  # fmt: skip


@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def revoke_feed(request: SignedIn, pk: int) -> HttpResponse:
    """Revoke one of one's own addresses."""
    rows = CalendarFeed.objects.visible_to(request.user).filter(owner__user_id=request.user.pk)
    return feeding.revoke(request, rows.filter(topic=FeedTopic.MAINTENANCE), pk, back="maintenance:calendar")
