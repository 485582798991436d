"""The pages of exercises: the list, the board on which one is worked, and the proof that prints on two sheets."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from maintenance.exercises.acts import EXERCISE_ACTS, STEP_ACTS, offers_of_exercise
from maintenance.exercises.enums import ExerciseState
from maintenance.exercises.looks import MARKS, VERDICT_LOOKS, look_of
from maintenance.exercises.selectors import board_of, exercise_for, exercises_for, objectives_of, report_of
from maintenance.exercises.views.acting import carry_out
from maintenance.models import ExerciseStep
from portal.accounts.requests import SignedIn
from portal.actions.selectors import section_of as actions_of
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records import linking
from portal.records.evidence.selectors import section_of
from portal.records.lines import marked, timeline_of

LOOK = marked(MARKS)
QUOTED = frozenset({"ended"})  # what was learned
ON_A_PAGE = 50
READS, WORKS = "maintenance.view_exercise", "maintenance.change_exercise"


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def listing(request: SignedIn) -> HttpResponse:
    """Show the exercises: running ones and those that are due first, then by day."""
    at = clock.now()
    rows = exercises_for(request.user)
    standing = rows.filter(state__in=(ExerciseState.RUNNING, ExerciseState.SCHEDULED)).order_by("scheduled_for", "pk")
    over = rows.exclude(pk__in=standing.order_by().values("pk")).order_by("-scheduled_for", "-pk")
    page = Paginator(over, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "now": at,
        "standing": [(one, look_of(one, at=at)) for one in standing.with_estimate()],
        "over": [(one, VERDICT_LOOKS.get(one.verdict) or look_of(one, at=at)) for one in page],
        "page": page,
    }
    return render(request, "maintenance/exercises/list.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def exercise(request: SignedIn, reference: str) -> HttpResponse:
    """Show an exercise: before it what it will do, while it runs the board, after it what it measured."""
    at = clock.now()
    found = exercise_for(request.user, reference)
    record_opening(found)
    may_act = request.user.has_perm(WORKS)
    drill = linking.by_reference(found.drill, user=request.user) if found.drill else None
    ended = found.state == ExerciseState.ENDED
    context = {
        "now": at,
        "exercise": found,
        "plan": found.plan,
        "look": look_of(found, at=at),
        "verdict": VERDICT_LOOKS.get(found.verdict),
        "board": board_of(found, at=at, may_act=may_act),
        "objectives": objectives_of(found) if ended else [],
        "offers": offers_of_exercise(found) if may_act else [],
        "once": uuid.uuid4(),
        "drill": drill,
        "is_left_running": found.is_left_running(at),
        "lead_gone": not found.lead.active,
        "actions": actions_of(found, request.user, at=at),
        "evidence": section_of(found, request.user),
        "timeline": timeline_of(found, look=LOOK, quoted=QUOTED, whole=request.GET.get("all") == "1", at=at),
    }
    return render(request, "maintenance/exercises/board.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def report(request: SignedIn, reference: str) -> HttpResponse:
    """Show the proof of an exercise that has ended, for paper: two sheets."""
    at = clock.now()
    found = exercise_for(request.user, reference)
    if found.state != ExerciseState.ENDED:
        return redirect(found)
    record_opening(found, "as a proof")
    context = {
        "now": at,
        "exercise": found,
        "plan": found.plan,
        "report": report_of(found, at=at),
        "actions": actions_of(found, request.user, at=at),
        "drill": linking.by_reference(found.drill, user=request.user) if found.drill else None,
    }
    return render(request, "maintenance/exercises/report.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(WORKS, raise_exception=True)
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of an exercise, or carry it out."""
    found = exercise_for(request.user, reference)
    return carry_out(request, EXERCISE_ACTS.get(verb), found, found)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(WORKS, raise_exception=True)
def act_on_step(request: SignedIn, reference: str, position: int, verb: str) -> HttpResponse:
    """Show the form of a verb of one step, or carry it out."""
    found = exercise_for(request.user, reference)
    rows = ExerciseStep.objects.visible_to(request.user).select_related("exercise", "owner")
    step = rows.filter(exercise=found, position=position).first()
    if step is None:
        raise Http404("There is no such step.")
    return carry_out(request, STEP_ACTS.get(verb), step, found)
