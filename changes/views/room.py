"""The page of one change, and the same for paper."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from changes.forms.acting import DecideForm
from changes.models import Change
from changes.selectors.record import record_of
from changes.selectors.room import Page, change_for, page_of
from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.actions.selectors import section_of as actions_of
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records.evidence.selectors import section_of
from portal.runbooks.checklists.selectors.progress import section_of as checklists_of


@require_safe
@never_cache
@login_required
def change(request: SignedIn, reference: str) -> HttpResponse:
    """Show everything about one change that whoever decides on it or carries it out needs."""
    return change_page(request, change_for(request.user, reference))


def change_page(request: SignedIn, found: Change, *, form: DecideForm | None = None, status: int = 200) -> HttpResponse:
    """Return the page of a change; with `form`, a decision that was refused stands in it."""
    at = clock.now()
    record_opening(found)
    page = page_of(found, user=request.user, whole=request.GET.get("all") == "1", at=at)
    context: dict[str, Any] = {
        "now": at,
        "change": found,
        "page": page,
        "form": form or decide_form(request, page),
        "confirmed": stepup.confirmed_recently(request),
        "may_act": request.user.has_perm("changes.change_change"),
        "once": uuid.uuid4(),
        "history_url": _history(request, found),
        "checklists": checklists_of(found, request.user),
        "evidence": section_of(found, request.user),
        "actions": actions_of(found, request.user, at=at),
    }
    return render(request, "changes/room.html", context, status=status)


def decide_form(request: SignedIn, page: Page, data: Any = None) -> DecideForm | None:
    """Return the form to decide, bound to the digest that the page shows; nothing while no stage is open."""
    approval = page.approval
    if approval is None or page.request is None or approval.deciding is None:
        return None
    bound = {"digest": page.request.digest, "stage": approval.deciding.pk}
    return DecideForm(data, user=request.user, at=clock.now(), moved=len(page.moved.differences), initial=bound)


def _history(request: SignedIn, found: Change) -> str:
    """Return the address of the full history for those who may see it."""
    if not (request.user.is_staff and request.user.has_perm("changes.view_change")):
        return ""
    try:
        return reverse("admin:changes_change_history", args=[found.pk])
    except NoReverseMatch:
        return ""


@require_safe
@never_cache
@login_required
def record(request: SignedIn, reference: str) -> HttpResponse:
    """Show the record of one change as an auditor wants it on paper."""
    at = clock.now()
    found = change_for(request.user, reference)
    record_opening(found, "as a record")
    context = {"now": at, "change": found, "record": record_of(found, user=request.user, at=at)}
    return render(request, "changes/record.html", context)
