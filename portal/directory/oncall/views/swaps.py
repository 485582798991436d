"""Pages of swaps, and one's own turns: ask, read, answer."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.accounts.requests import SignedIn
from portal.directory import services
from portal.directory.models import CalendarFeed, Contact, Swap, Team
from portal.directory.oncall import pages, swaps
from portal.directory.oncall.forms import SwapForm
from portal.directory.oncall.views import feeding
from portal.directory.oncall.views.common import (
    READS,
    acting_page,
    done,
    form_page,
    may_swap,
    moment_of,
    own_contact,
    reading,
    reads_only,
    schedule_for,
)
from portal.lib import clock

VERBS = {"accept": swaps.accept, "decline": swaps.decline, "withdraw": swaps.withdraw}


@reading
def mine(request: SignedIn) -> HttpResponse:
    """Show the reader's own turns, the swaps that wait for them, and the addresses of their calendars."""
    now, me = clock.now(), own_contact(request)
    teams = Team.objects.visible_to(request.user).filter(active=True).order_by("name")
    feeds = CalendarFeed.objects.filter(owner=me, revoked_at=None).select_related("team", "system") if me else []
    context = {
        "now": now,
        "me": me,
        "turns": pages.my_turns(me, list(teams), request.user, at=now) if me else [],
        "swaps": pages.my_swaps(me, request.user, at=now) if me else [],
        "reachable": bool(me and services.sending_methods([me.pk])),
        "feeds": feeds,
        "may_feed": feeding.may_make(request.user),
        "teams": teams,
        "reads_only": reads_only(request),
    }
    return render(request, "directory/oncall/mine.html", context)


@acting_page(READS)
def ask_swap(request: SignedIn, pk: int) -> HttpResponse:
    """Ask somebody to take over what the reader holds of a schedule."""
    found, now, sent, me = schedule_for(request, pk), clock.now(), request.method == "POST", own_contact(request)
    if me is None:
        raise PermissionDenied("Only whoever is in the directory asks for a swap.")
    if not may_swap(request, found, me, at=now):
        raise PermissionDenied("Only whoever takes turns here asks for a swap.")
    initial = {name: moment_of(request.GET.get(name), now) for name in ("starts", "until")}
    form = SwapForm(request.POST if sent else None, schedule=found, asker=me, user=request.user, initial=initial)
    made: list[Swap] = []

    def act() -> None:
        given = form.cleaned_data
        span = (max(given["starts"], now), given["until"])
        asked = swaps.ask(
            found, me, given["taker"], span=span, back=form.back(), by=request.user, at=now, reason=given["reason"]
        )
        made.append(asked)

    if sent and done(form, act):
        messages.success(request, f"{made[0].taker} is asked. Until they accept, you stay on call.")
        return redirect("directory:swap", pk=made[0].pk)
    return form_page(
        request, form, f"Ask for a swap in {found.title}", "Ask for swap", icon="handshake", schedule=found
    )


@reading
def swap(request: SignedIn, pk: int) -> HttpResponse:
    """Show one request with what the reader may answer."""
    now, found = clock.now(), _swap(request, pk)
    return render(
        request,
        "directory/oncall/swap.html",
        {"now": now, "swap": found, "verbs": allowed(request, found), "open": found.is_open(now)},
    )


@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def answer_swap(request: SignedIn, pk: int, verb: str) -> HttpResponse:
    """Accept, decline or withdraw a request."""
    now, found = clock.now(), _swap(request, pk)
    if verb not in allowed(request, found):
        raise PermissionDenied("Only the person who is asked answers, and only the person who asked withdraws.")
    try:
        settled = VERBS[verb](found, by=request.user, at=now)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, f"The swap is {settled.get_state_display().lower()}.")
    return redirect("directory:swap", pk=found.pk)


def allowed(request: SignedIn, found: Swap) -> list[str]:
    """Return what this reader may do with the request: each of the two people their part, a manager take it back."""
    me: Contact | None = own_contact(request)
    if reads_only(request):
        return []
    if me is not None and me.pk == found.taker_id:
        return ["accept", "decline"]
    if (me is not None and me.pk == found.asker_id) or request.user.has_perm("directory.change_schedule"):
        return ["withdraw"]
    return []


def _swap(request: SignedIn, pk: int) -> Swap:
    rows = Swap.objects.visible_to(request.user).select_related("asker", "taker", "schedule__team")
    return get_object_or_404(rows, pk=pk)
