"""Whether there is time to undo a change: its rollback against what its systems promise and its window leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from changes.enums import RUNNING, Status, StepKind
from changes.models import Change
from portal.directory.models import RecoveryObjective
from portal.lib import durations


@dataclass(frozen=True, slots=True)
class Undoing:
    """The rollback of a change in numbers. `left` is what its window leaves for it, `warnings` are sentences."""

    estimate: timedelta | None
    rto: timedelta | None
    rto_of: str
    left: timedelta | None
    took: timedelta | None
    warnings: list[str]
    urgent: str

    @property
    def against(self) -> str:
        """Say how its real duration compares with the estimate; "" before it has one, or without an estimate."""
        if self.took is None or self.estimate is None:
            return ""
        over = self.took - self.estimate
        if abs(over) < timedelta(minutes=1):
            return "as long as estimated"
        return f"{_words(over)} {'longer' if over > timedelta(0) else 'shorter'} than estimated"


def undoing_of(change: Change, *, user: Any, at: datetime) -> Undoing:
    """Return the rollback of a change at this moment, as it is planned. One query."""
    systems = [system.pk for system in change.systems.all()]
    promised = RecoveryObjective.objects.visible_to(user).filter(system__in=systems, rto_minutes__isnull=False)
    tightest = promised.select_related("system").order_by("rto_minutes", "pk").first()
    estimate = timedelta(minutes=change.rollback_minutes) if change.rollback_minutes else None
    rto, rto_of = (tightest.rto, tightest.system.name) if tightest else (None, "")
    left = _left(change, at=at)
    return Undoing(
        estimate=estimate,
        rto=rto,
        rto_of=rto_of,
        left=left,
        took=_took(change),
        warnings=_warnings(change, estimate, rto, rto_of, left),
        urgent=_urgent(change, estimate, left),
    )


def _left(change: Change, *, at: datetime) -> timedelta | None:
    """Return what is left of the window: now while somebody is at it, else after the steps of the implementation."""
    if change.planned_end is None or change.planned_start is None:
        return None
    if change.status in RUNNING:
        return change.planned_end - at
    steps = [step.minutes for step in change.steps.all() if step.kind == StepKind.IMPLEMENTATION]
    if not steps or None in steps:
        return None
    return change.planned_end - change.planned_start - timedelta(minutes=sum(filter(None, steps)))


def _took(change: Change) -> timedelta | None:
    if change.rolled_back_at is None or change.rollback_ended_at is None:
        return None
    return change.rollback_ended_at - change.rolled_back_at


def _warnings(
    change: Change, estimate: timedelta | None, rto: timedelta | None, rto_of: str, left: timedelta | None
) -> list[str]:
    found = []
    if estimate is not None and rto is not None and estimate > rto:
        found.append(
            f"The rollback takes {_words(estimate)}, longer than {rto_of} may be down ({_words(rto)})."
            " Find a shorter way back, or agree on it beforehand."
        )
    if estimate is not None and left is not None and left < estimate and change.status not in RUNNING:
        room = f"only {_words(left)} are left" if left > timedelta(0) else "nothing is left"
        found.append(
            f"After its last step {room} in the window, and the rollback takes {_words(estimate)}."
            " Plan a longer window."
        )
    return found


def _urgent(change: Change, estimate: timedelta | None, left: timedelta | None) -> str:
    """Return the sentence for whoever is at it and would run out of time."""
    at_it = change.status == Status.IN_PROGRESS and change.rolled_back_at is None
    if not at_it or estimate is None or left is None:
        return ""
    if left < timedelta(0):
        return f"The window ended {_words(left)} ago. A rollback takes {_words(estimate)} and would end outside of it."
    if left < estimate:
        return (
            f"Only {_words(left)} are left in the window, and the rollback takes {_words(estimate)}."
            " Whoever begins it now ends outside of the window."
        )
    return ""


def _words(span: timedelta) -> str:
    seconds = abs(span.total_seconds())
    return durations.words(seconds - seconds % 60 if seconds >= 60 else seconds)
