"""What changes clocks that run: another severity or other systems, a pause, a reopening.

Each open clock is computed anew from its original start. What was met stays met and what was missed stays missed,
whether or not a sweep has noticed. What a clock waits for counts also when it came while no clock asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from incidents.clocks.timing import (
    CLOCK,
    WARNING,
    Limit,
    base,
    cancel,
    current,
    giver,
    limit_of,
    next_key,
    of,
    repeat_limit,
    rules_of,
    start,
    start_next_update,
)
from incidents.enums import Audience
from incidents.models import Incident
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.enums import Clock
from portal.directory.models import SeverityClock, System
from portal.records import services as records

REOPENED = "reopened"


def restart(incident: Incident, *, systems: list[System], wanted: Iterable[str], at: datetime) -> None:
    """Start clocks anew from the reopening of an incident, beside those of its first life, which stay as they ended.

    A first message whose clock was cancelled with the incident is owed again, from the reopening; a skipped one is not.
    """
    existing, rules = of(incident), rules_of(incident)
    for clock in sorted(set(wanted) & set(rules)):
        limit = limit_of(rules[clock], systems=systems, started_at=at)
        if limit is not None:
            start(incident, key=next_key(existing, clock), started_at=at, limit=limit, why=REOPENED)
    for audience in sorted(set(Audience.values) & set(rules) & set(existing)):
        row = existing[audience]
        limit = limit_of(rules[audience], systems=systems, started_at=at)
        if row.state == DeadlineState.CANCELLED and not row.payload.get("skip") and limit is not None:
            start(
                incident, key=audience, started_at=at, limit=limit, generation=row.generation + 1, why=REOPENED
            )  # fmt: skip


def recompute(incident: Incident, *, systems: list[System], at: datetime, why: str = "severity") -> None:
    """Fit the clocks to a new severity, or to other systems (`why`); a settled one stays.

    Each open clock is computed anew from its original start. One that did not run so far starts when the incident was
    declared or last reopened; one that does not run any more is cancelled. A paused clock stays paused, with the time
    that is left by the new limit.
    """
    existing, rules = of(incident), rules_of(incident)
    for key, row in existing.items():
        rule = rules.get(base(key))
        if row.payload.get("paused"):
            _recompute_paused(incident, row, rule, systems=systems, at=at, why=why)
        elif _is_open(row, at):
            _replace(incident, row, rule, systems=systems, at=at, why=why)
    missing = [clock for clock in rules if clock not in existing]
    begun = reopened_at(incident) if missing else None
    for clock in missing:
        started_at = begun or incident.declared_at
        limit = limit_of(rules[clock], systems=systems, started_at=started_at)
        if limit is not None:
            _begin(incident, at=at, key=clock, started_at=started_at, limit=limit, why=REOPENED if begun else why)


def _is_open(row: Deadline, at: datetime) -> bool:
    """Tell whether a clock runs, or was cancelled only because nothing asked for it."""
    if row.state == DeadlineState.PENDING:
        return row.due_at >= at  # later it is missed: the next sweep says so
    return row.state == DeadlineState.CANCELLED and bool(row.payload.get("replaced"))


def _replace(
    incident: Incident, row: Deadline, rule: SeverityClock | None, *, systems: list[System], at: datetime, why: str
) -> None:
    limit = _limit_again(row, rule, systems)
    pending = row.state == DeadlineState.PENDING
    if why == "systems" and pending and limit is not None and limit.due_at == row.due_at:
        return
    if pending:
        cancel(incident, keys=[row.key], at=at)
        _keep(row, replaced=True)
    if limit is not None:
        _begin(
            incident, at=at, key=row.key, started_at=row.started_at, limit=limit, generation=row.generation + 1,
            why=_why(row, why), pauses=row.payload.get("pauses"),
        )  # fmt: skip


def _why(row: Deadline, why: str) -> str:
    return REOPENED if row.payload.get("why") == REOPENED else why


def _begin(incident: Incident, *, at: datetime, key: str, started_at: datetime, limit: Limit, **more: Any) -> None:
    """Start a clock. What it waits for may have come while no clock asked for it; then that settles it."""
    start(incident, key=key, started_at=started_at, limit=limit, **more)
    done = _done_at(incident, key, since=started_at)
    if done is None:
        return
    deadlines.meet(subject=incident, kind=CLOCK, key=key, at=done)
    deadlines.cancel(subject=incident, kind=WARNING, key=key, at=at)
    if base(key) in Audience.values:
        start_next_update(incident, audience=base(key), at=at)


def _done_at(incident: Incident, key: str, *, since: datetime) -> datetime | None:
    """Return when what a clock waits for was recorded, if it was."""
    clock = base(key)
    if clock in Audience.values:
        told = records.timeline(incident).filter(kind="update", audience=clock)
        # The clock of a next update starts with the update before it.
        told = told.filter(recorded_at__gt=since) if key != clock else told.filter(recorded_at__gte=since)
        return told.order_by("id").values_list("recorded_at", flat=True).first()
    return {Clock.RESPONSE: incident.acknowledged_at, Clock.ACTIVATION: incident.activated_at}.get(Clock(clock))


def reopened_at(incident: Incident) -> datetime | None:
    """Return when the incident was last reopened, if ever."""
    notes = records.timeline(incident).filter(kind="reopened").order_by("-id")
    return notes.values_list("recorded_at", flat=True).first()


def _limit_again(row: Deadline, rule: SeverityClock | None, systems: list[System]) -> Limit | None:
    if rule is None:
        return None
    limit = (
        repeat_limit(rule, started_at=row.started_at)
        if row.payload.get("repeat")
        else limit_of(rule, systems=systems, started_at=row.started_at)
    )
    if limit is None:
        return None
    paused = sum((_length(pause) for pause in row.payload.get("pauses", [])), timedelta())
    return Limit(limit.due_at + paused, limit.words, limit.facts)


def _length(pause: Mapping[str, str]) -> timedelta:
    return datetime.fromisoformat(pause["to"]) - datetime.fromisoformat(pause["from"])


def _keep(row: Deadline, **facts: Any) -> None:
    row.payload.update(facts)
    Deadline.objects.filter(pk=row.pk).update(payload=row.payload, due_at=row.due_at)


def pause(incident: Incident, *, clock: str, at: datetime, reason: str) -> bool:
    """Stop a running clock for a reason; tell whether one was running. One whose limit has passed is missed."""
    row = current(incident, clock)
    if row is None or row.state != DeadlineState.PENDING or row.due_at < at:
        return False
    cancel(incident, keys=[row.key], at=at)
    _keep(row, paused={"from": at.isoformat(), "reason": reason, "left": (row.due_at - at).total_seconds()})
    return True


def resume(incident: Incident, *, clock: str, at: datetime) -> bool:
    """Let a paused clock run on with the time that it had left; tell whether one was paused."""
    row = current(incident, clock)
    paused = row.payload.get("paused") if row is not None else None
    if row is None or not paused:
        return False
    facts = {name: row.payload[name] for name in ("calendar", "skipped", "system") if name in row.payload}
    limit = Limit(at + timedelta(seconds=paused["left"]), row.payload["words"], facts)
    start(
        incident,
        key=row.key,
        started_at=row.started_at,
        limit=limit,
        generation=row.generation + 1,
        why=row.payload.get("why", ""),
        pauses=_pauses(row, at),
    )
    return True


def skip(incident: Incident, *, key: str, by: str, at: datetime, reason: str) -> bool:
    """Cancel a running clock because what it waits for is not done, and keep why; tell whether it was running.

    One whose limit has passed is missed, whether or not a sweep has noticed.
    """
    row = of(incident).get(key)
    if row is None or row.state != DeadlineState.PENDING or row.due_at < at:
        return False
    cancel(incident, keys=[key], at=at)
    _keep(row, skip={"reason": reason, "by": by, "at": at.isoformat()})
    return True


def end_pause(incident: Incident, *, clock: str, at: datetime) -> None:
    """Let a paused clock be a cancelled one: nothing is waited for any more."""
    row = current(incident, clock)
    if row is not None and row.payload.get("paused"):
        _keep(row, pauses=_pauses(row, at), paused=None)


def _pauses(row: Deadline, at: datetime) -> list[dict[str, Any]]:
    return [*row.payload.get("pauses", []), {**row.payload["paused"], "to": at.isoformat()}]


def _recompute_paused(
    incident: Incident, row: Deadline, rule: SeverityClock | None, *, systems: list[System], at: datetime, why: str
) -> None:
    limit = _limit_again(row, rule, systems)
    if limit is None:
        _keep(row, pauses=_pauses(row, at), paused=None, replaced=True)
        return
    if limit.due_at == row.due_at and why == "systems":
        return
    row.due_at = limit.due_at
    paused = row.payload["paused"]
    left = (limit.due_at - datetime.fromisoformat(paused["from"])).total_seconds()
    facts = {"severity": giver(incident, row.key), "words": limit.words, **limit.facts}
    _keep(row, paused={**paused, "left": left}, why=_why(row, why), **facts)
