"""Restore tests: recorded with what they measured, which proves what is promised of the system, or does not."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from maintenance import policy
from maintenance.enums import Source, State
from maintenance.models import Occurrence, RestoreTest
from maintenance.policy import RESTORE, Refused
from maintenance.schedule import Due, Impossible, following
from maintenance.services.common import say
from maintenance.services.completing import complete
from portal.audit.actor import By, acting, actor_of
from portal.directory.enums import ProofKind
from portal.directory.models import RecoveryProof, System
from portal.directory.recovery import facts
from portal.lib.blank import is_blank
from portal.records import services as records


def record_restore_test(
    system: System,
    *,
    started_at: datetime,
    ended_at: datetime,
    succeeded: bool,
    by: By,
    at: datetime,
    newest_recovered_at: datetime | None = None,
    performed_by: str = "",
    found: str = "",
    reason: str = "",
) -> tuple[RestoreTest, RecoveryProof]:
    """Keep a restore test, and what it proves. Return both.

    Where a plan asks for it, a test that succeeded does its date, and the proof holds until the next one is due past
    its grace. One that failed leaves the date open. Refused is raised for what cannot be.
    """
    policy.check_restore(started_at, ended_at, newest_recovered_at, at=at)
    if not succeeded and is_blank(found):
        raise Refused("It failed. Say in a few sentences what happened, so that it can be mended.")
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        System.objects.select_for_update(of=("self",)).values_list("pk").get(pk=system.pk)
        date = scheduled(system)
        name = actor_of(by).name
        test = RestoreTest(
            reference=records.next_reference(RESTORE), system=system, occurrence=date, started_at=started_at,
            ended_at=ended_at, newest_recovered_at=newest_recovered_at if succeeded else None, succeeded=succeeded,
            found=found.strip(), performed_by=performed_by.strip() or name, recorded_at=at, recorded_by=name,
        )  # fmt: skip
        test.save()
        until = None
        if date is not None and succeeded:
            until = _do(date, test, by=by, at=at)
        elif date is not None:
            say(date, "failed", f"failed in {test.reference}; it stays due", by=by, at=at, event_at=ended_at)
        proof = facts.record_proof(
            system, record=test, kind=ProofKind.RESTORE, reference=test.reference, took=test.took, lost=test.lost,
            succeeded=succeeded, measured_at=ended_at, proven_until=until, by=by, at=at,
        )  # fmt: skip
        say(
            test,
            "recorded",
            f"recorded the test: {proof.get_verdict_display().lower()}",
            by=by,
            at=at,
            event_at=ended_at,
        )
    return test, proof


def scheduled(system: System) -> Occurrence | None:
    """Return the date of a restore test of the system that stands open, the nearest one."""
    rows = Occurrence.objects.filter(state=State.OPEN, plan__proves_recovery=True, plan__systems=system)
    found: Occurrence | None = rows.select_related("plan").order_by("due_at", "pk").first()
    return found


def _do(date: Occurrence, test: RestoreTest, *, by: By, at: datetime) -> datetime | None:
    """Do the date once each system of its plan was restored; return until when the proof holds, if a date says so.

    A test that is for this date holds until the next one is due past its grace, though other systems are still to be
    restored.
    """
    plan = date.plan
    grace = timedelta(days=plan.grace_days)
    if test.ended_at < date.starts_at:
        return date.due_at + grace
    systems = set(plan.systems.values_list("pk", flat=True))
    rows = RestoreTest.objects.filter(system__in=systems, succeeded=True, ended_at__gte=date.starts_at)
    if systems <= set(rows.values_list("system_id", flat=True)):
        complete(
            date, by=by, at=at, done_at=min(test.ended_at, at), source=Source.TEST, found=f"Done by {test.reference}.",
            late_because=f"The test {test.reference} was recorded later.",
        )  # fmt: skip
        standing = plan.occurrences.filter(state=State.OPEN).order_by("-number").first()
        return None if standing is None else standing.due_at + grace
    due = Due(date.scheduled_on, date.due_on, date.due_at)
    try:
        return following(plan.as_rule(), plan.anchor, test.ended_at, plan.zone, fulfilled=due).due_at + grace
    except Impossible:
        return None
