"""The verbs of a change, each a small form that works without script. A second submit changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from changes import conflicts, services
from changes.acts import ACTS, Act
from changes.forms.acting import ActForm
from changes.models import Change
from changes.policy import NotYours, Refused
from changes.selectors.room import change_for, look_of
from changes.selectors.undoing import undoing_of
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records import services as records

FOLLOWING = frozenset({"assess", "ask", "schedule", "start"})
"""Verbs that look at the approval first; what they find of it is kept although they are refused."""

UNDOING = frozenset({"start", "rollback"})
"""Verbs whose forms say how long the way back takes, against what is left for it."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb, or carry it out. What does not fit is refused with its sentence.

    403 is for whoever has no part in the verb, 422 for what does not fit now.
    """
    change = change_for(request.user, reference)
    chosen = ACTS.get(verb)
    if chosen is None:
        raise Http404(f"There is no verb {verb}.")
    if not request.user.has_perm("changes.change_change"):
        raise PermissionDenied
    at = clock.database_now()
    if request.method != "POST":
        return _page(request, chosen, change, _form(chosen, change, request, at=at), at=at)
    form, status = _form(chosen, change, request, at=at, data=request.POST), 422
    if form.is_valid():
        try:
            return _carry_out(request, chosen, change, form, at=at)
        except NotYours as refused:
            form.add_error(None, str(refused))
            status = 403
        except Refused as refused:
            form.add_error(None, str(refused))
        if chosen.slug in FOLLOWING:
            services.follow(change, at=at)
    return _page(request, chosen, change, form, at=at, status=status)


def _carry_out(request: SignedIn, chosen: Act, change: Change, form: ActForm, *, at: datetime) -> HttpResponse:
    once: uuid.UUID = form.cleaned_data["once"]
    with transaction.atomic(), acting(by=request.user, once=once) as context:
        # Under the change's lock: of two submits of one form, the second finds what the first has written.
        Change.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if not records.timeline(change).filter(gesture=context.gesture).exists():
            chosen.service(change, by=request.user, at=at, **form.words())
    messages.success(request, f"{change.reference}: {chosen.said}")
    return redirect(change)


def _form(chosen: Act, change: Change, request: SignedIn, *, at: datetime, data: Any = None) -> ActForm:
    options: dict[str, Any] = {
        "change": change,
        "at": at,
        "user": request.user,
        "initial": _initial(chosen, change, request),
    }
    if chosen.slug == "override":
        options["conflicts"] = conflicts.of_change(change)
    return chosen.form(data, **options)


def _initial(chosen: Act, change: Change, request: SignedIn) -> dict[str, Any]:
    """Return what the form of a verb shows at first."""
    asked = request.GET
    start: dict[str, Callable[[], dict[str, Any]]] = {
        "assess": lambda: {"impact": change.impact, "likelihood": change.likelihood},
        "gate": lambda: {"gate": _number(asked.get("gate", "")), "result": "passed"},
        "override": lambda: {"freeze": _number(asked.get("freeze", ""))},
        "link": lambda: {"other": asked.get("other", "")[:20], "kind": asked.get("kind", "fixes")},
        "unlink": lambda: {"other": asked.get("other", "")[:20], "kind": asked.get("kind", "")[:40]},
        "review": lambda: {"review": change.review},
        "close": lambda: {"outcome": "rolled_back" if change.rolled_back_at else None, "review": change.review},
    }
    return start[chosen.slug]() if chosen.slug in start else {}


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdigit() and len(words) < 19 else None


def _page(
    request: SignedIn, chosen: Act, change: Change, form: ActForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    record_opening(change, f"in the form to {chosen.slug}")
    context = {"now": at, "act": chosen, "change": change, "look": look_of(change), "form": form}
    if chosen.slug in UNDOING:
        context["undoing"] = undoing_of(change, user=request.user, at=at)
    return render(request, "changes/act.html", context, status=status)
