"""The release checklist of a change, to be ticked: with script cell by cell, without it the same form page by page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from changes import services
from changes.enums import CellState
from changes.forms.releasing import CarryForm, CellForm, RowForm
from changes.models import Cell, Change, Module, ReleaseCheck
from changes.policy import Refused
from changes.selectors.matrix import carry_over_of, face_for, matrix_of
from changes.selectors.room import change_for
from changes.services.releasing import Answer
from portal.accounts.requests import SignedIn
from portal.lib import clock

DONE = Answer(CellState.DONE)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@vary_on_headers("HX-Request")
def matrix(request: SignedIn, reference: str) -> HttpResponse:
    """Show the release checklist; a POST ticks one cell (`done`) or the open ones of one module (`row`)."""
    if request.method == "POST":
        return _tick(request, reference)
    change = change_for(request.user, reference)
    return _matrix_page(request, change)


def _matrix_page(request: SignedIn, change: Change, *, refusal: str = "", status: int = 200) -> HttpResponse:
    context = {
        "now": clock.now(),
        "change": change,
        "matrix": matrix_of(change, user=request.user),
        "carry": carry_over_of(change, user=request.user),
        "may_act": request.user.has_perm("changes.change_change"),
        "refusal": refusal,
    }
    return render(request, "changes/matrix.html", context, status=status)


def _tick(request: SignedIn, reference: str) -> HttpResponse:
    change = _acting_on(request, reference)
    asked, row = request.POST.get("done", ""), request.POST.get("row", "")
    cells = Cell.objects.visible_to(request.user).filter(change=change).select_related("module", "check_of")
    module_id, _, check_id = (asked or row).partition(":")
    cells = cells.filter(module_id=_number(module_id))
    cells = cells.filter(check_of_id=_number(check_id)) if asked else cells.filter(check_of__opens_review=False)
    found = list(cells)
    if not found:
        raise Http404("There is no such cell.")
    waiting = [cell for cell in found if cell.state == CellState.OPEN and not cell.check_of.opens_review]
    refusal = _answer(request, change, found[0].module, {cell.check_of: DONE for cell in waiting})
    if request.headers.get("HX-Request") == "true":
        return _cells(request, change, found[0].module, [cell.pk for cell in found], refusal=refusal)
    if refusal:
        return _matrix_page(request, change, refusal=refusal, status=422)
    return redirect(f"{change.get_absolute_url()}matrix/#m{found[0].module_id}")


def _answer(request: SignedIn, change: Change, module: Module, said: dict[ReleaseCheck, Answer]) -> str:
    """Answer the cells of one module in one gesture; return the sentence when that is refused."""
    if not said:
        return ""
    try:
        services.answer_row(change, module, said, by=request.user, at=clock.database_now())
    except Refused as refused:
        return str(refused)
    return ""


def _cells(request: SignedIn, change: Change, module: Module, keys: list[int], *, refusal: str) -> HttpResponse:
    """Give the cells that were ticked, and how many are open, for htmx to put in place."""
    rows = Cell.objects.visible_to(request.user).filter(pk__in=keys).select_related("check_of")
    mine = Cell.objects.visible_to(request.user).filter(change=change, check_of__active=True)
    mine = mine.filter(module__in=change.modules.all())
    context = {
        "change": change,
        "faces": [face_for(cell, cell.check_of) for cell in rows],
        "open_count": mine.filter(state=CellState.OPEN).count(),
        "total": mine.count(),
        "module": module,
        "refusal": refusal,
        "swap": True,
    }
    return render(request, "changes/parts/ticked.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def cell(request: SignedIn, reference: str, module: str, check: str) -> HttpResponse:
    """Answer one cell: done with what shows it, not needed because of something, or a question with its yes and no."""
    change = _acting_on(request, reference)
    rows = Cell.objects.visible_to(request.user).filter(change=change, module__slug=module, check_of__slug=check)
    found = rows.select_related("module__owner", "check_of").first()
    if found is None:
        raise Http404("There is no such cell.")
    form = CellForm(_sent(request), cell=found, check=found.check_of)
    if request.method == "POST" and form.is_valid():
        refusal = _answer(request, change, found.module, {found.check_of: form.answer()})
        if not refusal:
            messages.success(request, f"{found.module}, {found.check_of}: answered.")
            return redirect(f"{change.get_absolute_url()}matrix/#m{found.module_id}")
        form.add_error(None, refusal)
    context = {"now": clock.now(), "change": change, "cell": found, "form": form}
    return render(request, "changes/cell.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def row(request: SignedIn, reference: str, module: str) -> HttpResponse:
    """Answer several open cells of one module at once: all of them or none."""
    change = _acting_on(request, reference)
    found = next((one for one in change.modules.all() if one.slug == module), None)
    if found is None:
        raise Http404("The change does not touch such a module.")
    checks = ReleaseCheck.objects.visible_to(request.user).filter(
        active=True, opens_review=False, cells__change=change, cells__module=found, cells__state=CellState.OPEN
    )
    form = RowForm(_sent(request), checks=checks)
    if request.method == "POST" and form.is_valid():
        refusal = _answer(request, change, found, form.said())
        if not refusal:
            messages.success(request, f"{found}: {len(form.cleaned_data['checks'])} cells are answered.")
            return redirect(f"{change.get_absolute_url()}matrix/#m{found.pk}")
        form.add_error(None, refusal)
    context = {"now": clock.now(), "change": change, "module": found, "form": form, "checks": checks}
    return render(request, "changes/row.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def carry(request: SignedIn, reference: str) -> HttpResponse:
    """Show what the last release said is not needed, module by module, and take over what is chosen."""
    change = _acting_on(request, reference)
    offer = carry_over_of(change, user=request.user)
    keys = [one.module.pk for one in offer.modules] if offer else []
    form = CarryForm(_sent(request), modules=Module.objects.visible_to(request.user).filter(pk__in=keys))
    if request.method == "POST" and form.is_valid():
        chosen = list(form.cleaned_data["modules"])
        try:
            carried = services.carry_over(change, chosen, by=request.user, at=clock.database_now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{len(carried)} answers are carried over. Each says where it is from.")
            return redirect(f"{change.get_absolute_url()}matrix/")
    context = {"now": clock.now(), "change": change, "carry": offer, "form": form}
    return render(request, "changes/carry.html", context, status=422 if form.is_bound else 200)


def _acting_on(request: SignedIn, reference: str) -> Change:
    """Return a change that the reader may act on; PermissionDenied is raised for whoever only reads."""
    change = change_for(request.user, reference)
    if not request.user.has_perm("changes.change_change"):
        raise PermissionDenied
    return change


def _sent(request: SignedIn) -> Any:
    """Return what was posted, also when it is empty; nothing when nothing was."""
    return request.POST if request.method == "POST" else None


def _number(words: Any) -> int:
    return int(words) if words.isascii() and words.isdigit() and len(words) < 19 else 0
