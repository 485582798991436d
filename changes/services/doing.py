"""Carrying a change out: start, start as an emergency, verify, roll back."""

from __future__ import annotations

from datetime import datetime, timedelta

from changes import messages, policy
from changes.enums import ChangeType
from changes.models import Change
from changes.policy import NotYours, Refused
from changes.services import deciding, working
from changes.services.common import account_of, keep_period, locked, move, say, steps_of
from changes.services.deciding import OWED
from changes.services.freezing import AUTHORITY
from changes.services.gating import check_gates
from changes.services.releasing import check_matrix
from changes.services.scheduling import check_decided, check_freezes, check_stops
from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.approvals import services as approvals
from portal.approvals.policy import Refused as NotDecided
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines

LATE_ROLLBACK = "change.late_rollback"
OVERRUN = "change.overrun"
EARLY = timedelta(minutes=15)
"""How long before its slot a change may begin."""


def start(change: Change, *, by: By, at: datetime, reason: str = "") -> Change:
    """Begin to carry out a scheduled change: from now on nothing of what was approved moves.

    Refused is raised before its slot and after it, without a rollback plan, while its content is not approved exactly
    as it stands, while a cell or a prerequisite is open, and while something stops it. Only its implementer begins.
    """
    deciding.follow(change, at=at)
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "start")
        if account_of(by) != row.implementer:
            raise NotYours(f"{row.implementer} carries it out and starts it.")
        _check_slot(row, at=at)
        policy.check_rollback(row, steps_of(row))
        check_decided(row)
        check_matrix(row)
        check_gates(row)
        check_stops(row)
        check_freezes(row, since=at)
        approved = _finalise(row, by=by, at=at) if row.type != ChangeType.STANDARD else ""
        working.bind(row, approved)
        stamp(row, "started", by=by, at=at)
        row.save()
        keep_period(row)
        say(row, "started", "started the change", by=by, at=at, reason=reason)
        working.begin(row, by=by, at=at)
        _watch(row, at=at)
    return row


def _watch(row: Change, *, at: datetime) -> None:
    """Write down when a rollback no longer fits into the window, and when the window ends."""
    if row.planned_end is None:
        return
    latest = row.planned_end - timedelta(minutes=row.rollback_minutes or 0)
    for kind, due in ((LATE_ROLLBACK, latest), (OVERRUN, row.planned_end)):
        if due > at:
            deadlines.start(kind=kind, subject=row, started_at=at, due_at=due)


def _check_slot(row: Change, *, at: datetime) -> None:
    if row.planned_start is None or row.planned_end is None:
        raise Refused("It has no slot. Say when it is to start and to end, and have it approved.")
    if at < row.planned_start - EARLY:
        raise Refused("Its window has not begun. Wait for it, or plan another one and have it approved.")
    if at >= row.planned_end:
        raise Refused("Its window has passed. Plan another one and have it approved.")


def _finalise(row: Change, *, by: By, at: datetime) -> str:
    """Make the approval final and return the digest of what was approved."""
    try:
        return approvals.finalise(row, by=by, at=at, reason="The change was started").digest
    except NotDecided as problem:
        raise Refused(str(problem)) from None


def start_emergency(change: Change, *, authority: User, by: By, at: datetime, reason: str) -> Change:
    """Begin an emergency change at once, on the word of one named person of the change authority.

    Its approval and its review fall due afterwards, as the approval rule for emergencies says; both shout when they are
    missed. Refused is raised for another type, without a rollback plan or a reason, and for an authority who is its
    requester or its implementer.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        if row.type != ChangeType.EMERGENCY:
            raise Refused("Only an emergency starts before it is approved. Change its type, or have it approved.")
        move(row, "start as an emergency", reason=reason)
        if account_of(by) is None:
            raise NotYours("Only somebody who signs in starts a change.")
        if row.implementer is None:
            row.implementer = account_of(by)
        _check_authority(row, authority)  # whoever starts what nobody carries out carries it out
        if not row.systems.exists():
            raise Refused("Name at least one system that it touches.")
        policy.check_rollback(row, steps_of(row))
        row.authority = authority
        row.authorised_at, row.authorised_by = at, str(authority)
        stamp(row, "started", by=by, at=at)
        row.save()
        keep_period(row)
        say(row, "started", f"started it on the authority of {authority}", by=by, at=at, reason=reason)
        request = deciding.ask_held(row, by=by, at=at, reason=reason)
        working.bind(row, request.digest)
        row.save()
        working.begin(row, by=by, at=at)
        due = request.decide_by
        for what in ("approval", "review"):
            deadlines.start(
                kind=OWED, subject=row, key=f"{what}:0", started_at=at, due_at=due, payload={"due": due.isoformat()}
            )
        _watch(row, at=at)
        messages.tell(row, messages.contacts_of([authority]), kind=messages.AUTHORISED, key="start", at=at, why=reason)
    return row


def _check_authority(row: Change, authority: User) -> None:
    if not (authority.is_active and has_role(authority, AUTHORITY)):
        raise Refused(f"{authority} is not of the change authority. Name somebody who is.")
    if authority in (row.requester, row.implementer):
        raise Refused(f"{authority} requests it or carries it out. Name somebody else of the change authority.")


def verify(change: Change, *, by: By, at: datetime, reason: str = "") -> Change:
    """Record that the work is done, or the rollback: from now on it is looked at whether all is well.

    A rollback lasted until its last step was settled. Refused is raised while a step of the implementation, or of the
    rollback that is under way, waits for somebody.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "verify")
        settled_at = working.check_done(row)
        stamp(row, "verified", by=by, at=at)
        if row.is_rolling_back:
            row.rollback_ended_at = settled_at or at
        row.save()
        keep_period(row)
        for kind in (LATE_ROLLBACK, OVERRUN):
            deadlines.cancel(subject=row, kind=kind, at=at)
        rolled = row.rolled_back_at is not None
        say(row, "verified", "finished the rollback" if rolled else "finished the implementation", by=by, at=at,
            reason=reason)  # fmt: skip
    return row


def roll_back(change: Change, *, by: By, at: datetime, reason: str) -> Change:
    """Begin to undo a change by its rollback plan: the other steps end as they stand, and those of the way back begin.

    Its real duration is kept when it is verified.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "roll back", reason=reason)
        if row.rolled_back_at is not None:
            raise Refused("It is being rolled back already, or was.")
        stamp(row, "rolled_back", by=by, at=at)
        stamp(row, "verified", by=None, at=None)
        row.save()
        keep_period(row)
        say(row, "rolled_back", "began to roll it back", by=by, at=at, reason=reason)
        working.switch(row, by=by, at=at, reason=reason)
        if row.planned_end is not None and row.planned_end > at:  # verifying it has ended the watch
            deadlines.move(kind=OVERRUN, subject=row, started_at=at, due_at=row.planned_end)
    return row
