"""Assessing the risk of a change, finding what is in its way, and putting it into the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

from changes import conflicts, policy, risk
from changes.enums import ChangeType, Impact, Likelihood, Outcome, Status, Weight
from changes.models import Change, RiskBand, RiskRule
from changes.policy import NotYours, Refused
from changes.services import deciding
from changes.services.common import account_of, keep_period, locked, move, say
from changes.services.drafting import check_follows
from changes.services.releasing import check_matrix
from portal.approvals import services as approvals
from portal.approvals.policy import Refused as NotDecided
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.directory.models import RecoveryObjective
from portal.records.models import Period

LOOK_BACK = timedelta(days=365)
SYSTEM = "system: changes"


def assess(
    change: Change, *, impact: int, likelihood: int, by: By, at: datetime, reason: str = "", ask: bool = True
) -> Change:
    """Assess the risk of a submitted change, and ask for its approval by the stages that the risk chooses.

    A standard change is approved with this: its template was. NotYours is raised for the requester and the implementer
    of any other, Refused for numbers that are none.
    """
    try:
        impact_, likelihood_ = Impact(impact), Likelihood(likelihood)
    except ValueError:
        raise Refused("Choose an impact and a likelihood from the list.") from None
    deciding.follow(change, at=at)  # what was rejected elsewhere is not asked for under another risk
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "assess")
        if row.type != ChangeType.STANDARD and account_of(by) in (row.requester, row.implementer):
            part = "request it" if account_of(by) == row.requester else "carry it out"
            raise NotYours(f"You {part} yourself. Somebody else assesses its risk: it chooses who decides.")
        found = risk.assess(
            impact=impact_,
            likelihood=likelihood_,
            record=record_of(row, at=at),
            points=dict(RiskRule.objects.values_list("slug", "points")),
            bands=RiskBand.objects.values_list("level", "from_points"),
        )
        row.impact, row.likelihood = int(impact_), int(likelihood_)
        row.risk_points, row.risk_level = found.points, found.level
        row.risk_sum = [part.as_json() for part in found.parts]
        stamp(row, "assessed", by=by, at=at)
        row.save()
        say(row, "assessed", f"assessed its risk as {found.level.label.lower()}, {found.points} points", by=by, at=at,
            reason=reason)  # fmt: skip
        if row.type == ChangeType.STANDARD:
            _approve_standard(row, at=at)
        elif ask:
            _forget(row, at=at)
            deciding.ask_held(row, by=by, at=at, reason=reason or f"Assessed as {found.level.label.lower()} risk")
    return row


def _forget(row: Change, *, at: datetime) -> None:
    """Void the request that stood for the change as it was assessed before."""
    request = approvals.standing(row).request
    if request is not None and request.is_live:
        approvals.notice(request, at=at)


def _approve_standard(row: Change, *, at: datetime) -> None:
    assert row.template is not None  # noqa: S101 - a standard change has one: drafting sees to it
    check_follows(row, row.template)
    standing = approvals.standing(row.template)
    row.status = policy.next_status("approve", row.status)
    row.approved_at = standing.at or at
    row.approved_by = (", ".join(standing.by) or f"template {row.template}")[:500]
    row.save()
    say(row, "approved", f"is approved by its template, {row.template}, version {row.template_version}", by=SYSTEM,
        at=at)  # fmt: skip


def record_of(change: Change, *, at: datetime) -> risk.Record:
    """Return what the record of the change's systems says at this moment."""
    systems = list(change.systems.values_list("pk", flat=True))
    closed = Change.objects.filter(status=Status.CLOSED, closed_at__gte=at - LOOK_BACK, systems__in=systems).distinct()
    bad = closed.filter(outcome__in=[Outcome.FAILED, Outcome.ROLLED_BACK])
    open_now = Period.objects.filter(kind=conflicts.INCIDENT, system__in=systems, ends=None)
    rtos = RecoveryObjective.objects.filter(system__in=systems, rto_minutes__isnull=False)
    return risk.Record(
        failed=bad.count(),
        carried_out=closed.count(),
        open_incidents=tuple(sorted({_named(period) for period in open_now.select_related("record_type")})),
        rto_minutes=min(rtos.values_list("rto_minutes", flat=True), default=None),
    )


def _named(period: Period) -> str:
    return "a restricted one" if conflicts.is_hidden(period) else period.reference


def conflicts_of(change: Change) -> list[conflicts.Conflict]:
    """Return what stands in the way of a change at its planned time, as things are now."""
    return conflicts.of_change(change)


def stops(change: Change) -> list[conflicts.Conflict]:
    """Return those conflicts that a change cannot pass."""
    return [one for one in conflicts_of(change) if one.weight == Weight.STOPS]


def check_stops(change: Change) -> None:
    """Refuse while something stops a change; the sentence names all of it."""
    found = stops(change)
    if found:
        raise Refused(" ".join(f"{one.title}. {one.detail}" for one in found))


def check_freezes(change: Change, *, since: datetime) -> None:
    """Refuse while a freeze lasts from `since` to the end of the slot: whoever begins early begins in it."""
    found = conflicts.freezes_of(change, since=since)
    if found:
        raise Refused(" ".join(f"{one.title}. {one.detail}" for one in found))


def schedule(change: Change, *, by: By, at: datetime, reason: str = "") -> Change:
    """Put an approved change into the schedule.

    Refused is raised while its content is not approved exactly as it stands, its release checklist has an open cell,
    its slot has passed, or something stops it.
    """
    deciding.follow(change, at=at)
    with locked(change, by=by, at=at, reason=reason) as row:
        move(row, "schedule")
        check_decided(row)
        policy.check_slot(row.planned_start, row.planned_end, at=at)
        check_matrix(row)
        check_stops(row)
        stamp(row, "scheduled", by=by, at=at)
        row.save()
        keep_period(row)
        say(row, "scheduled", "scheduled the change", by=by, at=at, reason=reason)
    return row


def check_decided(row: Change) -> None:
    """Refuse a change whose content is not approved exactly as it stands, or whose template no longer is."""
    if row.type == ChangeType.STANDARD:
        if row.template is None:
            raise Refused("Its template is gone. Make a normal change.")
        check_follows(row, row.template)
        return
    try:
        approvals.check_approved(row)
    except NotDecided as problem:
        raise Refused(str(problem)) from None
