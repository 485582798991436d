"""The pages of action items: the list, one item, opening one, and its verbs, each a small form."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.actions import services
from portal.actions.acts import ACTS, offers
from portal.actions.forms import OpenForm
from portal.actions.looks import MARKS, look_of
from portal.actions.models import ActionItem
from portal.actions.policy import Refused
from portal.actions.selectors import Asked, item_for, list_of, person_of, rows_of, usual
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records import linking
from portal.records.evidence.selectors import section_of
from portal.records.lines import marked, timeline_of
from portal.records.making import making
from portal.records.models import Note

LOOK = marked(MARKS)
QUOTED = frozenset({"done"})  # what somebody did


@require_safe
@login_required
@permission_required("actions.view_actionitem", raise_exception=True)
def listing(request: SignedIn) -> HttpResponse:
    """Show what is to be done: overdue first, then by day."""
    at = clock.now()
    person = person_of(request.user)
    asked = Asked.of(request.GET, usual=usual(request.user, person))
    context = {
        "now": at,
        "asked": asked,
        "list": list_of(request.user, asked, person, at=at),
        "may_open": request.user.has_perm("actions.add_actionitem"),
        "previous": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "following": asked.address(page=asked.page + 1),
        "orphaned_url": asked.address(when="orphaned"),
    }
    return render(request, "actions/list.html", context)


@require_safe
@never_cache
@login_required
def item(request: SignedIn, reference: str) -> HttpResponse:
    """Show one item: what is to be done, because of what, and what became of it."""
    at = clock.now()
    found = item_for(request.user, reference)
    record_opening(found)
    may_act = request.user.has_perm("actions.change_actionitem")
    context = {
        "now": at,
        "item": found,
        "row": rows_of([found], request.user, at=at)[0],
        "look": look_of(found, at=at),
        "offers": offers(found) if may_act else [],
        "timeline": timeline_of(found, look=LOOK, quoted=QUOTED, whole=request.GET.get("all") == "1", at=at),
        "evidence": section_of(found, request.user),
    }
    return render(request, "actions/item.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("actions.add_actionitem", raise_exception=True)
def open_item(request: SignedIn) -> HttpResponse:
    """Show the form of a new item, or open it. `about` is the reference of the record that it comes from."""
    at = clock.database_now()
    about = request.GET.get("about", "")[:20]
    source = linking.by_reference(about, user=request.user) if about else None
    if about and source is None:
        raise Http404(f"No record {about} can be seen.")
    form = OpenForm(request.POST or None, at=at, user=request.user, initial={"once": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            with making(request.user, once=form.cleaned_data["once"], kinds=["opened"]) as key:
                made = ActionItem.objects.visible_to(request.user).filter(pk=key).first() if key else None
                if made is None:
                    made = services.open_item(by=request.user, at=at, source=source, **form.words())
                    messages.success(request, f"{made.reference} is opened for {made.owner}.")
            return redirect(made)
        except Refused as refused:
            form.add_error(None, str(refused))
    status = 422 if request.method == "POST" else 200
    return render(request, "actions/open.html", {"now": at, "form": form, "source": source}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("actions.change_actionitem", raise_exception=True)
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb, or carry it out."""
    found, chosen = item_for(request.user, reference), ACTS.get(verb)
    if chosen is None:
        raise Http404("There is no such verb.")
    at = clock.database_now()
    options: dict[str, Any] = {"item": found, "at": at, "user": request.user}
    form = chosen.form(request.POST or None, **options)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                with transaction.atomic(), acting(by=request.user, once=form.cleaned_data["once"]) as context:
                    # Under the lock: of two submits of one form, the second finds what the first has written.
                    ActionItem.objects.select_for_update(of=("self",)).get(pk=found.pk)
                    if not Note.objects.filter(gesture=context.gesture).exists():
                        chosen.service(found, by=request.user, at=at, **form.words())
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"{found.reference}: {chosen.said}")
                return redirect(found)
    return render(request, "actions/act.html", {"now": at, "act": chosen, "item": found, "form": form}, status=status)
