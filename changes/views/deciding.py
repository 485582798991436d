"""Deciding on a change on its own page: bound to the digest that was read, once, after proving who is there."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from changes import services
from changes.forms.acting import AGAIN, DecideForm
from changes.models import Change
from changes.policy import Refused
from changes.selectors.room import Page, change_for, page_of
from changes.views.room import change_page, decide_form
from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.approvals import services as approvals
from portal.approvals.policy import NO_REASON
from portal.approvals.selectors.room import never_decides
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.blank import is_blank

SAID = {"approve": "Your approval is recorded.", "reject": "Your rejection is recorded. It ends the request."}
NOBODY_ASKED = "No stage decides on it now. Open the page again and see how it stands."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def decide(request: SignedIn, reference: str) -> HttpResponse:
    """Record the decision of the reader; what does not fit is refused with its sentence, and nothing is written.

    403 is for whoever decides at none of its stages, 422 for what does not fit now.
    """
    change = change_for(request.user, reference)
    if request.method != "POST":
        return redirect(change)
    at = clock.database_now()
    page = page_of(change, user=request.user, whole=False, at=at)
    form = decide_form(request, page, request.POST)
    if _has_no_part(request, page):
        return change_page(request, change, status=403)
    if form is None:
        return _without_stage(request, change)
    answer = _answered(request, change, page, form, at=at)
    return answer or change_page(request, change_for(request.user, reference), form=form, status=422)


def _has_no_part(request: SignedIn, page: Page) -> bool:
    """Tell whether the reader decides at none of its stages; before anybody was asked, whether they only read."""
    if page.request is None:
        return not request.user.has_perm("changes.change_change")
    return never_decides(page.request, request.user)


def _answered(request: SignedIn, change: Change, page: Page, form: DecideForm, *, at: datetime) -> HttpResponse | None:
    """Return where the decision leads; nothing when it was refused, with the sentence in the form."""
    if form.is_valid() and approvals.done(form.cleaned_data["once"], request.user):
        return redirect(change)
    if not _may_decide(page, form):
        return None
    if not stepup.confirmed_recently(request):
        return stepup.ask(request, f"{form.cleaned_data['verdict'].capitalize()} {change.reference}, {change.title}")
    return redirect(change) if _decided(request, change, form, at=at) else None


def _without_stage(request: SignedIn, change: Change) -> HttpResponse:
    """Answer a form whose stage has been decided meanwhile: the sentence stands above the page as it is now."""
    messages.error(request, f"{change.reference}: {NOBODY_ASKED}")
    return change_page(request, change, status=422)


def _may_decide(page: Page, form: DecideForm) -> bool:
    """Tell whether the reader may decide so, before they prove who they are; if not, the form says why."""
    if not form.is_valid():
        if not form.errors.keys() & {"seen", "reason"}:
            form.add_error(None, AGAIN)
        return False
    refusal = _refusal(page, form)
    if refusal:
        form.add_error(None, refusal)
    return not refusal


def _refusal(page: Page, form: DecideForm) -> str:
    approval = page.approval
    if approval is None or approval.deciding is None:
        return NOBODY_ASKED
    if approval.deciding.pk != form.cleaned_data["stage"]:
        return AGAIN
    if approval.refusal:
        return approval.refusal
    if form.cleaned_data["verdict"] == "reject" and is_blank(form.cleaned_data["reason"]):
        return NO_REASON.replace("deny", "reject")
    return ""


def _decided(request: SignedIn, change: Change, form: DecideForm, *, at: datetime) -> bool:
    """Tell whether the decision was recorded; when it was refused, its sentence stands in the form."""
    given = form.cleaned_data
    verb = services.approve if given["verdict"] == "approve" else services.reject
    try:
        with acting(by=request.user, once=given["once"]):
            verb(
                change, digest=given["digest"], confirmed=stepup.confirmed_recently(request), by=request.user, at=at,
                reason=given["reason"],
            )  # fmt: skip
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, f"{change.reference}: {SAID[given['verdict']]}")
    return True
