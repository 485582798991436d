"""Reading runbooks: the list, a version as a page, how two versions differ, and the file."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.runbooks import services, shutting
from portal.runbooks.looks import LOOKS
from portal.runbooks.markdown.differing import differences
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.selectors import reading
from portal.runbooks.selectors.listing import VIEWS, listed

READS = "runbooks.view_runbook"


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def runbooks(request: SignedIn) -> HttpResponse:
    """List the runbooks, with what is in force and when each is reviewed. `?view=` narrows, `?q=` searches titles."""
    at = clock.now()
    view, words = request.GET.get("view", ""), request.GET.get("q", "")[:100]
    view = view if view in VIEWS else ""
    page, rows = listed(request.user, view=view, words=words, page=request.GET.get("page"), at=at)
    context = {"now": at, "page": page, "rows": rows, "view": view, "views": VIEWS.items(), "words": words}
    return render(request, "runbooks/list.html", context)


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def runbook(request: SignedIn, reference: str) -> HttpResponse:
    """Show a runbook: the version in force, else the one being written."""
    found = reading.runbook_for(request.user, reference)
    versions = reading.versions_of(request.user, found)
    version = versions.filter(state="published").first() or versions.exclude(state="discarded").first()
    return _page(request, found, version)


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def version(request: SignedIn, reference: str, number: int) -> HttpResponse:
    """Show one version of a runbook."""
    found = reading.runbook_for(request.user, reference)
    return _page(request, found, reading.version_for(request.user, found, number))


def _page(request: SignedIn, found: Runbook, shown: RunbookVersion | None) -> HttpResponse:
    at = clock.now()
    may_write = request.user.has_perm("runbooks.change_runbookversion") and found.retired_at is None
    if shown is not None:
        shown.runbook = found
    page = reading.page_of(shown) if shown is not None else None
    held = shown is not None and shutting.kept_back(found, shown.text)
    context = {
        "now": at,
        "runbook": found,
        "version": shown,
        "look": LOOKS[shown.state] if shown is not None else None,
        "held": held,
        "page": reading.without_shutdown(page) if page is not None and held else page,
        "beside": reading.beside(request.user, found, at=at),
        "standing": reading.standing_of(shown) if shown is not None else None,
        "may_write": may_write,
    }
    return render(request, "runbooks/runbook.html", context)


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def compare(request: SignedIn, reference: str) -> HttpResponse:
    """Show how two versions differ: `?old=` and `?new=` are their numbers, else the newest two."""
    found = reading.runbook_for(request.user, reference)
    versions = {row.number: row for row in reading.versions_of(request.user, found)}
    if len(versions) < 1:
        raise Http404("There is no version to compare.")
    newest = sorted(versions, reverse=True)
    new = versions.get(_number(request.GET.get("new", "")), versions[newest[0]])
    before = next((number for number in newest if number < new.number), newest[-1])
    old = versions.get(_number(request.GET.get("old", "")), versions[before])
    reading.refuse_while_held(found, old, new)
    context = {
        "now": clock.now(),
        "runbook": found,
        "versions": [versions[number] for number in newest],
        "old": old,
        "new": new,
        "sections": differences(old.text, new.text),
    }
    return render(request, "runbooks/compare.html", context)


def _number(given: str) -> int:
    return int(given) if given.isdecimal() and len(given) < 9 else 0


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def export(request: SignedIn, reference: str, number: int) -> HttpResponse:
    """Hand a version out as Markdown in the template's layout."""
    found = reading.runbook_for(request.user, reference)
    row = reading.version_for(request.user, found, number)
    reading.refuse_while_held(found, row)
    name = f"{found.reference}-version-{row.number}.md"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(services.handed_out(row), content_type="text/markdown; charset=utf-8", headers=headers)
