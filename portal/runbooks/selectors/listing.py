"""The list of runbooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q

from portal.runbooks.enums import OPEN, VersionState
from portal.runbooks.looks import LOOKS, Look
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.services import reviews

PAGE = 50
VIEWS = {
    "": "All",
    "due": "Review due",
    "writing": "Being written",
    "unpublished": "Nothing in force",
    "retired": "Retired",
}


@dataclass(frozen=True, slots=True)
class RunbookRow:
    """One line of the list."""

    runbook: Runbook
    in_force: RunbookVersion | None
    writing: RunbookVersion | None
    look: Look | None
    review_due: datetime | None
    overdue: bool


def listed(user: Any, *, view: str, words: str, page: str | None, at: datetime) -> tuple[Page[Any], list[RunbookRow]]:
    """Return a page of the runbooks that the reader may see, and its lines. Four queries."""
    rows = Runbook.objects.visible_to(user).select_related("system__owner", "owner")
    rows = rows.exclude(retired_at=None) if view == "retired" else rows.filter(retired_at=None)
    published = RunbookVersion.objects.visible_to(user).filter(state=VersionState.PUBLISHED)
    if view == "writing":
        rows = rows.filter(pk__in=RunbookVersion.objects.visible_to(user).filter(state__in=OPEN).values("runbook"))
    elif view == "unpublished":
        rows = rows.exclude(pk__in=published.values("runbook"))
    elif view == "due":
        late = [row.pk for row in rows if (due := reviews.due_at(row)) is not None and due <= at]
        rows = rows.filter(pk__in=late)
    for word in words.split()[:8]:
        rows = rows.filter(Q(title__icontains=word) | Q(reference__icontains=word) | Q(system__name__icontains=word))
    versions = RunbookVersion.objects.visible_to(user).filter(Q(state__in=OPEN) | Q(state=VersionState.PUBLISHED))
    prefetched = rows.prefetch_related(Prefetch("versions", versions.defer("text"), to_attr="standing"))
    found = Paginator(prefetched.order_by("title", "id"), PAGE).get_page(page)
    return found, [_row(row, at=at) for row in found.object_list]


def _row(runbook: Any, *, at: datetime) -> RunbookRow:
    in_force = next((v for v in runbook.standing if v.state == VersionState.PUBLISHED), None)
    writing = next((v for v in runbook.standing if v.state in OPEN), None)
    due = reviews.due_at(runbook)
    look = LOOKS[writing.state] if writing is not None else None
    return RunbookRow(runbook, in_force, writing, look, due, due is not None and due <= at)
