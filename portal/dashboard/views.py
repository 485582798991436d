"""The pages of the dashboard: Now, status, readiness, the jump box, search, the keys, and /healthz/."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.accounts.requests import SignedIn
from portal.accounts.second import not_needed_for
from portal.approvals.selectors import listing as approvals
from portal.approvals.selectors.badges import kinds_of_records
from portal.assurance.selectors import review_list as reviews
from portal.dashboard import health
from portal.dashboard.selectors import burning, jumping, readying, starting, status, upcoming
from portal.directory.models import Contact, SheetDelivery
from portal.directory.sheet import delivering as sheet
from portal.lib import clock
from portal.search import finding
from portal.search.words import terms_of

LIVE = 8  # hits while somebody types
NOTHING = finding.Found((), [])


@require_safe
@never_cache
@login_required
@vary_on_headers("HX-Request")
def now(request: SignedIn) -> HttpResponse:
    """Show what burns first, what waits for the reader, what comes next, and who is on call.

    Whoever may read the status page alone is led there.
    """
    if status.reads_only_status(request.user):
        return redirect("dashboard:status")
    at = clock.now()
    contact = Contact.objects.filter(user__pk=request.user.pk).first()
    fire = burning.fire(request.user, at=at)
    duties = upcoming.duties(request.user, at=at)
    context = {
        "now": at,
        "me": contact,
        "once": uuid.uuid4(),
        "fire": fire,
        "waiting": burning.waiting_for(request.user, contact, at=at),
        "to_decide": approvals.waiting_rows(request.user, at=at),
        "to_review": reviews.waiting_for(request.user, at=at),
        "to_answer": reviews.questions_to(request.user),
        "due": upcoming.due_soon(request.user, at=at, but=fire.first.row.incident if fire.first else None),
        "duties": duties,
        "steps": starting.first_steps(request.user, contact, duties),
        "my_duty": next((duty for duty in duties if contact and duty.contact == contact), None),
        "pulse": upcoming.pulse(at=at),
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "dashboard/now_live.html" if partial else "dashboard/now.html", context)


@require_safe
@never_cache
@login_required
def readiness(request: SignedIn) -> HttpResponse:
    """Show for each system who would be paged now, and every hole with the place to mend it."""
    at = clock.now()
    context = {
        "now": at,
        "ready": readying.readiness(request.user, at=at),
        "approvals": kinds_of_records(request.user),
        "overdue": reviews.overdue_reviews(request.user, at=at),
        "sheets": SheetDelivery.objects.visible_to(request.user).exists() and sheet.newest(),
        "sheets_late": {row.pk for row in sheet.late(at=at)},
    }
    return render(request, "dashboard/readiness.html", context)


@require_safe
@never_cache
@login_required
@vary_on_headers("HX-Request")
def status_page(request: SignedIn) -> HttpResponse:
    """Show everybody in the company how the systems stand, what was said last, and how the last days were."""
    if not status.may_read(request.user):
        raise PermissionDenied("Ask an administrator for the role Stakeholder: it opens the status page.")
    at = clock.now()
    context = {"now": at, "page": status.status_of(request.user, at=at)}
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "dashboard/parts/status.html" if partial else "dashboard/status.html", context)


@require_safe
@never_cache
@login_required
def jump(request: SignedIn) -> HttpResponse:
    """Go to what was meant: the record of a reference, or the only thing that is found; else list what is found."""
    words = jumping.cleaned(request.GET.get("q", ""))
    exact = jumping.named(words, request.user)
    if exact:
        return redirect(exact[0].url)
    found = finding.find(words, request.user)
    if len(hits := found.best(2)) == 1 and not found.partly:
        return redirect(hits[0].url)
    return render(request, "dashboard/search.html", {"words": words, "found": found})


@require_safe
@never_cache
@login_required
def search(request: SignedIn) -> HttpResponse:
    """List what has all the words, by what it is, with the line that matches.

    For an incident it is what has any of them, its systems first: nobody has written its title into a runbook.
    """
    words = jumping.cleaned(request.GET.get("q", ""))
    incident, systems = jumping.asked_for(request.GET.get("for", ""), request.user)
    if incident is None:
        found = finding.find(words, request.user)
    else:
        terms = terms_of(words)
        found = NOTHING
        if terms:
            found = finding.search(terms, request.user, systems=systems, any_term=True, without=incident)
    context = {"words": words, "found": found, "incident": incident}
    return render(request, "dashboard/search.html", context | {"exact": jumping.named(words, request.user)})


@require_safe
@never_cache
@login_required
def live_search(request: SignedIn) -> HttpResponse:
    """Give the eight that fit best, for the box in the top bar while somebody types."""
    words = jumping.cleaned(request.GET.get("q", ""))
    exact = jumping.named(words, request.user)
    found = finding.find(words, request.user, shown=LIVE)
    context = {"words": words, "exact": exact, "found": found, "hits": found.best(LIVE - len(exact))}
    return render(request, "dashboard/parts/found.html", context)


@require_safe
@login_required
def keys(request: SignedIn) -> HttpResponse:
    """List the keys that save steps."""
    return render(request, "dashboard/keys.html")


@not_needed_for
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while the engine keeps time, else 503, with the figures. Open to all: it names no record."""
    found = health.read()
    return JsonResponse(found.as_json(), status=200 if found.is_well else 503)
