"""The clocks of an incident: started from the severity table, and kept or missed for good.

Each clock is a Deadline of kind `incident.clock`. Its key is the clock's name, with a number for what comes later, such
as the next update or the clock of a reopened incident: `customers`, `customers.2`. A new generation of the same key
replaces one that a change of severity or a pause cancelled; the newest generation is the one that counts. A warning at
75 % is a Deadline of kind `incident.warning`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType

from incidents.enums import Audience
from incidents.models import Incident
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory import services as directory
from portal.directory.enums import Clock, LimitUnit
from portal.directory.models import SeverityClock, System
from portal.lib import businesstime, durations

CLOCK = "incident.clock"
WARNING = "incident.warning"
AT_RISK = 0.75


@dataclass(frozen=True, slots=True)
class Limit:
    """When a clock is due, and the facts that explain it."""

    due_at: datetime
    words: str
    facts: dict[str, Any]


def limit_of(rule: SeverityClock, *, systems: list[System], started_at: datetime) -> Limit | None:
    """Compute one clock from its rule. Nothing is returned for an objective that no affected system has."""
    if rule.unit == LimitUnit.BUSINESS_DAYS:
        calendar = directory.work_calendar_of(systems)
        due_at, skipped = businesstime.end_of_business_day(calendar, started_at, rule.limit)
        days = "the next business day" if rule.limit == 1 else f"{rule.limit} business days"
        return Limit(due_at, f"end of {days}", {"calendar": calendar.name, "skipped": skipped})
    if rule.unit == LimitUnit.OBJECTIVE:
        objective = directory.tightest_rto([system.pk for system in systems])
        if objective is None:
            return None
        minutes, system = objective
        words = durations.words(minutes * 60)
        return Limit(started_at + timedelta(minutes=minutes), words, {"system": system.name})
    return Limit(started_at + timedelta(minutes=rule.limit), durations.words(rule.limit * 60), {})


def rules_of(incident: Incident) -> dict[str, SeverityClock]:
    """Return the rules of the incident's severity by clock."""
    return {rule.clock: rule for rule in SeverityClock.objects.filter(severity_id=incident.severity_id)}


def base(key: str) -> str:
    """Return the clock's name in a key such as `customers.2`."""
    return key.partition(".")[0]


def newest(rows: Iterable[Deadline]) -> dict[str, Deadline]:
    """Return the newest generation of each key, in the order of due times."""
    found: dict[str, Deadline] = {}
    for row in sorted(rows, key=lambda row: row.generation):
        found[row.key] = row
    return dict(sorted(found.items(), key=lambda item: item[1].due_at))


def of(incident: Incident) -> dict[str, Deadline]:
    """Return the clocks of an incident by key, newest generation only."""
    return newest(deadlines.of(incident, kinds=[CLOCK]))


def start(
    incident: Incident,
    *,
    key: str,
    started_at: datetime,
    limit: Limit,
    generation: int = 1,
    why: str = "",
    pauses: list[dict[str, str]] | None = None,
) -> Deadline:
    """Start a clock and its warning at 75 % of the way."""
    payload = {
        "severity": incident.severity.code,
        "words": limit.words,
        "why": why,
        "pauses": pauses or [],
        **limit.facts,
    }
    common: dict[str, Any] = {"subject": incident, "key": key, "generation": generation, "started_at": started_at}
    deadline = deadlines.start(kind=CLOCK, due_at=limit.due_at, payload=payload, **common)
    warn_at = started_at + (limit.due_at - started_at) * AT_RISK
    deadlines.start(kind=WARNING, due_at=warn_at, payload={"due": limit.due_at.isoformat()}, **common)
    return deadline


def start_all(incident: Incident, *, systems: list[System], at: datetime, only: Iterable[str] | None = None) -> None:
    """Start the clocks that the severity asks for and that never ran, all from `at`."""
    existing = of(incident)
    for clock, rule in rules_of(incident).items():
        if (only is None or clock in only) and clock not in existing:
            limit = limit_of(rule, systems=systems, started_at=at)
            if limit is not None:
                start(incident, key=clock, started_at=at, limit=limit)


def restart(incident: Incident, *, systems: list[System], wanted: Iterable[str], at: datetime) -> None:
    """Start clocks anew from the reopening of an incident, beside those of its first life, which stay as they ended."""
    existing, rules = of(incident), rules_of(incident)
    for clock in sorted(set(wanted) & set(rules)):
        limit = limit_of(rules[clock], systems=systems, started_at=at)
        if limit is not None:
            start(incident, key=_next_key(existing, clock), started_at=at, limit=limit, why="reopened")


def _next_key(existing: Mapping[str, Deadline], clock: str) -> str:
    count = sum(1 for key in existing if base(key) == clock)
    return f"{clock}.{count + 1}" if count else clock


def current(incident: Incident, clock: str) -> Deadline | None:
    """Return the latest of a clock: that of the newest update or of the newest life of the incident."""
    keys = [row for key, row in of(incident).items() if base(key) == clock]
    return max(keys, key=lambda row: (len(row.key), row.key), default=None)


def meet(incident: Incident, *, clock: str, at: datetime) -> Deadline | None:
    """Settle a clock by the thing that it waited for; it is missed for good when that came too late.

    A message to an audience settles every clock that waits for one; anything else settles the latest clock only. The
    one that was due first is returned.
    """
    rows = of(incident).values() if clock in Audience.values else filter(None, [current(incident, clock)])
    waiting = [
        row
        for row in rows
        if base(row.key) == clock and row.met_at is None and row.state in (DeadlineState.PENDING, DeadlineState.FIRED)
    ]
    settled = [deadlines.meet(subject=incident, kind=CLOCK, key=row.key, at=at) for row in waiting]
    for row in waiting:
        deadlines.cancel(subject=incident, kind=WARNING, key=row.key, at=at)
    return settled[0] if settled else None


def cancel(incident: Incident, *, keys: Iterable[str], at: datetime) -> None:
    """Cancel running clocks. What was met or missed stays."""
    for key in keys:
        deadlines.cancel(subject=incident, kind=CLOCK, key=key, at=at)
        deadlines.cancel(subject=incident, kind=WARNING, key=key, at=at)


def recompute(incident: Incident, *, systems: list[System], at: datetime, why: str = "severity") -> None:
    """Fit the clocks to a new severity, or to other systems (`why`); a settled one stays.

    Each open clock is computed anew from its original start. One that did not run so far starts when the incident was
    declared; one that does not run any more is cancelled. A paused clock stays paused.
    """
    existing, rules = of(incident), rules_of(incident)
    for key, row in existing.items():
        if row.state in (DeadlineState.MET, DeadlineState.FIRED) or row.payload.get("paused"):
            continue
        if row.state == DeadlineState.CANCELLED and not row.payload.get("replaced"):
            continue
        _replace(incident, row, rules.get(base(key)), systems=systems, at=at, why=why)
    for clock, rule in rules.items():
        if clock not in existing and not (clock == Clock.ACTIVATION and incident.activated_at):
            limit = limit_of(rule, systems=systems, started_at=incident.declared_at)
            if limit is not None:
                start(incident, key=clock, started_at=incident.declared_at, limit=limit, why=why)


def _replace(
    incident: Incident, row: Deadline, rule: SeverityClock | None, *, systems: list[System], at: datetime, why: str
) -> None:
    limit = _limit_again(row, rule, systems) if rule is not None else None
    pending = row.state == DeadlineState.PENDING
    if why == "systems" and pending and limit is not None and limit.due_at == row.due_at:
        return
    if pending:
        cancel(incident, keys=[row.key], at=at)
        row.payload["replaced"] = True
        Deadline.objects.filter(pk=row.pk).update(payload=row.payload)
    if limit is not None:
        start(
            incident, key=row.key, started_at=row.started_at, limit=limit, generation=row.generation + 1,
            why="reopened" if row.payload.get("why") == "reopened" else why, pauses=row.payload.get("pauses"),
        )  # fmt: skip


def _limit_again(row: Deadline, rule: SeverityClock, systems: list[System]) -> Limit | None:
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


def repeat_limit(rule: SeverityClock, *, started_at: datetime) -> Limit | None:
    """Return when the next update is due after one at `started_at`, or nothing when none is asked for."""
    if not rule.repeat_minutes:
        return None
    return Limit(
        started_at + timedelta(minutes=rule.repeat_minutes), durations.words(rule.repeat_minutes * 60), {"repeat": True}
    )


def start_next_update(incident: Incident, *, audience: str, at: datetime) -> Deadline | None:
    """Start the clock of the next update to an audience, when the severity asks for one."""
    rule = rules_of(incident).get(audience)
    limit = repeat_limit(rule, started_at=at) if rule else None
    if limit is None:
        return None
    return start(incident, key=_next_key(of(incident), audience), started_at=at, limit=limit)


def running(incident: Incident) -> list[Deadline]:
    """Return the clocks that still run, soonest first."""
    return [row for row in of(incident).values() if row.state == DeadlineState.PENDING]


def owed(incident: Incident) -> list[Deadline]:
    """Return the first communications that nobody has recorded yet, whether running or missed."""
    return [
        row
        for key, row in of(incident).items()
        if key in Audience.values and row.met_at is None and row.state in (DeadlineState.PENDING, DeadlineState.FIRED)
    ]


def pause(incident: Incident, *, clock: str, at: datetime, reason: str) -> bool:
    """Stop a running clock for a reason; tell whether one was running."""
    row = current(incident, clock)
    if row is None or row.state != DeadlineState.PENDING:
        return False
    cancel(incident, keys=[row.key], at=at)
    row.payload["paused"] = {"from": at.isoformat(), "reason": reason, "left": (row.due_at - at).total_seconds()}
    Deadline.objects.filter(pk=row.pk).update(payload=row.payload)
    return True


def resume(incident: Incident, *, clock: str, at: datetime) -> bool:
    """Let a paused clock run on with the time that it had left; tell whether one was paused."""
    row = current(incident, clock)
    paused = row.payload.get("paused") if row is not None else None
    if row is None or not paused:
        return False
    pauses = [*row.payload.get("pauses", []), {**paused, "to": at.isoformat()}]
    facts = {name: row.payload[name] for name in ("calendar", "skipped", "system") if name in row.payload}
    limit = Limit(at + timedelta(seconds=paused["left"]), row.payload["words"], facts)
    start(
        incident,
        key=row.key,
        started_at=row.started_at,
        limit=limit,
        generation=row.generation + 1,
        why=row.payload.get("why", ""),
        pauses=pauses,
    )
    return True


def of_many(incident_ids: list[int]) -> dict[int, dict[str, Deadline]]:
    """Return the clocks of several incidents by incident and key, in one query."""
    rows: dict[int, list[Deadline]] = {}
    kind = ContentType.objects.get_for_model(Incident)
    for row in Deadline.objects.filter(subject_type=kind, subject_id__in=incident_ids, kind=CLOCK):
        rows.setdefault(row.subject_id, []).append(row)
    return {incident_id: newest(found) for incident_id, found in rows.items()}
