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
from typing import Any, TypedDict, Unpack

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
    """Return the rules of the incident's severity by clock.

    Executives are told of major incidents. Where somebody said otherwise than the severity does, their clock follows
    what was said: with the limit of the mildest level that counts as major, or not at all.
    """
    rules = {rule.clock: rule for rule in SeverityClock.objects.filter(severity_id=incident.severity_id)}
    if incident.severity.is_major and not incident.is_major:
        rules.pop(Clock.EXECUTIVES, None)
    elif incident.is_major and not incident.severity.is_major and Clock.EXECUTIVES not in rules:
        of_major = SeverityClock.objects.filter(clock=Clock.EXECUTIVES, severity__is_major=True)
        mildest = of_major.order_by("-severity__level").first()
        if mildest is not None:
            rules[Clock.EXECUTIVES] = mildest
    return rules


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


class More(TypedDict, total=False):
    """What a clock may have beside: its generation, why it runs in words, and the pauses before."""

    generation: int
    why: str
    pauses: list[dict[str, str]]


def start(incident: Incident, *, key: str, started_at: datetime, limit: Limit, **more: Unpack[More]) -> Deadline:
    """Start a clock and its warning."""
    deadline, warning = _rows(incident, key=key, started_at=started_at, limit=limit, **more)
    deadline.save(force_insert=True)
    warning.save(force_insert=True)
    return deadline


def _rows(
    incident: Incident, *, key: str, started_at: datetime, limit: Limit, **more: Unpack[More]
) -> tuple[Deadline, Deadline]:
    """Return a clock, and its warning at 75 % of the way."""
    payload = {
        "severity": giver(incident, key),
        "words": limit.words,
        "why": more.get("why", ""),
        "pauses": more.get("pauses") or [],
        **limit.facts,
    }
    common: dict[str, Any] = {"subject": incident, "key": key, "started_at": started_at}
    common["generation"] = more.get("generation", 1)
    warn_at = started_at + (limit.due_at - started_at) * AT_RISK
    return (
        deadlines.new(kind=CLOCK, due_at=limit.due_at, payload=payload, **common),
        deadlines.new(kind=WARNING, due_at=warn_at, payload={"due": limit.due_at.isoformat()}, **common),
    )


def giver(incident: Incident, key: str) -> str:
    """Return what gives a clock its limit, as the explanation names it."""
    said = incident.is_major and not incident.severity.is_major
    return "A major incident" if said and base(key) == Clock.EXECUTIVES else incident.severity.code


def start_all(incident: Incident, *, systems: list[System], at: datetime, only: Iterable[str] | None = None) -> None:
    """Start the clocks that the severity asks for and that never ran, all from `at`."""
    existing = of(incident)
    started: list[Deadline] = []
    for clock, rule in rules_of(incident).items():
        if (only is None or clock in only) and clock not in existing:
            limit = limit_of(rule, systems=systems, started_at=at)
            if limit is not None:
                started += _rows(incident, key=clock, started_at=at, limit=limit)
    deadlines.start_many(started)


def next_key(existing: Mapping[str, Deadline], clock: str) -> str:
    """Return the key of what comes after those of this clock, such as `customers.2`."""
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


def stop(incident: Incident, *, keys: Iterable[str], at: datetime) -> list[Deadline]:
    """Stop running clocks, and return those whose limit has passed: they are missed, though no sweep has noticed."""
    wanted = set(keys)
    missed = [row for row in running(incident) if row.key in wanted and row.due_at < at]
    for row in missed:
        row.state, row.settled_at = DeadlineState.FIRED, at
        row.lateness = (at - row.due_at).total_seconds()
        row.save(update_fields=["state", "settled_at", "lateness"])
    cancel(incident, keys=wanted, at=at)
    return missed


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
    return start(incident, key=next_key(of(incident), audience), started_at=at, limit=limit)


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


def of_many(incident_ids: list[int]) -> dict[int, dict[str, Deadline]]:
    """Return the clocks of several incidents by incident and key, in one query."""
    rows: dict[int, list[Deadline]] = {}
    kind = ContentType.objects.get_for_model(Incident)
    for row in Deadline.objects.filter(subject_type=kind, subject_id__in=incident_ids, kind=CLOCK):
        rows.setdefault(row.subject_id, []).append(row)
    return {incident_id: newest(found) for incident_id, found in rows.items()}
