"""Starting a checklist, for a record or for none."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.choosing import LONGEST_KEY
from portal.runbooks.checklists import services
from portal.runbooks.checklists.forms import StartForm
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.selectors.finding import marks_of, subject_for
from portal.runbooks.models import Checklist


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("runbooks.add_checklistrun", raise_exception=True)
def start(request: SignedIn, kind: str = "", pk: int = 0) -> HttpResponse:
    """Show which checklists can be started, or start one."""
    at, status = clock.now(), 200
    subject = subject_for(request.user, kind, pk) if kind else None
    asked = Checklist.objects.visible_to(request.user).filter(slug=request.GET.get("checklist", "")).first()
    form = StartForm(request.POST or None, user=request.user, subject=subject, initial=_initial(request, asked))
    if request.method == "POST":
        address = _started(request, form, subject, at) if form.is_valid() else ""
        if address:
            return redirect(address)
        status = 422
    context = {"now": at, "subject": subject, "marks": marks_of(subject), "form": form}
    return render(request, "checklists/start.html", context, status=status)


def _initial(request: SignedIn, asked: Checklist | None) -> dict[str, Any]:
    """Return what is chosen beforehand: ?checklist= by its name in addresses, ?procedure= by its number."""
    procedure = request.GET.get("procedure", "")
    if procedure.isascii() and procedure.isdigit() and len(procedure) <= LONGEST_KEY:
        return {"procedure": int(procedure)}
    return {"checklist": asked} if asked else {}


def _started(request: SignedIn, form: StartForm, subject: Any, at: Any) -> str:
    once, words = form.cleaned_data["once"], form.words()
    if services.done(once, request.user):
        return str(subject.get_absolute_url()) if subject is not None else "/checklists/runs/"
    try:
        with acting(by=request.user, once=once):
            given: dict[str, Any] = {
                "subject": subject,
                "by": request.user,
                "at": at,
                "reason": words["reason"].strip(),
            }
            if words.get("procedure"):
                run = services.start_procedure(words["procedure"], **given)
            else:
                run = services.start(words["checklist"], **given)
    except Refused as refused:
        form.add_error(None, str(refused))
        return ""
    messages.success(request, f"{run.reference} is started. Its steps are on the boards of their teams.")
    return run.get_absolute_url()
