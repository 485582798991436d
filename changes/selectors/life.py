"""The life of a change across its page: what is behind it, where it stands, what is ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from changes.enums import ChangeType, Status
from changes.models import Change

STEPS: tuple[tuple[str, str, str], ...] = (
    ("Draft", "requested", ""),
    ("Submitted", "submitted", ""),
    ("Assessed", "assessed", ""),
    ("Approval", "approved", ""),
    ("Scheduled", "scheduled", ""),
    ("In progress", "started", ""),
    ("Verifying", "verified", ""),
    ("Closed", "closed", ""),
)
HERE = {
    Status.DRAFT: 0,
    Status.SUBMITTED: 1,
    Status.ASSESSED: 3,
    Status.APPROVED: 3,
    Status.SCHEDULED: 4,
    Status.IN_PROGRESS: 5,
    Status.VERIFYING: 6,
    Status.CLOSED: 7,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the bar: done, now, last, or ahead with a hint. A skipped one has no moment."""

    label: str
    state: str
    icon: str
    at: datetime | None
    by: str
    hint: str


def stages_of(change: Change, *, waiting: str) -> list[Stage]:
    """Return the bar; nothing for a change that left it by the side. `waiting` says which stage decides now."""
    here = HERE.get(Status(change.status))
    if here is None:
        return []
    return [_stage(change, place, here, label, name, waiting) for place, (label, name, _) in enumerate(STEPS)]


def _stage(change: Change, place: int, here: int, label: str, name: str, waiting: str) -> Stage:
    moment, by = getattr(change, f"{name}_at"), getattr(change, f"{name}_by")
    if label == "Approval" and moment is not None:
        label = "Approved"
    if place > here:
        return Stage(label, "ahead", "circle-dashed", _planned(change, name), "", "")
    if place == here:
        last = change.status == Status.CLOSED
        return Stage(label, "last" if last else "now", "check" if last else "circle-dot", moment, by,
                     waiting if label == "Approval" else "")  # fmt: skip
    hint = "afterwards" if change.type == ChangeType.EMERGENCY and name == "approved" else "skipped"
    return Stage(label, "done", "check" if moment else "minus", moment, by, "" if moment else hint)


def _planned(change: Change, name: str) -> datetime | None:
    """Return when a state ahead is planned."""
    return {"started": change.planned_start, "verified": change.planned_end}.get(name)
