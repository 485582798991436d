"""Dates of plans as records that checklists are worked for."""

from __future__ import annotations

from maintenance.enums import State
from maintenance.models import Occurrence
from portal.runbooks.checklists.subjects import Facts, Subject


def facts_of(occurrence: Occurrence) -> Facts:
    """Return what rules ask of a date: the systems of its plan. One query."""
    return Facts(system_ids=frozenset(occurrence.plan.systems.order_by().values_list("pk", flat=True)))


def is_over(occurrence: Occurrence) -> bool:
    """Tell whether nothing is worked for it any more."""
    return occurrence.state != State.OPEN


OCCURRENCE = Subject(kind="maintenance", model=Occurrence, label="maintenance task", facts=facts_of, is_over=is_over)
