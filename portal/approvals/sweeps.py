"""What the engine does for approvals: reminders, expiry, and noticing records that were changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from portal.approvals import services
from portal.approvals.enums import RequestState, StageState
from portal.approvals.models import ApprovalRequest, Stage
from portal.approvals.services.common import EXPIRY, REMINDER, SYSTEM
from portal.approvals.services.stages import ask_people
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, Sweep

LOOK = "approvals"  # the name under which the pulse of the look at records is kept
LOOK_EVERY = timedelta(minutes=1)
Batch = list[tuple[Deadline, ApprovalRequest]]


def sweep_approvals(*, at: datetime) -> int:
    """Do everything of approvals that is due at `at`; return how many deadlines fired."""
    fired = 0
    due = deadlines.kinds_due(list(HANDLERS), at=at)
    for kind, handle in HANDLERS.items():
        while kind in due:
            with acting(by=SYSTEM, origin="task", at=at, reason="A deadline was due."):
                batch = deadlines.fire_due(kinds=[kind], at=at, lock=lock, handle=handle)
            fired += batch.count
            if not batch.count:
                break
    _look(at)
    return fired


def _look(at: datetime) -> None:
    """Look at the records of live requests, once a minute however often the sweep runs."""
    last = Sweep.objects.filter(name=LOOK).values_list("at", flat=True).first()
    if last is not None and last > at - LOOK_EVERY:
        return
    deadlines.mark_sweep(LOOK, at=at)
    with acting(by=SYSTEM, origin="task", at=at):
        services.notice_all(at=at)


def lock(request_ids: list[int], _at: datetime) -> Mapping[int, ApprovalRequest]:
    """Lock the requests in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = ApprovalRequest.objects.filter(pk__in=request_ids).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(skip_locked=True)}


def remind(batch: Batch, at: datetime) -> None:
    """Remind the people of the open stage; too late is left out, because expiry says more."""
    for deadline, request in batch:
        if request.state != RequestState.PENDING or at >= request.decide_by or deadline.generation != request.round:
            continue
        stage = Stage.objects.filter(request=request, state=StageState.OPEN).select_related("request").first()
        if stage is not None:
            ask_people(request, stage, at=at, reminder=deadline.key)


def expire(batch: Batch, at: datetime) -> None:
    """End the requests that nobody decided in time."""
    for deadline, request in batch:
        if deadline.generation == request.round:
            services.expire(request, at=at)


HANDLERS: dict[str, Callable[[Batch, datetime], None]] = {REMINDER: remind, EXPIRY: expire}
