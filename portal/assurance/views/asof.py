"""The record as of a moment: one object, all objects of a kind, and who held which role."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.accounts.requests import SignedIn
from portal.accounts.roles import ROLES
from portal.assurance.selectors.asof import kinds_for, model_for, moment_of, object_then, register_then
from portal.assurance.selectors.asof_roles import SUPERUSER, holdings
from portal.assurance.selectors.asof_values import address, register_address
from portal.assurance.selectors.retention import removed_from
from portal.assurance.selectors.trail_filters import Filters, Place
from portal.assurance.selectors.trail_naming import kind_of, kinds_of, story_address
from portal.audit.models import TrailRow
from portal.audit.trail import plain, record_openings
from portal.lib import clock
from portal.lib.visibility import reads_all

READING = "audit.view_trailrow"
LONGEST_SEARCH = 100
PER_PAGE = 50
RULES = "approvals.rulestage"


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def as_of(request: SignedIn) -> HttpResponse:
    """Ask for a moment and a kind of objects, and lead to what stood then."""
    now = clock.now()
    at, problem = _moment(request, now)
    label = request.GET.get("model", "")
    kinds = kinds_for(request.user)
    if label and not problem and any(kind.label == label for kind in kinds):
        return redirect(register_address(label, at))
    if label and not problem:
        problem = "Choose a kind of objects from the list."
    context = {"now": now, "at": at, "kinds": kinds, "problem": problem, "chosen": label}
    return render(request, "assurance/asof.html", context, status=422 if problem else 200)


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def register(request: SignedIn, model: str) -> HttpResponse:
    """List the objects of a kind as they stood at a moment."""
    now = clock.now()
    found = _model(request, model)
    at, problem = _moment(request, now)
    words = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH]
    seen = TrailRow.objects.visible_to(request.user)
    place = Filters.of(request.GET).before
    listed = register_then(seen, found, at=at, now=now, words=words, place=place)
    record_openings([one.row for one in listed.rows], "in a register as of a moment")
    context = {
        "now": now,
        "at": at,
        "problem": problem,
        "kind": kind_of(model),
        "kinds": kinds_of(model),
        "model": model,
        "register": listed,
        "words": words,
        "first": place is None,
        "partly": not reads_all(request.user, TrailRow),
        "here": register_address(model, at),
        "moment": plain(at),
        "keep": [("q", words)] if words else [],
        "next": _next(request, listed.older, at),
    }
    return render(request, "assurance/register.html", context, status=422 if problem else 200)


def _next(request: HttpRequest, place: Place | None, at: datetime) -> str:
    """Return the address of what was made before a place."""
    query = request.GET.copy()
    query["at"] = plain(at)
    query["before"] = str(place or "")
    return f"?{query.urlencode()}"


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def object_as_of(request: SignedIn, model: str, object_id: str) -> HttpResponse:
    """Show one object as it stood at a moment: every field, or that it did not exist."""
    now = clock.now()
    found = _model(request, model)
    at, problem = _moment(request, now)
    then = object_then(TrailRow.objects.visible_to(request.user), found, object_id, at=at)
    if then is None:
        raise Http404("The record holds no such object, or none that you may see.")
    record_openings([row for row in (then.row, then.first, then.next) if row], "as of a moment")
    context = {
        "now": now,
        "at": at,
        "problem": problem,
        "then": then,
        "removed": next(iter(removed_from([then.row] if then.row else []).values()), None),
        "model": model,
        "kinds": kinds_of(model),
        "story": story_address(model, object_id),
        "register": register_address(model, at),
        "before": address(model, object_id, then.row.at - timedelta(microseconds=1)) if then.row else "",
        "after": address(model, object_id, then.next.at) if then.next else "",
    }
    return render(request, "assurance/asof_object.html", context, status=422 if problem else 200)


def _model(request: SignedIn, label: str) -> Any:
    found = model_for(request.user, label)
    if found is None:
        raise Http404("There is no such kind of object, or none that you may see.")
    return found


def _moment(request: HttpRequest, now: datetime) -> tuple[datetime, str]:
    """Return the moment of the address, now when it names none; and what is wrong with it."""
    text = request.GET.get("at", "").strip()
    if not text:
        return now, ""
    try:
        return moment_of(text), ""
    except ValidationError as problem:
        return now, problem.messages[0]


@require_safe
@never_cache
@login_required
@permission_required((READING, "accounts.view_user"), raise_exception=True)
def roles(request: SignedIn) -> HttpResponse:
    """Show who held which role at a moment, or over a period, and how they came to it."""
    now = clock.now()
    period = Filters.of(request.GET)
    at, problem = _moment(request, now)
    starts, ends = _span(period, at, now)
    role, words = request.GET.get("role", "")[:80], request.GET.get("q", "").replace("\x00", "")[:LONGEST_SEARCH]
    names = [*(found.name for found in ROLES), SUPERUSER]
    seen = TrailRow.objects.visible_to(request.user)
    held = holdings(seen, starts=starts, ends=ends, role=role, words=words)
    over = period.starts is not None or period.ends is not None
    context = {
        "now": now,
        "at": at,
        "over": over,
        "starts": starts,
        "last_day": ends - timedelta(microseconds=1) if period.ends else ends,
        "problem": period.odd if over else problem,
        "page": Paginator(held, PER_PAGE).get_page(request.GET.get("page")),
        "chips": _role_chips(request, names, role),
        "role": role,
        "words": words,
        "keep": [(name, request.GET[name]) for name in ("role", "q") if request.GET.get(name)],
        "kept": [(name, request.GET[name]) for name in ("at", "from", "to", "role") if request.GET.get(name)],
        "rules": register_address("approvals.rulestage", ends)
        if model_for(request.user, "approvals.rulestage")
        else "",
        "partly": not reads_all(request.user, TrailRow),
    }
    return render(request, "assurance/roles.html", context, status=422 if context["problem"] else 200)


def _span(period: Filters, at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last moment asked for: the same one, unless the address names days."""
    if period.starts is None and period.ends is None:
        return at, at
    zone = timezone.get_current_timezone()
    first = datetime.combine(period.starts, time(), zone) if period.starts else datetime(1971, 1, 1, tzinfo=zone)
    last = datetime.combine(period.ends + timedelta(days=1), time(), zone) if period.ends else now
    return first, max(last, first)


def _role_chips(request: HttpRequest, names: list[str], role: str) -> list[dict[str, Any]]:
    def url(chosen: str) -> str:
        query = request.GET.copy()
        query.pop("page", None)
        query["role"] = chosen
        if not chosen:
            query.pop("role")
        return f"?{query.urlencode()}"

    return [
        {"label": "Any role", "url": url(""), "current": not role},
        *({"label": name, "url": url(name), "current": name == role} for name in names),
    ]
