"""The pages of approvals. Each reads the clock once, asks a selector or calls one service, and renders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.approvals import policy, registry, services
from portal.approvals.forms import AGAIN, AskForm, DecideForm, ImplementerForm, WithdrawForm
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import NotYours, Refused
from portal.approvals.registry import Approvable
from portal.approvals.selectors.listing import Filters, lists_of
from portal.approvals.selectors.room import never_decides, refusal_at, request_for, room_of
from portal.approvals.shown import digest, parsed
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.lib.once import OnceForm

VERBS = {"approve": "Approve", "deny": "Deny"}
SAID = {"approve": "Your approval is recorded.", "deny": "Your denial is recorded. It ends the request."}


@require_safe
@never_cache
@login_required
def approval_list(request: SignedIn) -> HttpResponse:
    """Show what waits for the reader, what the reader asked for, and every request that they may see."""
    at = clock.now()
    filters = Filters.of(request.GET)
    context = {"now": at, "filters": filters, "lists": lists_of(request.user, filters, at=at)}
    return render(request, "approvals/list.html", context)


@require_safe
@never_cache
@login_required
def approval_request(request: SignedIn, reference: str) -> HttpResponse:
    """Show one request word for word, its stages, and the form to decide for those who may.

    It says when the record was changed since, and writes nothing: the sweep, a decision or a new request voids it.
    """
    at = clock.database_now()
    found = request_for(request.user, reference)
    return _room(request, found, DecideForm(user=request.user, initial=_bound(found)), at=at)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def decide(request: SignedIn, reference: str) -> HttpResponse:
    """Record the decision of the reader; what does not fit is refused with its sentence, and nothing is written.

    403 is for whoever decides at none of its stages, 422 for what does not fit now.
    """
    at = clock.database_now()
    found = request_for(request.user, reference)
    if request.method != "POST":
        return redirect(found)
    if never_decides(found, request.user):
        return _room(request, found, DecideForm(user=request.user, initial=_bound(found)), at=at, status=403)
    form = DecideForm(request.POST, user=request.user, initial=_bound(found))
    if not form.is_valid():
        form.add_error(None, AGAIN)
    elif services.done(form.cleaned_data["once"], request.user):
        return redirect(found)
    elif refusal := _refused(request, found, form, at=at):
        form.add_error(None, refusal)
    elif not stepup.confirmed_recently(request):
        return stepup.ask(request, f"{VERBS[form.cleaned_data['verdict']]} {found.reference}, {found.title}")
    elif _decided(request, found, form, at=at):
        return redirect(found)
    found.refresh_from_db()
    return _room(request, found, form, at=at, status=422)


def _refused(request: SignedIn, found: ApprovalRequest, form: DecideForm, *, at: datetime) -> str:
    """Return why the reader may not decide so at the stage that the form names, before they prove who they are."""
    stage = found.stages.filter(pk=form.cleaned_data["stage"]).first()
    refusal = refusal_at(found, stage, request.user, at=at) if stage is not None else AGAIN
    if refusal:
        return refusal
    try:
        policy.check_words(form.cleaned_data["verdict"], form.cleaned_data["reason"])
    except Refused as refused:
        return str(refused)
    return ""


def _decided(request: SignedIn, found: ApprovalRequest, form: DecideForm, *, at: datetime) -> bool:
    """Tell whether the decision was recorded; when it was refused, its sentence stands in the form."""
    given: dict[str, Any] = form.cleaned_data
    stage = found.stages.get(pk=given["stage"])
    try:
        with acting(by=request.user, once=given["once"]):
            services.decide(
                found, stage=stage, verdict=given["verdict"], digest=given["digest"], reason=given["reason"],
                confirmed=stepup.confirmed_recently(request), by=request.user, at=at,
            )  # fmt: skip
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, f"{found.reference}: {SAID[given['verdict']]}")
    return True


def _bound(found: ApprovalRequest) -> dict[str, Any]:
    """Return what the form to decide is bound to: the digest that the page shows, and the stage that is open."""
    deciding = found.stages.filter(state="open").first()
    return {"digest": found.digest, "stage": deciding.pk if deciding else ""}


def _room(
    request: SignedIn, found: ApprovalRequest, form: DecideForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    record_opening(found)
    context = {
        "now": at,
        "asked": found,
        "room": room_of(found, request.user, at=at),
        "form": form,
        "confirmed": stepup.confirmed_recently(request),
    }
    return render(request, "approvals/request.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def withdraw(request: SignedIn, reference: str) -> HttpResponse:
    """Let whoever asked take the request back, with a reason."""
    found = request_for(request.user, reference)
    with _denying():
        policy.check_requester(found, services.person_of(request.user))
    form = WithdrawForm(request.POST or None, user=request.user)

    def act(at: datetime) -> ApprovalRequest:
        return services.withdraw(found, by=request.user, at=at, reason=form.cleaned_data["reason"])

    words = {"title": "Withdraw the request", "verb": "Withdraw request", "icon": "undo-2", "danger": True}
    return _act(request, found, form, act, words, said="The request is withdrawn.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def implementer(request: SignedIn, reference: str) -> HttpResponse:
    """Name another implementer, which voids the decisions so far."""
    found = request_for(request.user, reference)
    with _denying():
        services.check_may_name(found, registry.of_kind(found.kind), request.user)
    form = ImplementerForm(request.POST or None, user=request.user, initial={"implementer": found.implementer_id})

    def act(at: datetime) -> ApprovalRequest:
        return services.reassign(found, by=request.user, at=at, **_words(form))

    words = {"title": "Name who carries it out", "verb": "Name implementer", "icon": "user-cog", "danger": False}
    return _act(request, found, form, act, words, said="The implementer is named. Every stage decides anew.")


@contextmanager
def _denying() -> Iterator[None]:
    """Answer 403, with the sentence, to whoever has no part in an act; nothing of its form is shown."""
    try:
        yield
    except NotYours as refused:
        raise PermissionDenied(str(refused)) from refused


def _words(form: OnceForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "once"}


def _act(
    request: SignedIn,
    found: ApprovalRequest,
    form: OnceForm,
    act: Callable[[datetime], ApprovalRequest],
    words: dict[str, Any],
    *,
    said: str,
) -> HttpResponse:
    """Show the form of a verb, or carry it out once. What does not fit is refused with its sentence."""
    at = clock.database_now()
    if request.method == "POST" and form.is_valid():
        try:
            if not services.done(form.cleaned_data["once"], request.user):
                with acting(by=request.user, once=form.cleaned_data["once"]):
                    act(at)
                messages.success(request, f"{found.reference}: {said}")
            return redirect(found)
        except Refused as refused:
            form.add_error(None, str(refused))
    record_opening(found)
    context = {"now": at, "asked": found, "form": form, "act": words}
    return render(request, "approvals/act.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def ask(request: SignedIn, kind: str, pk: int) -> HttpResponse:
    """Show a record as its approvers will see it, and ask them."""
    at = clock.database_now()
    of_kind, subject = _subject(request, kind, pk)
    shown = of_kind.shown(subject)
    if kept_back := of_kind.kept_back(subject, shown):
        raise PermissionDenied(kept_back)
    form = AskForm(request.POST or None, user=request.user, initial={"digest": digest(shown)})
    if request.method == "POST" and form.is_valid():
        try:
            return _asked(request, subject, form, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
    record_opening(subject, "to ask for its approval")
    standing = services.standing(subject)
    context = {
        "now": at, "kind": of_kind, "subject": subject, "facts": parsed(shown), "digest": digest(shown), "form": form,
        "standing": standing, "stages": _stages(of_kind, subject), "record_url": of_kind.url(subject),
    }  # fmt: skip
    return render(request, "approvals/ask.html", context, status=422 if form.is_bound else 200)


def _asked(request: SignedIn, subject: Any, form: AskForm, *, at: datetime) -> HttpResponse:
    if services.done(form.cleaned_data["once"], request.user):
        return redirect("approvals:list")
    with acting(by=request.user, once=form.cleaned_data["once"]):
        made = services.ask(subject, by=request.user, at=at, **_words(form))
    messages.success(request, f"{made.reference} is on its way to whoever decides first.")
    return redirect(made)


def _subject(request: SignedIn, kind: str, pk: int) -> tuple[Approvable, Any]:
    """Return the record that approval is asked for; Http404 for what the reader may not see, else PermissionDenied."""
    found = registry.of_kind(kind)
    if found is None:
        raise Http404("Records of this kind are not approved here.")
    rows = found.model._default_manager.all().visible_to(request.user)  # type: ignore[attr-defined]
    if not rows.filter(pk=pk).exists():
        raise Http404("There is no such record.")
    if not found.may_ask(request.user):
        raise PermissionDenied(policy.NOT_TO_ASK)
    return found, found.read(pk)


def _stages(kind: Approvable, subject: Any) -> list[Any]:
    try:
        return services.rule_of(kind, subject)[1]
    except Refused:
        return []
