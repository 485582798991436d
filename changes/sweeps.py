"""What the engine does for changes: follows approvals, shouts about what is owed, warns while there is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from changes import messages, services
from changes.approving import CHANGE
from changes.enums import RUNNING, ChangeType, Status
from changes.models import Change
from changes.services import unauthorised
from changes.services.common import say
from changes.services.doing import LATE_ROLLBACK, OVERRUN, OWED
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, Sweep

SYSTEM = "system: changes"
LOOK = "changes"  # the name under which the pulse of the look at writes is kept
LOOK_EVERY = timedelta(minutes=1)
REMIND_EVERY = timedelta(days=1)
Batch = list[tuple[Deadline, Change]]


def sweep_changes(*, at: datetime) -> int:
    """Do everything of changes that is due at `at`; return how many deadlines fired."""
    for change in _moved():
        services.follow(change, at=at)
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


def _moved() -> list[Change]:
    """Return the changes that do not stand as their approval says: decided on other pages, or no longer approved."""
    requests = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=OuterRef("pk"))
    afterwards = requests.filter(state__in=[RequestState.APPROVED, RequestState.DENIED])
    decided = afterwards.filter(settled_at__gte=OuterRef("assessed_at"))
    approved = requests.filter(state=RequestState.APPROVED)
    owed = Q(status__in=[*RUNNING, Status.CLOSED], type=ChangeType.EMERGENCY, approved_at=None, rejected_at=None)
    found = Change.objects.filter(
        Q(Exists(decided), status=Status.ASSESSED)
        | Q(~Exists(approved), status__in=[Status.APPROVED, Status.SCHEDULED]) & ~Q(type=ChangeType.STANDARD)
        | Q(Exists(afterwards)) & owed,
        status__in=[Status.ASSESSED, Status.APPROVED, Status.SCHEDULED, *RUNNING, Status.CLOSED],
    )
    return list(found.order_by("pk")[:100])


def _look(at: datetime) -> None:
    """Look for writes outside of any slot, once a minute however often the sweep runs."""
    last = Sweep.objects.filter(name=LOOK).values_list("at", flat=True).first()
    if last is not None and at - LOOK_EVERY < last <= at:
        return
    with acting(by=SYSTEM, origin="task", at=at):
        unauthorised.look(since=last, at=at)
    deadlines.mark_sweep(LOOK, at=at)  # after it: what a look that failed would have found is looked for again


def lock(ids: list[int], _at: datetime) -> Mapping[int, Change]:
    """Lock the changes in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Change.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return {row.pk: row for row in rows}


def owe(batch: Batch, at: datetime) -> None:
    """Shout that an emergency still lacks its approval or its review, every day until it has it."""
    for deadline, change in batch:
        what, _, _ = deadline.key.partition(":")
        if what == "approval" and (change.approved_at or change.rejected_at):
            continue
        if what == "review" and change.review:
            continue
        due = datetime.fromisoformat(deadline.payload["due"])
        words = "approval afterwards" if what == "approval" else "post-implementation review"
        say(change, "owed", f"saw its {words} overdue", by=SYSTEM, at=at)
        people = [
            *messages.authority(),
            *messages.contacts_of([change.requester, change.implementer, change.authority]),
        ]
        messages.tell(change, people, kind=messages.OWED, key=deadline.key, at=at, what=words, due_at=due)
        following = deadline.due_at + REMIND_EVERY
        while following <= at:
            following += REMIND_EVERY
        count = int(deadline.payload.get("count", 0)) + 1
        deadlines.start(
            kind=OWED, subject=change, key=f"{what}:{count}", started_at=at, due_at=following,
            payload={"due": deadline.payload["due"], "count": count},
        )  # fmt: skip


def warn_of_rollback(batch: Batch, at: datetime) -> None:
    """Say that a rollback from now on ends after the window."""
    for deadline, change in batch:
        if change.status != Status.IN_PROGRESS or change.rolled_back_at is not None:
            continue
        say(change, "late_rollback", "warned that a rollback from now on ends after the window", by=SYSTEM, at=at)
        people = messages.contacts_of([change.implementer, change.requester])
        messages.tell(change, people, kind=messages.LATE_ROLLBACK, key=str(deadline.pk), at=at)


def overrun(batch: Batch, at: datetime) -> None:
    """Say that a change is still in progress after its window."""
    for deadline, change in batch:
        if change.status != Status.IN_PROGRESS:
            continue
        say(change, "overrun", "saw it overrun its window", by=SYSTEM, at=at)
        people = [*messages.authority(), *messages.contacts_of([change.implementer, change.requester])]
        messages.tell(change, people, kind=messages.OVERRUN, key=str(deadline.pk), at=at)


HANDLERS: dict[str, Callable[[Batch, datetime], None]] = {
    OWED: owe,
    LATE_ROLLBACK: warn_of_rollback,
    OVERRUN: overrun,
}
