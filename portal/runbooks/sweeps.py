"""What the engine does for runbooks: it reminds their keepers that a review comes, and that it is overdue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.runbooks import messages
from portal.runbooks.models import Runbook
from portal.runbooks.services import reviews

SYSTEM = "system: runbooks"


def sweep_runbooks(*, at: datetime) -> int:
    """Do everything of runbooks that is due at `at`; return how many deadlines fired."""
    fired = 0
    while reviews.REVIEW in deadlines.kinds_due([reviews.REVIEW], at=at):
        with acting(by=SYSTEM, origin="task", at=at, reason="A deadline was due."):
            batch = deadlines.fire_due(kinds=[reviews.REVIEW], at=at, lock=_lock, handle=_remind)
        fired += batch.count
        if not batch.count:
            break
    return fired


def _lock(ids: list[int], _at: datetime) -> Mapping[int, Runbook]:
    """Lock the runbooks in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Runbook.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    held = list(rows.values_list("pk", flat=True))
    return Runbook.objects.select_related("system__owner", "owner").in_bulk(held)


def _remind(batch: list[tuple[Deadline, Runbook]], at: datetime) -> None:
    for deadline, runbook in batch:
        due = reviews.due_at(runbook)
        if due is None:
            continue
        key = f"{deadline.key}:{deadline.generation}"
        if deadline.key == reviews.SOON:
            messages.tell(runbook, kind=messages.SOON, key=key, due=due, at=at)
            continue
        messages.tell(runbook, kind=messages.DUE, key=key, due=due, at=at)
        _, _, count = deadline.key.partition("-")
        reviews.remind_again(runbook, count=int(count or 0) + 1, at=at)
