"""A team's board, and ticking many steps at once."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.runbooks.checklists import services
from portal.runbooks.checklists.selectors.board import Filters, board_of
from portal.runbooks.models import RunStep

MOST = 200


@require_safe
@never_cache
@login_required
@permission_required("runbooks.view_runstep", raise_exception=True)
def board(request: SignedIn) -> HttpResponse:
    """Show the open steps of the reader's teams across all runs, oldest first."""
    filters = Filters.of(request.GET)
    context = {
        "now": clock.now(),
        "filters": filters,
        "board": board_of(request.user, filters),
        "may_act": request.user.has_perm("runbooks.change_runstep"),
    }
    return render(request, "checklists/board.html", context)


@require_POST
@login_required
@permission_required("runbooks.change_runstep", raise_exception=True)
def tick_many(request: SignedIn) -> HttpResponse:
    """Tick the steps that were chosen on the board; what was taken meanwhile is told, one by one."""
    named = request.POST.getlist("step") or request.POST.getlist("steps")
    keys = [int(key) for key in named if key.isascii() and key.isdigit() and len(key) <= 18][:MOST]
    steps = list(RunStep.objects.visible_to(request.user).filter(pk__in=keys))
    outcome = services.tick_all(steps, by=request.user, at=clock.now())
    tell(request, outcome)
    return redirect(Filters.of(request.GET).address(page=Filters.of(request.GET).page))


def tell(request: SignedIn, outcome: services.Outcome) -> None:
    """Say what came of ticking."""
    if outcome.done:
        number = len(outcome.done)
        words = f"step {outcome.done[0].position}" if number == 1 else f"{number} steps"
        messages.success(request, f"Ticked {words}.")
    for _, sentence in outcome.refused:
        messages.warning(request, sentence)
    if not outcome.done and not outcome.refused:
        messages.warning(request, "Choose the steps first: nothing was ticked.")
