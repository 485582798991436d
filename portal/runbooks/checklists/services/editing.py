"""Editing a checklist: each edit is a new version with all its steps; runs that were started keep theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Team
from portal.lib.inserting import insert_values
from portal.runbooks.checklists import policy
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.models import Checklist, ChecklistStep, ChecklistVersion

NO_STEPS = "Write at least one step."
TOO_MANY = f"A checklist has at most {policy.MOST_STEPS} steps. Make two of it."
CHANGED = "Somebody else edited it meanwhile: version {number} is in force. Look at it, then edit again."


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is written: what to do, whose it is, and the name of the page that it speaks of."""

    text: str
    team: Team
    page: str = ""


@transaction.atomic
def make(*, name: str, slug: str, lines: Sequence[Line], by: By, at: datetime, reason: str, **fields: Any) -> Checklist:
    """Make a checklist with its first version. `fields` may name purpose and frequency."""
    with acting(by=by, at=at, reason=reason):
        checklist = Checklist(name=name, slug=slug, version=1, **fields)
        _check(lines)
        checklist.save()
        _write(checklist, lines, by=by, at=at, reason=reason)
    return checklist


@transaction.atomic
def revise(
    checklist: Checklist,
    *,
    lines: Sequence[Line],
    by: By,
    at: datetime,
    reason: str,
    seen: int | None = None,
    **fields: Any,
) -> Checklist:
    """Write a new version. `seen` is the version that the editor saw: Refused is raised when another is in force.

    The same steps again make no version. `fields` may name name, purpose and frequency.
    """
    with acting(by=by, at=at, reason=reason):
        row: Checklist = Checklist.objects.select_for_update(of=("self",)).get(pk=checklist.pk)
        if seen is not None and seen != row.version:
            raise Refused(CHANGED.format(number=row.version))
        for name, value in fields.items():
            setattr(row, name, value)
        if [(line.text, line.team.pk, line.page) for line in lines] != _standing(row):
            _check(lines)
            row.version += 1
            _write(row, lines, by=by, at=at, reason=reason)
        row.save()
    return row


def _standing(row: Checklist) -> list[tuple[str, int, str]]:
    steps = ChecklistStep.objects.filter(version__checklist=row, version__number=row.version).order_by("position")
    return list(steps.values_list("text", "team_id", "page"))


def _check(lines: Sequence[Line]) -> None:
    if not lines:
        raise Refused(NO_STEPS)
    if len(lines) > policy.MOST_STEPS:
        raise Refused(TOO_MANY)


def _write(row: Checklist, lines: Sequence[Line], *, by: By, at: datetime, reason: str) -> None:
    version = ChecklistVersion.objects.create(
        checklist=row, number=row.version, made_at=at, made_by=actor_of(by).name[:200], reason=reason
    )
    insert_values(
        ChecklistStep,
        [
            {
                "version_id": version.pk,
                "position": position,
                "text": line.text,
                "team_id": line.team.pk,
                "page": line.page,
            }
            for position, line in enumerate(lines, start=1)
        ],
    )
