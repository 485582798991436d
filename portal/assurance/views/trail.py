"""The trail: who changed or read what, when and why; the rows of one gesture; the life of one object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.accounts.requests import SignedIn
from portal.assurance.exporting import registry
from portal.assurance.selectors import trail_chips
from portal.assurance.selectors.asof_values import address
from portal.assurance.selectors.trail_figures import figures_of, sealed_at
from portal.assurance.selectors.trail_filters import Filters, known_models
from portal.assurance.selectors.trail_gestures import MOST_FOLDED, Gesture, note_removed, page_of
from portal.assurance.selectors.trail_naming import kind_of, label_of, model_of, story_address
from portal.assurance.selectors.trail_rows import at_most, inside, person_address
from portal.assurance.selectors.trail_story import chapters, life_of, record_address, story_of
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.audit.trail import record_openings
from portal.lib import clock
from portal.lib.visibility import reads_all

READING = "audit.view_trailrow"
PACKET = "packet"


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def trail(request: SignedIn) -> HttpResponse:
    """Show the rows that were asked for, grouped by gesture, newest first, with whether the record is whole."""
    now = clock.now()
    filters = Filters.of(request.GET)
    seen = TrailRow.objects.visible_to(request.user)
    page = page_of(seen.none() if filters.odd else seen, filters, reader=request.user, now=now)
    figures = figures_of(seen, filters, whole=reads_all(request.user, TrailRow), now=now)
    rows = [row for gesture in page.gestures for row in gesture.rows]
    context = {
        "now": now,
        "filters": filters,
        "page": page,
        "facets": trail_chips.facets_of(filters, figures.counts),
        "people": trail_chips.people_of(filters, [gesture.main for gesture in page.gestures], request.user),
        "things": trail_chips.things_of(filters, rows),
        "chosen": trail_chips.chosen(filters, rows),
        "in_short": trail_chips.in_short(filters),
        "seal": figures.seal,
        "clear": Filters().address(),
        "first": filters.address(),
        "query": filters.query(),
        "packet": _packet(filters),
    }
    return render(request, "assurance/trail.html", context)


def _packet(filters: Filters) -> str:
    """Return where an evidence packet of the same rows is asked for; nothing while none can be."""
    if PACKET not in registry.SOURCES:
        return ""
    query = filters.query()
    return reverse("assurance:ask-for-export", args=[PACKET]) + (f"?{query}" if query else "")


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
@vary_on_headers("HX-Request")
def gesture(request: SignedIn, gesture: UUID) -> HttpResponse:
    """Show the rows of one gesture with all of their differences; htmx asks for the table alone."""
    seen: QuerySet[TrailRow] = TrailRow.objects.visible_to(request.user)
    return _rows(request, seen.filter(gesture=gesture), {"gesture": gesture})


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
@vary_on_headers("HX-Request")
def rows(request: SignedIn) -> HttpResponse:
    """Show the rows of these ids: those that belong to no gesture, or to several that are told in one line."""
    ids = at_most(request.GET.getlist("id"), MOST_FOLDED)
    return _rows(request, TrailRow.objects.visible_to(request.user).filter(pk__in=ids), {})


def _rows(request: SignedIn, asked: QuerySet[TrailRow], context: dict[str, Any]) -> HttpResponse:
    after = at_most(request.GET.getlist("after"), 1)
    found = inside(asked, after=after[0] if after else 0)
    if found is None:
        raise Http404("The trail holds no such rows, or none that you may see.")
    record_openings(found.rows, "as rows of the trail")
    told = Gesture(found.rows[::-1])
    note_removed([told])
    context |= {
        "now": clock.now(),
        "inside": found,
        "told": told,
        "person": person_address(found.rows[0]),
        "sealed": sealed_at(found.rows[-1]),
        "keep": [("id", value) for value in request.GET.getlist("id")[:MOST_FOLDED]],
    }
    part = request.headers.get("HX-Request") == "true"
    return render(request, "assurance/trail_rows.html" if part else "assurance/trail_gesture.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def story(request: SignedIn, model: str, object_id: str) -> HttpResponse:
    """Tell the life of one object from its creation, with its parts, whether it still exists or not."""
    now = clock.now()
    seen = TrailRow.objects.visible_to(request.user)
    life = life_of(seen, model, object_id)
    if life is None:
        raise Http404("The trail tells of no such object, or of none that you may see.")
    asked = Filters.of(request.GET)
    filters = Filters(model=model, object=object_id, before=asked.before, after=asked.after, last=asked.last)
    page = story_of(seen, filters, reader=request.user, now=now)
    told = [row for gesture in page.gestures for row in gesture.rows]
    record_openings(told or seen.filter(model=model, object_id=object_id)[:1], "as a story")
    context = {
        "now": now,
        "life": life,
        "page": page,
        "chapters": chapters(page.gestures, life),
        "in_trail": Filters(model=model, object=object_id).address(),
        "as_of": _as_of(model, object_id),
        "record": ""
        if life.deleted or model_of(model) is None
        else reverse("assurance:record", args=[model, object_id]),
    }
    return render(request, "assurance/story.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def record(request: SignedIn, model: str, object_id: str) -> HttpResponse:
    """Lead to the record that the trail tells of, while it exists and has a page that the reader may open."""
    found = record_address(request.user, model, object_id)
    if not found:
        raise Http404("The record has no page of its own, or none that you may open. Its story tells all of it.")
    return redirect(found)


def _as_of(model: str, key: str) -> str:
    """Return where an object is shown as of a moment; nothing for what has no history."""
    return address(model, key, None) if model in known_models() else ""


@require_safe
@never_cache
@login_required
@permission_required(READING, raise_exception=True)
def deleted(request: SignedIn) -> HttpResponse:
    """List what was deleted, newest first: by whom, when, why, and where its story is."""
    now = clock.now()
    asked = Filters.of(request.GET)
    named = Filters(q=asked.q, model=asked.model)
    filters = replace(
        named, action=Action.DELETED.value, before=asked.before, after=asked.after, last=asked.last, odd=asked.odd
    )

    def link(**place: Any) -> str:
        return f"{reverse('assurance:deleted')}?{named.query(**place)}"

    page = page_of(TrailRow.objects.visible_to(request.user), filters, reader=request.user, now=now, link=link)
    rows = [row for gesture in page.gestures for row in gesture.rows]
    context = {
        "now": now,
        "filters": filters,
        "page": page,
        "rows": [_deleted(row) for row in sorted(rows, key=lambda row: (row.at, row.pk), reverse=True)],
        "in_trail": Filters(q=asked.q).address(),
    }
    return render(request, "assurance/trail_deleted.html", context)


def _deleted(row: TrailRow) -> dict[str, Any]:
    return {
        "label": label_of(row),
        "kind": kind_of(row.model),
        "url": story_address(row.model, row.object_id),
        "at": row.at,
        "actor": row.actor_name,
        "reason": row.reason,
    }
