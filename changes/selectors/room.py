"""Everything that the page of one change shows, read with a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404

from changes import acts, conflicts
from changes.acts import Offers, Reader
from changes.approving import CHANGE
from changes.conflicts import Conflict
from changes.enums import EDITABLE, RUNNING, Status, Weight
from changes.forms.base import Step, steps_by_kind
from changes.looks import OUTCOME_LOOKS, RISK_TONES, WEIGHT_LOOKS, Look, status_look
from changes.models import Change
from changes.selectors.gates import Gates, gates_of
from changes.selectors.life import Stage, stages_of
from changes.selectors.matrix import Matrix, matrix_of
from changes.selectors.moved import Moved, moved_of
from changes.selectors.timeline import Timeline, timeline_of
from changes.selectors.undoing import Undoing, undoing_of
from changes.services.ending import asked_of
from portal.approvals.models import ApprovalRequest
from portal.approvals.selectors.room import Room as Approval
from portal.approvals.selectors.room import room_of as approval_of
from portal.records import linking
from portal.records import services as records
from portal.records.linking import Near
from portal.records.models import Demand
from portal.records.services import Linked
from portal.runbooks.models import RunbookVersion

AFTER = timedelta(hours=72)
"""How long after its start an incident of its systems may be of a change."""
MODULES_SHOWN = 12
ENDED = (Status.CLOSED, Status.CANCELLED)
KINDS_OF_CONFLICT = {
    "freeze": "no freeze",
    "incident": "no open SEV-1 or SEV-2",
    "change": "no other change near by",
    "implementer": "the implementer is free",
    "window": "a maintenance window covers it",
}


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """Something in the way, as it looks; `url` leads to what it is about, "" when nothing does."""

    conflict: Conflict
    look: Look


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All that is in the way at the planned time, and in words what is not."""

    lines: list[ConflictLine]
    clear: str
    stops: bool
    frozen: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a change for one reader."""

    change: Change
    look: Look
    outcome: Look | None
    risk_tone: str
    systems: list[Any]
    runbooks: list[RunbookVersion]
    asked: list[Demand]
    running: bool
    stages: list[Stage]
    offers: Offers
    waits_for: list[str]
    moved: Moved
    conflicts: Conflicts
    steps: dict[str, list[Step]]
    undoing: Undoing
    gates: Gates
    request: ApprovalRequest | None
    approval: Approval | None
    matrix: Matrix
    links: list[Linked]
    near: list[Near]
    timeline: Timeline
    editable: bool
    owes: str


def change_for(user: Any, reference: str) -> Change:
    """Return the change with this reference; Http404 is raised when there is none that the reader may see."""
    rows = CHANGE.rows().visible_to(user)  # type: ignore[attr-defined]
    found: Change | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No change {reference} can be seen.")
    return found


def page_of(change: Change, *, user: Any, whole: bool, at: datetime) -> Page:
    """Return what the page of a change shows `user` at `at`."""
    request = _request(change, user)
    approval = approval_of(request, user, at=at) if request is not None else None
    found = conflicts_of(change)
    links = records.links_of(change, user=user)
    waiting = _waiting(approval)
    reader = Reader(user, asked=request is not None and request.is_live, frozen=found.frozen)
    return Page(
        change=change,
        look=look_of(change),
        outcome=OUTCOME_LOOKS.get(change.outcome),
        risk_tone=RISK_TONES.get(change.risk_level, "plain"),
        systems=sorted(change.systems.all(), key=lambda system: system.name),
        runbooks=sorted(change.runbooks.all(), key=lambda version: version.runbook.title),
        asked=list(asked_of(change).select_related("system")) if change.status not in ENDED else [],
        running=change.status in RUNNING,
        stages=stages_of(change, waiting=waiting),
        offers=acts.offers(change, reader),
        waits_for=list(acts.of_roles(change)),
        moved=moved_of(change, user=user, at=at),
        conflicts=found,
        steps=steps_by_kind(list(change.steps.all())),
        undoing=undoing_of(change, user=user, at=at),
        gates=gates_of(change, user=user),
        request=request,
        approval=approval,
        matrix=_shortened(matrix_of(change, user=user)),
        links=links,
        near=_near(change, links, user=user, at=at),
        timeline=timeline_of(change, whole=whole, at=at),
        editable=change.status in EDITABLE,
        owes=_owes(change),
    )


def _owes(change: Change) -> str:
    """Return in words what an emergency that started at once still owes, "" for nothing."""
    if change.authorised_at is None:
        return ""
    undecided = change.approved_at is None and change.rejected_at is None
    lacking = ["its approval"] * undecided + ["its review"] * (not change.review)
    words = " and ".join(lacking)
    return words[:1].upper() + words[1:]


def look_of(change: Change) -> Look:
    """Return how the state of a change looks."""
    return status_look(change.status, rolling_back=change.is_rolling_back)


def _request(change: Change, user: Any) -> ApprovalRequest | None:
    """Return the newest request for its approval that the reader may see."""
    rows = ApprovalRequest.objects.visible_to(user).filter(kind=CHANGE.kind, subject_id=change.pk)
    found: ApprovalRequest | None = rows.order_by("-pk").first()
    return found


def _waiting(approval: Approval | None) -> str:
    if approval is None or approval.deciding is None:
        return ""
    return f"stage {approval.deciding.position} of {len(approval.lines)}"


def conflicts_of(change: Change) -> Conflicts:
    """Return what is in the way of a change now; nothing once it is over or has been started."""
    if change.planned_start is None or change.status not in EDITABLE:
        return Conflicts([], "", stops=False, frozen=False)
    found = conflicts.of_change(change)
    kinds = {one.kind for one in found}
    clear = [words for kind, words in KINDS_OF_CONFLICT.items() if kind not in kinds]
    sentence = ", ".join(clear)
    return Conflicts(
        lines=[ConflictLine(one, WEIGHT_LOOKS[one.weight]) for one in found],
        clear=sentence[:1].upper() + sentence[1:],
        stops=any(one.weight == Weight.STOPS for one in found),
        frozen=any(one.weight == Weight.STOPS and one.freeze_id is not None for one in found),
    )


def _shortened(matrix: Matrix) -> Matrix:
    """Return the rows that the page of a change shows: those with open cells first."""
    if len(matrix.rows) <= MODULES_SHOWN:
        return matrix
    rows = sorted(matrix.rows, key=lambda row: row.open_count == 0)[:MODULES_SHOWN]
    return replace(matrix, rows=rows)


def _near(change: Change, links: list[Linked], *, user: Any, at: datetime) -> list[Near]:
    """Return the incidents of its systems that began within three days of its start. Three queries, none before it."""
    if change.started_at is None:
        return []
    found = linking.near(
        list(change.systems.all()), kind="incident", since=change.started_at, until=min(change.started_at + AFTER, at),
        user=user, linked=[one.record for one in links],
    )  # fmt: skip
    return [one for one in found if one.starts >= change.started_at]
