"""Checklists as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from portal.runbooks.checklists.enums import Frequency
from portal.runbooks.checklists.pages import Page, page_of
from portal.runbooks.models import Checklist, ChecklistRule, ChecklistStep, ChecklistVersion


@dataclass(frozen=True, slots=True)
class Shown:
    """One version of a checklist, its rules and its versions."""

    version: ChecklistVersion | None
    steps: list[tuple[ChecklistStep, Page | None]]
    rules: list[ChecklistRule]
    versions: list[ChecklistVersion]


def lists_of(user: Any) -> list[tuple[str, list[Checklist]]]:
    """Return the checklists by how often they are worked, each with the number of its rules. One query."""
    rules = Count("rules", filter=Q(rules__active=True))
    rows = list(Checklist.objects.visible_to(user).annotate(rule_count=rules).order_by("-active", "name"))
    groups = [(label, [row for row in rows if row.frequency == value]) for value, label in Frequency.choices]
    return [(label, found) for label, found in groups if found]


def template_of(user: Any, checklist: Checklist, number: int) -> Shown:
    """Return one version of a checklist. Three queries."""
    rules = ChecklistRule.objects.visible_to(user).filter(checklist=checklist, active=True)
    versions = list(ChecklistVersion.objects.visible_to(user).filter(checklist=checklist).order_by("-number"))
    steps = steps_of(user, checklist, number)
    return Shown(
        version=next((version for version in versions if version.number == number), None),
        steps=[(step, page_of(step.page) if step.page else None) for step in steps],
        rules=list(rules.select_related("severity", "system")),
        versions=versions,
    )


def steps_of(user: Any, checklist: Checklist, number: int) -> QuerySet[ChecklistStep]:
    """Return the steps of one version."""
    rows: QuerySet[ChecklistStep] = ChecklistStep.objects.visible_to(user).select_related("team")
    return rows.filter(version__checklist=checklist, version__number=number).order_by("position")
