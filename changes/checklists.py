"""Changes as records that are worked step by step, and which steps: those of the text that was approved.

Nothing here reads the rows of a plan. What is worked is read back from the text on which its approval rests, so that it
is what was approved, word for word, whatever became of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from changes.enums import RUNNING, ChangeType, StepKind
from changes.models import Change
from portal.approvals.shown import NOTHING, parsed
from portal.runbooks.checklists.subjects import Facts, Subject

TEST_PLAN = "Test plan"


def facts_of(change: Change) -> Facts:
    """Return what rules ask of a change: its type and its systems. One query."""
    systems = frozenset(change.systems.order_by().values_list("pk", flat=True))
    return Facts(type=change.type, system_ids=systems)


def is_over(change: Change) -> bool:
    """Tell whether nobody is at it: it has not been started, or is over."""
    return change.status not in RUNNING


def versions_of(change: Change) -> QuerySet[Any]:
    """Return the versions of runbooks that its approval names."""
    found: QuerySet[Any] = change.runbooks.all()
    return found


CHANGE = Subject(
    kind="change",
    model=Change,
    label="change",
    facts=facts_of,
    is_over=is_over,
    types=ChangeType.choices,
    versions=versions_of,
)


def steps_in(text: str, kind: StepKind) -> list[str]:
    """Return the steps of one plan as the text has them, each with its minutes.

    Without steps of its own the validation is the test plan as one step: that something is tested is always shown.
    """
    found = list(_labelled(text, f"{kind.label} step "))
    if not found and kind == StepKind.VALIDATION:
        found = [f"Carry out the test plan: {value}" for value in _labelled(text, TEST_PLAN) if value != NOTHING]
    return found


def _labelled(text: str, beginning: str) -> Iterator[str]:
    return (one.value for one in parsed(text) if one.label.startswith(beginning))
