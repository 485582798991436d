"""The verbs of a version and of a runbook, each on a page that asks what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts.requests import SignedIn
from portal.approvals.policy import Refused as NotApproved
from portal.lib import clock
from portal.runbooks import services
from portal.runbooks.forms import ReasonedForm
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.policy import Refused
from portal.runbooks.selectors import reading

READ_WRITE = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Act:
    """A verb as its page shows it: the words of its button, what it does, what it asks."""

    label: str
    about: str
    asks: str
    icon: str
    do: Callable[..., Any]
    done: str
    danger: bool = False


OF_VERSION: Mapping[str, Act] = MappingProxyType(
    {
        "submit": Act(
            "Send to review",
            "A second person reads it as it stands and approves or denies it. Nobody approves what they sent.",
            "What changed, and why", "send", services.submit, "is in review.",
        ),
        "take-back": Act(
            "Take back from review",
            "It becomes a draft again. An approval that was given or asked for is void once its words change.",
            "Why it goes back", "undo-2", services.take_back, "is a draft again.",
        ),
        "publish": Act(
            "Publish",
            "From now on it is the version that everybody follows. The one before it stays readable.",
            "What whoever follows it should know", "book-open-check", services.publish, "is in force.",
        ),
        "discard": Act(
            "Discard draft", "The draft is kept but given up. A new version can be begun.",
            "Why it is given up", "trash-2", services.discard, "is discarded.", danger=True,
        ),
    }
)  # fmt: skip
OF_RUNBOOK: Mapping[str, Act] = MappingProxyType(
    {
        "confirm": Act(
            "Confirm that it is still true",
            "Say so only when you have read it. The next review is due a full period from now.",
            "What you looked at", "check", services.confirm, "is confirmed.",
        ),
        "retire": Act(
            "Retire runbook", "Nobody follows it any more. It stays readable with all its versions.",
            "Why it is retired", "archive", services.retire, "is retired.", danger=True,
        ),
    }
)  # fmt: skip


@READ_WRITE
@login_required
@permission_required("runbooks.change_runbookversion", raise_exception=True)
def act_on_version(request: SignedIn, reference: str, number: int, verb: str) -> HttpResponse:
    """Ask why, then lead a version on: submit, take-back, publish, discard."""
    act = OF_VERSION.get(verb)
    runbook = reading.runbook_for(request.user, reference)
    row = reading.version_for(request.user, runbook, number)
    if act is None:
        raise Http404("There is no such act.")
    return _act(request, act, runbook, row, f"Version {row.number}", clock.database_now())


@READ_WRITE
@login_required
@permission_required("runbooks.change_runbook", raise_exception=True)
def act_on_runbook(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Ask why, then confirm or retire a runbook."""
    act = OF_RUNBOOK.get(verb)
    runbook = reading.runbook_for(request.user, reference)
    if act is None:
        raise Http404("There is no such act.")
    return _act(request, act, runbook, runbook, runbook.reference, clock.database_now())


def _act(
    request: SignedIn, act: Act, runbook: Runbook, row: Runbook | RunbookVersion, called: str, at: datetime
) -> HttpResponse:
    sent = request.method == "POST"
    form = ReasonedForm(request.POST if sent else None, label=act.asks)
    if sent and form.is_valid():
        try:
            act.do(row, by=request.user, at=at, reason=form.cleaned_data["reason"])
        except (Refused, NotApproved) as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{called} {act.done}")
            return redirect(row)
    context = {"now": at, "act": act, "runbook": runbook, "row": row, "called": called, "form": form}
    return render(request, "runbooks/act.html", context, status=422 if form.errors else 200)
