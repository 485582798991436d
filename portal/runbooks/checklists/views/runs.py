"""Runs: the list, the page of one with its live parts, one step, and the matrix."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.requests import SignedIn
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.runbooks.checklists.acts import offers_of_run, offers_of_step
from portal.runbooks.checklists.looks import state_look
from portal.runbooks.checklists.policy import can
from portal.runbooks.checklists.selectors.finding import marks_of, records_of, run_for, step_for
from portal.runbooks.checklists.selectors.progress import progress_of
from portal.runbooks.checklists.selectors.room import COLUMNS, SHOWS, matrix_of, room_of, shares_of, story_of
from portal.runbooks.models import ChecklistRun

PER_PAGE = 25


@require_safe
@never_cache
@login_required
@permission_required("runbooks.view_checklistrun", raise_exception=True)
def run_list(request: SignedIn) -> HttpResponse:
    """Show the runs, newest first: those that run, or all."""
    every = request.GET.get("show") == "all"
    rows = ChecklistRun.objects.visible_to(request.user)
    rows = rows if every else rows.filter(ended_at=None)
    page = Paginator(rows.order_by("-started_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    found = records_of(page.object_list, request.user)
    listed = [
        (progress, found.get(progress.run.pk), marks_of(found.get(progress.run.pk)))
        for progress in progress_of(page.object_list, request.user)
    ]
    return render(request, "checklists/runs.html", {"now": clock.now(), "page": page, "rows": listed, "every": every})


@require_safe
@never_cache
@login_required
def run(request: SignedIn, reference: str) -> HttpResponse:
    """Show one run: its steps, and how far each team is."""
    found = run_for(request.user, reference)
    _tell_opening(found)
    show, team = request.GET.get("show", ""), request.GET.get("team", "")
    return render(request, "checklists/run.html", context_of(request, found, show=show, team=team))


@require_safe
@never_cache
@login_required
def live(request: SignedIn, reference: str) -> HttpResponse:
    """Give the steps of a run that changed since the page was made, and its progress, for htmx to put in place."""
    found = run_for(request.user, reference)
    asked = _moment(request.GET.get("since", ""))
    context = context_of(request, found, since=asked or clock.now())
    return render(request, "checklists/live.html", context)


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def context_of(
    request: SignedIn, found: ChecklistRun, *, show: str = "all", team: str = "", since: datetime | None = None
) -> dict[str, Any]:
    """Return what the page of a run and its live parts show."""
    at = clock.now()
    room = room_of(found, request.user, show=show, team=team, since=since)
    return {
        "now": at,
        "run": found,
        "room": room,
        "shares": shares_of(room),
        "shows": [(key, label, key == (show if show in SHOWS else "all")) for key, label in SHOWS.items()],
        "team": team,
        "since": at.isoformat(),
        "tick_url": reverse("checklists:tick", args=[found.reference]),
        "may_act": request.user.has_perm("runbooks.change_runstep"),
        "offers": offers_of_run(found, request.user),
    }


@require_safe
@never_cache
@login_required
def step(request: SignedIn, reference: str, position: str) -> HttpResponse:
    """Show one step: what it asks, how it stands, and all that happened to it."""
    found = run_for(request.user, reference)
    _tell_opening(found)
    one = step_for(request.user, found, int(position))
    subject = records_of([found], request.user).get(found.pk)
    context = {
        "now": clock.now(),
        "run": found,
        "step": one,
        "look": state_look(one.state),
        "subject": subject,
        "marks": marks_of(subject),
        "story": story_of(request.user, found, one),
        "offers": offers_of_step(one, request.user),
        "can_tick": request.user.has_perm("runbooks.change_runstep") and not found.is_over and can("tick", one.state),
    }
    return render(request, "checklists/step.html", context)


@require_safe
@never_cache
@login_required
def matrix(request: SignedIn, reference: str) -> HttpResponse:
    """Show every step against every state, with who brought it there and when, to the second."""
    found = run_for(request.user, reference)
    _tell_opening(found)
    subject = records_of([found], request.user).get(found.pk)
    (progress,) = progress_of([found], request.user)
    context = {
        "now": clock.now(),
        "run": found,
        "subject": subject,
        "marks": marks_of(subject),
        "progress": progress,
        "columns": list(COLUMNS.values()),
        "rows": matrix_of(found, request.user),
        "story": story_of(request.user, found),
    }
    return render(request, "checklists/matrix.html", context)


def _tell_opening(found: ChecklistRun) -> None:
    """Tell the trail that somebody reads of a restricted record; of others nothing is told."""
    if found.subject is not None:
        record_opening(found.subject, f"its checklist {found.reference}")
