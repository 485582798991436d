"""What every verb does: lock the record, then the request; name who acts; move request and stages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.approvals import registry
from portal.approvals.enums import RequestState, StageState
from portal.approvals.models import ApprovalRequest, Stage
from portal.approvals.policy import Refused, next_stage_state, next_state
from portal.approvals.registry import Approvable
from portal.audit.actor import By, acting, actor_of, gesture_of
from portal.audit.models import TrailRow
from portal.deadlines import services as deadlines

SYSTEM = "system: approvals"
PREFIX = "APR"
REMINDER = "approval.reminder"
EXPIRY = "approval.expiry"


@dataclass(slots=True)
class Held:
    """A request and its record, both locked; `subject` is None when the record is gone."""

    request: ApprovalRequest
    kind: Approvable
    subject: Any | None


def kind_of(request: ApprovalRequest) -> Approvable:
    """Return the kind of a request's record; Refused is raised for one that is no longer registered."""
    found = registry.of_kind(request.kind)
    if found is None:
        raise Refused("Records of this kind are not approved any more. Withdraw the request.")
    return found


def lock_subject(kind: Approvable, pk: int) -> Any | None:
    """Lock a record, then read it with what is shown of it: nothing that is read can change before the end."""
    rows = kind.model._base_manager.select_for_update(of=("self",)).filter(pk=pk)
    return kind.read(pk) if rows.first() is not None else None


@contextmanager
def locked(request: ApprovalRequest, *, by: By, at: datetime, reason: str = "") -> Iterator[Held]:
    """Open one atomic gesture on the locked record and its locked request, both read now: the record always first."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        kind = kind_of(request)
        subject = lock_subject(kind, request.subject_id)
        yield Held(lock_request(request.pk), kind, subject)


def lock_request(pk: int) -> ApprovalRequest:
    """Lock a request and read it now."""
    found: ApprovalRequest = ApprovalRequest.objects.select_for_update(of=("self",)).get(pk=pk)
    return found


def stages_of(request: ApprovalRequest) -> list[Stage]:
    """Return the stages of a request in their order."""
    return list(Stage.objects.filter(request=request).select_related("request").order_by("position"))


def move(request: ApprovalRequest, verb: str, *, by: By, at: datetime, outcome: str) -> None:
    """Lead a locked request to where `verb` leads, with who, when and why; its deadlines end with it.

    Refused is raised with the sentence when the verb does not fit.
    """
    request.state = next_state(verb, request.state)
    settled = request.state != RequestState.PENDING
    request.settled_at = at if settled else None
    request.settled_by = actor_of(by).name if settled else ""
    request.outcome = outcome
    request.save()
    if settled:
        deadlines.cancel(subject=request, at=at)


def move_stage(stage: Stage, verb: str) -> None:
    """Lead a stage of a locked request to where `verb` leads."""
    stage.state = next_stage_state(verb, stage.state)
    stage.save()


def close_stages(request: ApprovalRequest) -> None:
    """Close the stages of a locked request that have not decided."""
    for stage in stages_of(request):
        if stage.state in {StageState.OPEN, StageState.WAITING}:
            move_stage(stage, "close")


def set_deadlines(request: ApprovalRequest, *, at: datetime) -> None:
    """Start the expiry of a request, and its reminders at half and at nine tenths of the time."""
    span = request.decide_by - at
    common: dict[str, Any] = {"subject": request, "generation": request.round, "started_at": at}
    for key, share in (("half", 0.5), ("last", 0.9)):
        deadlines.start(kind=REMINDER, key=key, due_at=at + span * share, **common)
    deadlines.start(kind=EXPIRY, due_at=request.decide_by, **common)


def done(once: uuid.UUID, by: By) -> bool:
    """Tell whether a form with this one-time key has acted already for them: its gesture stands in the trail."""
    return TrailRow.objects.filter(gesture=gesture_of(once, by), model__startswith="approvals.").exists()
