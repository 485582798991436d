"""Writing runbooks: a new one, and the draft of the next version."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.runbooks import services
from portal.runbooks.enums import VersionState
from portal.runbooks.forms import NewForm, TextForm
from portal.runbooks.markdown.blank import blank
from portal.runbooks.policy import Refused
from portal.runbooks.selectors import reading

READ_WRITE = require_http_methods(["GET", "HEAD", "POST"])


@READ_WRITE
@login_required
@permission_required(["runbooks.add_runbook", "runbooks.add_runbookversion"], raise_exception=True)
def new(request: SignedIn) -> HttpResponse:
    """Make a runbook, with the empty template as its first draft."""
    at, sent = clock.database_now(), request.method == "POST"
    form = NewForm(request.POST if sent else None, user=request.user)
    if sent and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                made = services.make(
                    title=given["title"], system=given["system"], owner=given["owner"], by=request.user, at=at
                )
                services.begin(made, text=blank(given["title"]), by=request.user, at=at, summary="First version")
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{made.reference} is made. Its first version is a draft: write it.")
            return redirect("runbooks:edit", made.reference)
    return render(request, "runbooks/new.html", {"now": at, "form": form}, status=422 if form.errors else 200)


@READ_WRITE
@login_required
@permission_required("runbooks.change_runbookversion", raise_exception=True)
def edit(request: SignedIn, reference: str) -> HttpResponse:
    """Change the draft of a runbook; without one, begin the next version from the one in force."""
    at, sent = clock.database_now(), request.method == "POST"
    runbook = reading.runbook_for(request.user, reference)
    versions = reading.versions_of(request.user, runbook)
    draft = versions.filter(state__in=(VersionState.DRAFT, VersionState.IN_REVIEW)).first()
    if draft is not None and draft.state == VersionState.IN_REVIEW:
        messages.warning(request, f"Version {draft.number} is in review. Take it back before you change it.")
        return redirect("runbooks:version", reference, draft.number)
    base = draft or versions.exclude(state=VersionState.DISCARDED).first()
    if base is not None:
        reading.refuse_while_held(runbook, base)
    initial = {"text": base.text if base else blank(runbook.title), "summary": draft.summary if draft else ""}
    form = TextForm(request.POST if sent else None, initial=initial)
    if sent and form.is_valid():
        given = form.cleaned_data
        try:
            if draft is not None:
                row = services.write(draft, text=given["text"], summary=given["summary"], by=request.user, at=at)
            else:
                row = services.begin(runbook, text=given["text"], summary=given["summary"], by=request.user, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Version {row.number} is kept as a draft.")
            return redirect("runbooks:version", reference, row.number)
    context = {"now": at, "runbook": runbook, "draft": draft, "base": base, "form": form}
    return render(request, "runbooks/edit.html", context, status=422 if form.errors else 200)
