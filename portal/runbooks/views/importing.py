"""Taking a file in by the page: what was understood is shown first, and kept only by a second press."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.runbooks import services
from portal.runbooks.forms import ConfirmForm, UploadForm
from portal.runbooks.markdown.repairing import decoded
from portal.runbooks.policy import Refused
from portal.runbooks.selectors.importing import preview_of

READ_WRITE = require_http_methods(["GET", "HEAD", "POST"])


@READ_WRITE
@login_required
@permission_required(["runbooks.add_runbook", "runbooks.add_runbookversion"], raise_exception=True)
def take_in(request: SignedIn) -> HttpResponse:
    """Show the form of an upload; of a file that was sent, what was understood; and keep what was confirmed."""
    if request.method == "POST" and "text" in request.POST:
        return _keep(request)
    sent = request.method == "POST"
    form = UploadForm(request.POST if sent else None, request.FILES if sent else None, user=request.user)
    if sent and form.is_valid():
        file = form.cleaned_data["file"]
        return _preview(request, file.name, file.read(), form.cleaned_data["system"])
    return render(request, "runbooks/import.html", {"now": clock.now(), "form": form}, status=422 if sent else 200)


def _preview(request: SignedIn, name: str, data: bytes, system: object, refused: str = "") -> HttpResponse:
    taken = services.judge(name, data, system=system)  # type: ignore[arg-type]
    text = decoded(data)
    form = ConfirmForm(initial={"name": name, "text": text, "system": system}, user=request.user)
    context = {"now": clock.now(), "preview": preview_of(taken), "taken": taken, "form": form, "refused": refused}
    return render(request, "runbooks/preview.html", context, status=422 if refused else 200)


def _keep(request: SignedIn) -> HttpResponse:
    form = ConfirmForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, "Choose the file again.")
        return redirect("runbooks:import")
    given, at = form.cleaned_data, clock.database_now()
    data = given["text"].encode()
    try:
        taken = services.take_in(
            given["name"], data, system=given["system"], with_checklists=given.get("checklists", False),
            by=request.user, at=at,
        )  # fmt: skip
    except Refused as refused:
        return _preview(request, given["name"], data, given["system"], str(refused))
    if taken.runbook is None or taken.version is None:
        return redirect("runbooks:list")
    if taken.verdict is services.Verdict.SAME:
        messages.info(request, f"{taken.runbook.reference} says the same already. Nothing was changed.")
    else:
        messages.success(request, f"{taken.runbook.reference}: version {taken.version.number} is kept as a draft.")
    return redirect(taken.version)
