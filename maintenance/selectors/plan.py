"""The page of one plan: its words, the date that stands, and its whole history as a strip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from maintenance.looks import Look, look_of
from maintenance.models import Occurrence, Plan
from maintenance.rules import Impossible
from maintenance.schedule import explain

IN_STRIP = 120


@dataclass(frozen=True, slots=True)
class Mark:
    """One date of the strip."""

    occurrence: Occurrence
    look: Look
    x: int


def plans_for(user: Any) -> QuerySet[Any]:
    """Return the plans that a reader may see, with their people."""
    rows = Plan.objects.visible_to(user)
    return rows.select_related("owner", "backup", "manager", "team", "calendar", "checklist", "runbook")


def plan_for(user: Any, reference: str) -> Plan:
    """Return the plan with this reference; Http404 is raised when there is none that the reader may see."""
    found: Plan | None = plans_for(user).filter(reference=reference.upper()).prefetch_related("systems").first()
    if found is None:
        raise Http404(f"No plan {reference} can be seen.")
    return found


def occurrence_for(user: Any, plan: Plan, number: int) -> Occurrence:
    """Return one date of a plan; Http404 is raised when there is none that the reader may see."""
    rows = Occurrence.objects.visible_to(user).filter(plan=plan, number=number).select_related("run")
    found: Occurrence | None = rows.first()
    if found is None:
        raise Http404("There is no such date.")
    found.plan = plan
    return found


def history_of(user: Any, plan: Plan, *, whole: bool, at: datetime) -> tuple[list[Mark], int]:
    """Return the dates of a plan, oldest first, and how many older ones are left out."""
    rows = Occurrence.objects.visible_to(user).filter(plan=plan).order_by("-number")
    total = rows.count()
    shown = list(rows if whole else rows[:IN_STRIP])
    marks = []
    for place, row in enumerate(reversed(shown)):
        row.plan = plan
        marks.append(Mark(row, look_of(row, at=at), place * 9))
    return marks, total - len(shown)


def why_of(plan: Plan) -> list[str]:
    """Return why the first date of a plan that is not in force yet would be when it would be."""
    try:
        return explain(plan.as_rule(), plan.anchor, None, plan.zone)
    except Impossible as problem:
        return [str(problem)]
