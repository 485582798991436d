"""Mitigate, resolve, close, reopen, cancel."""

from __future__ import annotations

from datetime import datetime

from incidents import clocks, escalation, recovering
from incidents.enums import Audience, IncidentType, Status
from incidents.models import Alert, Communication, Incident
from incidents.policy import Refused
from incidents.services import expiring
from incidents.services.common import PERIOD, contact_of, locked, move, open_period, say, systems_of
from incidents.services.declaring import page_security_lead
from incidents.services.responding import _join, result_of
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.directory.enums import Clock
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.runbooks.checklists import services as checklists


def mitigate(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Record that nobody suffers any more, though the cause may remain."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "mitigate")
        stamp(row, "mitigated", by=by, at=at)
        row.save()
        say(row, "mitigated", "recorded the mitigation", by=by, at=at, reason=reason)
    return row


def resolve(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Record that the cause is removed. First messages that are still owed stay owed; everything else stops."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        _resolve(row, "resolve", by=by, at=at, reason=reason)
    return row


def resolve_by_source(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Resolve because the source of the alert says so: states may be skipped, and nobody counts as having answered."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        _resolve(row, "resolve by source", by=by, at=at, reason=reason)
    return row


def _resolve(row: Incident, verb: str, *, by: By, at: datetime, reason: str) -> None:
    move(row, verb)
    stamp(row, "resolved", by=by, at=at)
    cancelled = escalation.stop(row, at=at, over=True)
    expiring.stop(row, at=at)
    row.save()
    clocks.resume(row, clock=Clock.RESOLVE, at=at)
    clock = clocks.meet(row, clock=Clock.RESOLVE, at=at)
    settle_clocks(row, at=at)
    records.close_periods(row, kind=PERIOD, ends=at)
    recovering.settle(row, systems_of(row), by=by, at=at)
    words = f"{cancelled} unsent message{'' if cancelled == 1 else 's'} cancelled." if cancelled else ""
    say(row, "resolved", "resolved", by=by, at=at, reason=reason,
        detail=" ".join(filter(None, [words, result_of(clock, "resolve")])))  # fmt: skip


def settle_clocks(row: Incident, *, at: datetime, all_: bool = False) -> None:
    """Stop what has lost its meaning; a first message that is owed runs on, unless `all_`.

    A limit that has passed is missed, though no sweep has noticed yet. Nobody is told: the incident is over.
    """
    keys = [one.key for one in clocks.running(row) if all_ or one.key not in Audience.values]
    for one in clocks.stop(row, keys=keys, at=at):
        say(
            row, "missed", f"saw the {Clock(clocks.base(one.key)).label.lower()} deadline pass", by="system: clocks",
            at=at, detail=f"The limit was {one.payload.get('words', '')}. It stays missed.", data={"clock": one.key},
        )  # fmt: skip


def open_ends(incident: Incident) -> list[str]:
    """Return what is still open and keeps a resolved incident from being closed, a sentence each."""
    ends = [f"{Audience(row.key).label} were never told. Post an update to them." for row in clocks.owed(incident)]
    waiting = Communication.objects.filter(incident=incident, state__in=["waiting", "approved"]).order_by("pk")
    ends += [
        f"A message to {row.get_audience_display().lower()} is not sent yet. Send or withdraw it." for row in waiting
    ]
    # A revoked source can never say that its alert stopped.
    firing = Alert.objects.filter(incident=incident, firing=True, token__revoked_at=None)
    return ends + [f"The alert “{title}” still fires." for title in firing.values_list("title", flat=True)]


def end_alerts(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Say that alerts behind a resolved incident are over though their source never said so. It needs a reason."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.status != Status.RESOLVED:
            raise Refused("Resolve the incident first. Then say which alerts are over.")
        if is_blank(reason):
            raise Refused("Say how you know that they are over. The reason is kept.")
        firing = Alert.objects.filter(incident=row, firing=True)
        titles = list(firing.values_list("title", flat=True))
        if not titles:
            raise Refused("No alert of this incident fires any more.")
        firing.update(firing=False)
        named = ", ".join(f"“{title}”" for title in titles)
        say(row, "alerts", f"called over what its source never did: {named}", by=by, at=at, reason=reason)
    return row


def close(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Close a resolved incident. Refused names everything that is still open."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "close")
        ends = open_ends(row)
        if ends:
            raise Refused("It cannot be closed yet. " + " ".join(ends))
        stamp(row, "closed", by=by, at=at)
        row.save()
        checklists.end_all(row, by=by, at=at, reason="The incident is closed.")
        say(row, "closed", "closed", by=by, at=at, reason=reason)
    return row


def cancel(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Take back an incident that was none. Escalation, clocks and unsent messages stop."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "cancel", reason=reason)
        stamp(row, "cancelled", by=by, at=at)
        escalation.stop(row, at=at, over=True)
        expiring.stop(row, at=at)
        row.save()
        clocks.end_pause(row, clock=Clock.RESOLVE, at=at)
        settle_clocks(row, at=at, all_=True)
        recovering.stop(row, at=at)
        records.void_periods(row, kind=PERIOD)
        checklists.end_all(row, by=by, at=at, reason="The incident is cancelled.")
        say(row, "cancelled", "cancelled", by=by, at=at, reason=reason)
    return row


def reopen(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Open it again by hand, with a reason: it counts as acknowledged by whoever reopens it."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "reopen", reason=reason)
        _clear_ends(row)
        stamp(row, "acknowledged", by=by, at=at)
        row.save()
        expiring.start(row, by=by, at=at)
        _restart(row, by=by, at=at)
        say(row, "reopened", "reopened", by=by, at=at, reason=reason)
        _join(row, contact_of(by), by=by, at=at, quiet=True)
    return row


def reopen_by_source(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Open it again because its alert fires again: declared once more, and the escalation restarts."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "reopen by source")
        _clear_ends(row)
        stamp(row, "acknowledged", by=None, at=None)
        row.generation += 1
        row.save()
        _restart(row, by=by, at=at, response=True)
        say(row, "reopened", "reopened it: the alert fires again", by=by, at=at, reason=reason)
        escalation.start(row, systems=systems_of(row), at=at)
        if row.type == IncidentType.SECURITY:
            page_security_lead(row, systems=systems_of(row), at=at)
    return row


def _clear_ends(row: Incident) -> None:
    if row.dedup_key and Incident.objects.open().filter(dedup_key=row.dedup_key).exclude(pk=row.pk).exists():
        raise Refused("Its alert has opened another incident meanwhile. Work on that one.")
    for name in ("mitigated", "resolved", "closed", "cancelled"):
        stamp(row, name, by=None, at=None)


def _restart(row: Incident, *, by: By, at: datetime, response: bool = False) -> None:
    """Start from the reopening what runs on an open incident; what was met or missed before stays."""
    affected = systems_of(row)
    recovering.take_back(row, at=at)
    open_period(row, affected, at=at)
    wanted = {Clock.RESOLVE.value} | ({Clock.RESPONSE.value} if response else set())
    if row.activated_at is None:
        wanted.add(Clock.ACTIVATION.value)
    clocks.restart(row, systems=affected, wanted=wanted, at=at)
    recovering.watch(row, affected, at=at)
    checklists.resume_all(row, by=by, at=at, reason="The incident is open again.")
    for key, clock in clocks.of(row).items():
        if key in Audience.values and clock.met_at is not None:
            clocks.start_next_update(row, audience=key, at=at)
