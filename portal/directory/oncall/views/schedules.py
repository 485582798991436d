"""Pages of schedules: all teams, one schedule with its layers, standing in."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date

from portal.accounts.requests import SignedIn
from portal.audit.asking import ReasonForm
from portal.directory.models import Layer, Schedule, Team
from portal.directory.oncall import pages, schedules, swaps
from portal.directory.oncall.forms import (
    AtForm,
    EndLayerForm,
    LayerForm,
    ScheduleForm,
    TakeOverForm,
    layer_initial,
)
from portal.directory.oncall.views.common import (
    CHANGES,
    READS,
    acting_page,
    done,
    form_page,
    may_swap,
    may_take,
    moment_of,
    own_contact,
    reading,
    schedule_for,
)
from portal.lib import clock, times

PAGE = 20


@reading
def rota(request: SignedIn) -> HttpResponse:
    """Show all teams: who is on call, who follows, the holes ahead. `?at=` asks who was, or will be, at a moment."""
    now = clock.now()
    teams = Team.objects.visible_to(request.user).filter(active=True).order_by("name", "pk")
    asked = AtForm(request.GET) if "at" in request.GET else AtForm(initial={"at": now})
    found = None
    if asked.is_bound and asked.is_valid():
        found = pages.at_moment(list(teams), moment=asked.cleaned_data["at"], now=now)
    page = Paginator(teams, PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "page": page,
        "lines": pages.team_lines(list(page.object_list), request.user, at=now, zone=timezone.get_current_timezone()),
        "asked": asked,
        "found": found,
        "moment": asked.cleaned_data.get("at") if found is not None else None,
        "may_add": request.user.has_perm("directory.add_schedule"),
        "may_put": request.user.has_perm("directory.add_oncallshift"),
    }
    return render(request, "directory/oncall/rota.html", context)


@reading
def schedule(request: SignedIn, pk: int) -> HttpResponse:
    """Show one schedule: the picture of four weeks from `?from=`, its layers, overrides and swaps."""
    now, found = clock.now(), schedule_for(request, pk)
    first = first_day(request.GET.get("from", ""), now)
    step = timedelta(days=7 * pages.WEEKS)
    me = own_contact(request)
    context = {
        "now": now,
        "schedule": found,
        "view": pages.schedule_view(found, request.user, first=first, at=now, zone=timezone.get_current_timezone()),
        "first": first,
        "last": first + step - timedelta(days=1),
        "before": first - step,
        "after": first + step,
        "me": me,
        "may_change": request.user.has_perm(CHANGES) and found.retired_at is None,
        "may_end": request.user.has_perm("directory.change_oncallshift"),
        "may_put": request.user.has_perm("directory.add_oncallshift"),
        "may_swap": me is not None and may_swap(request, found, me, at=now),
        "may_take": me is not None and found.retired_at is None and may_take(request, found, me),
    }
    return render(request, "directory/oncall/schedule.html", context)


def first_day(text: str, now: datetime) -> date:
    """Return the day from which the picture begins: the one asked for, else Monday of this week."""
    today = timezone.localtime(now).date()
    monday = today - timedelta(days=today.weekday())
    try:
        wanted = parse_date(text) or monday
    except ValueError:
        return monday
    return wanted if abs((wanted - today).days) <= 3660 else monday


@acting_page("directory.add_schedule")
def add_schedule(request: SignedIn) -> HttpResponse:
    """Make a schedule for a team; its layers come next."""
    sent = request.method == "POST"
    initial = {"team": request.GET.get("team", ""), "name": "Primary", "time_zone": request.user.time_zone}
    form = ScheduleForm(request.POST if sent else None, user=request.user, initial=initial)
    made: list[Schedule] = []

    def act() -> None:
        given = form.cleaned_data
        made.append(
            schedules.add_schedule(
                given["team"],
                name=given["name"],
                time_zone=given["time_zone"],
                by=request.user,
                at=clock.now(),
                reason=given["reason"],
            )
        )

    if sent and done(form, act):
        messages.success(request, f"{made[0].title} is made. Say next who takes turns.")
        return redirect("directory:add-layer", pk=made[0].pk)
    return form_page(request, form, "Make a schedule", "Make schedule", icon="calendar")


@acting_page(CHANGES)
def add_layer(request: SignedIn, pk: int) -> HttpResponse:
    """Add a layer to a schedule."""
    found, now, sent = schedule_for(request, pk), clock.now(), request.method == "POST"
    form = LayerForm(
        request.POST if sent else None, team=found.team, user=request.user, initial=layer_initial(None, found, now)
    )

    def act() -> None:
        starts = form.cleaned_data["starts"] or now
        reason = form.cleaned_data["reason"]
        schedules.add_layer(found, form.rota(), starts=starts, by=request.user, at=now, reason=reason)

    if sent and done(form, act):
        messages.success(request, f"The layer “{form.cleaned_data['name']}” is part of {found.title}.")
        return redirect("directory:schedule", pk=found.pk)
    return form_page(request, form, f"Add a layer to {found.title}", "Add layer", icon="plus", schedule=found)


@acting_page(CHANGES)
def change_layer(request: SignedIn, pk: int) -> HttpResponse:
    """Let a layer stand otherwise from a moment on."""
    layer, now, sent = _layer(request, pk), clock.now(), request.method == "POST"
    found = layer.schedule
    form = LayerForm(
        request.POST if sent else None, team=found.team, user=request.user, initial=layer_initial(layer, found, now)
    )

    def act() -> None:
        starts = form.cleaned_data["starts"] or now
        reason = form.cleaned_data["reason"]
        schedules.change_layer(layer, form.rota(), starts=starts, by=request.user, at=now, reason=reason)

    if sent and done(form, act):
        messages.success(request, f"“{form.cleaned_data['name']}” has changed. What was before stays readable.")
        return redirect("directory:schedule", pk=found.pk)
    return form_page(request, form, f"Change “{layer.name}”", "Change layer", icon="pencil", schedule=found)


@acting_page(CHANGES)
def end_layer(request: SignedIn, pk: int) -> HttpResponse:
    """Let a layer count no longer."""
    layer, now, sent = _layer(request, pk), clock.now(), request.method == "POST"
    form = EndLayerForm(request.POST if sent else None)

    def act() -> None:
        until = form.cleaned_data["until"] or now
        schedules.end_layer(layer, until=until, by=request.user, at=now, reason=form.cleaned_data["reason"])

    if sent and done(form, act):
        messages.success(request, f"“{layer.name}” ends. What it was stays readable.")
        return redirect("directory:schedule", pk=layer.schedule_id)
    title = f"End “{layer.name}”"
    return form_page(request, form, title, "End layer", icon="circle-stop", danger=True, schedule=layer.schedule)


@acting_page(CHANGES)
def retire(request: SignedIn, pk: int) -> HttpResponse:
    """End a schedule with all of its layers."""
    found, sent = schedule_for(request, pk), request.method == "POST"
    form = ReasonForm(request.POST if sent else None)

    def act() -> None:
        schedules.retire(found, by=request.user, at=clock.now(), reason=form.cleaned_data["change_reason"])

    if sent and done(form, act):
        messages.success(request, f"{found.title} is retired. Who was on call by it stays readable.")
        return redirect("directory:schedule", pk=found.pk)
    return form_page(
        request, form, f"Retire {found.title}", "Retire schedule", icon="archive", danger=True, schedule=found
    )


@acting_page(READS)
def take_over(request: SignedIn, pk: int) -> HttpResponse:
    """Let the reader stand in for a time, from now on where they say nothing else."""
    found, now, sent, me = schedule_for(request, pk), clock.now(), request.method == "POST", own_contact(request)
    if me is None or not may_take(request, found, me):
        raise PermissionDenied("Members of the team stand in here. Ask a manager to put you on call.")
    initial = {"starts": moment_of(request.GET.get("starts"), now), "until": moment_of(request.GET.get("until"), now)}
    form = TakeOverForm(request.POST if sent else None, initial=initial)

    def act() -> None:
        given = form.cleaned_data
        # Only the past is refused: a moment that has begun by now is meant as now.
        starts = max(given["starts"] or now, now)
        swaps.take_over(found, me, starts=starts, until=given["until"], by=request.user, at=now, reason=given["reason"])

    if sent and done(form, act):
        until = form.cleaned_data["until"]
        messages.success(
            request, f"You are on call for {found.team} until {times.day(until, now)}, {times.clock(until)}."
        )
        return redirect("directory:schedule", pk=found.pk)
    return form_page(request, form, f"Take over for {found.team}", "Take over", icon="phone-call", schedule=found)


def _layer(request: SignedIn, pk: int) -> Layer:
    rows = Layer.objects.visible_to(request.user).select_related("schedule__team")
    return get_object_or_404(rows, pk=pk)
