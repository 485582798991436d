"""What is overdue on systems: the hint that whoever works on an incident of theirs is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from maintenance.models import Occurrence
from portal.records.hints import Hint


def overdue_of(systems: dict[int, str], user: Any, at: datetime, most: int) -> list[Hint]:
    """Return what is past its date and not done on these systems, the longest overdue first. Two queries at most."""
    seen = Occurrence.objects.visible_to(user).overdue(at).filter(plan__systems__in=list(systems)).distinct()
    rows = seen.select_related("plan__owner").prefetch_related("plan__systems").order_by("due_at", "pk")
    return [
        Hint(
            title=row.plan.task,
            reference=row.plan.reference,
            since=row.due_at,
            systems=tuple(sorted(systems[one.pk] for one in row.plan.systems.all() if one.pk in systems)),
            owner=str(row.plan.owner or ""),
            url=row.get_absolute_url(),
        )
        for row in rows[:most]
    ]
