"""The window board, one window, and the forms that plan, open and move windows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import services
from maintenance.enums import WindowKind
from maintenance.forms.windows import (
    USUAL,
    OpenNowForm,
    PlanWindowForm,
    SeriesForm,
    SystemsForm,
    WindowActForm,
    WindowReasonForm,
)
from maintenance.looks import MARKS
from maintenance.models import Window
from maintenance.policy import Refused
from maintenance.selectors.windows import (
    SPANS,
    board_of,
    line_of,
    look_of_window,
    shares_of,
    siblings,
    slot_of,
    strays,
    window_for,
)
from maintenance.window_acts import WINDOW_ACTS, offers_of
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.directory.models import System
from portal.lib import clock
from portal.records import services as records
from portal.records.lines import marked, timeline_of
from portal.records.making import making
from portal.records.models import Note

READS = "maintenance.view_window"
PLANS = "maintenance.add_window"
ACTS = "maintenance.change_window"
LOOK = marked(MARKS)
FORMS: dict[str, tuple[type[SystemsForm], str, str]] = {
    "plan": (PlanWindowForm, "Plan a window", "Once, at a time that is still to come"),
    "open": (OpenNowForm, "Open a window now", "For work that goes on already"),
    "series": (SeriesForm, "Plan a recurring window", "Its next windows stand ahead of their time"),
}


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def board(request: SignedIn) -> HttpResponse:
    """Show what overruns, goes on, comes next and was done."""
    at = clock.now()
    slug = request.GET.get("system", "")[:60]
    asked = request.GET.get("days", "")
    days = next((number for number in SPANS if str(number) == asked), 30)
    rows = System.objects.visible_to(request.user)
    system = rows.filter(slug=slug).first() if slug else None
    context = {
        "now": at,
        "board": board_of(request.user, at=at, system=system),
        "system": system,
        "availability": shares_of(request.user, days, at=at, system=system),
        "may_plan": request.user.has_perm(PLANS),
        "may_act": request.user.has_perm(ACTS),
    }
    return render(request, "maintenance/windows/board.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def window(request: SignedIn, reference: str) -> HttpResponse:
    """Show one window: when, of which systems, and everything that happened in it."""
    at = clock.now()
    found = window_for(request.user, reference)
    record_opening(found)
    context = {
        "now": at,
        "window": found,
        "line": line_of(found, at=at),
        "look": look_of_window(found, at=at),
        "offers": offers_of(found, at=at) if request.user.has_perm(ACTS) else [],
        "may_plan": request.user.has_perm(PLANS),
        "overrunning": found.is_overrunning(at),
        "strays": strays(found, request.user),
        "siblings": siblings(found, request.user),
        "links": records.links_of(found, user=request.user),
        "timeline": timeline_of(found, look=LOOK, quoted=frozenset(), whole=request.GET.get("all") == "1", at=at),
    }
    return render(request, "maintenance/windows/window.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(PLANS, raise_exception=True)
def plan(request: SignedIn, how: str) -> HttpResponse:
    """Show the form of a new window, of one that is opened now or of a series; or make it."""
    if how not in FORMS:
        raise Http404("There is no such form.")
    at = clock.database_now()
    chosen, title, sub = FORMS[how]
    slot = slot_of(request.user, request.GET.get("about", "")[:20]) if how == "plan" else None
    form = chosen(request.POST or None, at=at, user=request.user, initial=_initial(request, how, slot))
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, how, form, slot)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{made.reference} is {made.get_state_display().lower()}.")
            return redirect(made)
    status = 422 if request.method == "POST" else 200
    context = {"now": at, "form": form, "how": how, "title": title, "sub": sub, "slot": slot}
    return render(request, "maintenance/windows/plan.html", context, status=status)


def _initial(request: SignedIn, how: str, slot: Any) -> dict[str, Any]:
    at = timezone.localtime(clock.now()).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    asked = System.objects.visible_to(request.user).filter(slug__in=request.GET.getlist("system")[:20], active=True)
    initial: dict[str, Any] = {"systems": list(asked)}
    if how == "plan":
        initial |= {"starts_at": at, "ends_at": at + USUAL}
    if how == "series":
        initial |= {"anchor": at.date(), "time_zone": str(timezone.get_current_timezone())}
    if slot is not None and slot.starts is not None:
        initial |= {
            "title": slot.title[:160], "systems": slot.systems, "starts_at": timezone.localtime(slot.starts),
            "ends_at": timezone.localtime(slot.ends),
        }  # fmt: skip
    return initial


def _make(request: SignedIn, how: str, form: Any, slot: Any) -> Window:
    """Make what the form says, once: a second submit of it leads to what the first one made."""
    who: dict[str, Any] = {"by": request.user, "at": form.at}
    with making(request.user, once=form.cleaned_data["once"], kinds=["planned", "begun"]) as key:
        made: Window | None = Window.objects.visible_to(request.user).filter(pk=key).first() if key else None
        if made is not None:
            return made
        if how == "series":
            series = services.start_series(form.words(), form.cleaned_data["systems"], **who)
            first: Window = series.windows.order_by("starts_at")[0]
            return first
        words = form.words()
        if how == "open":
            return services.open_now(**words, **who)
        return services.plan_window(**words, about=slot.record if slot else None, **who)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(ACTS, raise_exception=True)
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a window, or carry it out."""
    found = window_for(request.user, reference)
    chosen = WINDOW_ACTS.get(verb)
    if chosen is None:
        raise Http404("There is no such verb.")
    at = clock.database_now()
    form: WindowActForm = chosen.form(request.POST or None, subject=found, at=at, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic(), acting(by=request.user, once=form.cleaned_data["once"]) as context:
                # Under the window's lock: of two submits of one form, the second finds what the first has written.
                Window.objects.select_for_update(of=("self",)).get(pk=found.pk)
                if not Note.objects.filter(gesture=context.gesture).exists():
                    chosen.service(found, by=request.user, at=at, **form.words())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{found.reference}: {chosen.said}")
            return redirect(found)
    status = 422 if request.method == "POST" else 200
    page = {"now": at, "act": chosen, "window": found, "form": form}
    return render(request, "maintenance/windows/act.html", page, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(PLANS, raise_exception=True)
def end_series(request: SignedIn, reference: str) -> HttpResponse:
    """Ask why the series of a window ends, or end it."""
    found = window_for(request.user, reference)
    if found.kind != WindowKind.RECURRING or found.series is None:
        raise Http404("This window is of no series.")
    at = clock.database_now()
    form = WindowReasonForm(request.POST or None, subject=found, at=at, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.end_series(found.series, by=request.user, at=at, reason=form.cleaned_data["reason"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The series has ended. Its windows that had not begun are cancelled.")
            return redirect(found)
    status = 422 if request.method == "POST" else 200
    page = {"now": at, "act": ENDING, "window": found, "form": form}
    return render(request, "maintenance/windows/act.html", page, status=status)


ENDING = {
    "title": "End the series", "label": "End series", "icon": "circle-stop", "danger": True,
    "about": "It comes round no more. Its windows that have not begun are cancelled.",
}  # fmt: skip
