"""The stopwatch of a grave incident: how long its systems are away, and how old the data is that would come back.

Each system with an objective is measured against it. RTO counts from the declaration until nobody suffers any more; the
window of data loss is the age of the newest data of a verified backup. At half, three quarters and all of either,
whoever works on the incident is told, once each. What was reached is kept at the resolution, as a measurement of the
system's recovery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType

from incidents.enums import Status
from incidents.models import Incident
from portal.audit.actor import By
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.enums import ProofKind
from portal.directory.models import System
from portal.directory.recovery.facts import end_proof, record_proof
from portal.directory.recovery.reading import Standing, standings
from portal.lib import durations
from portal.records import services as records
from portal.records.models import Note

RECOVERY = "incident.recovery"
SYSTEM = "system: recovery"
GRAVE = 2
"""From this level on an incident is taken to mean that its systems must be brought back."""
SHARES = (50, 75, 100)
RTO, RPO = "rto", "rpo"
NAMES = {RTO: "RTO", RPO: "RPO"}
OVER = (Status.MITIGATED, Status.RESOLVED, Status.CLOSED, Status.CANCELLED, Status.MERGED)


@dataclass(frozen=True, slots=True)
class Measure:
    """One promise of one system, and how much of it is spent."""

    name: str
    limit: timedelta
    spent: timedelta | None

    @property
    def percent(self) -> int | None:
        """Return how much of the limit is spent, in whole percent rounded down; nothing when that is not known."""
        if self.spent is None:
            return None
        return int(self.spent * 100 / self.limit) if self.limit else 100

    @property
    def state(self) -> str:
        """Return the state of its clock: on track, at risk from three quarters on, missed."""
        share = self.percent
        return (
            "risk" if share is None or SHARES[1] <= share < SHARES[2] else "missed" if share >= SHARES[2] else "track"
        )

    @property
    def words(self) -> str:
        """Return what is spent, in words."""
        return "unknown" if self.spent is None else durations.words(self.spent.total_seconds())

    @property
    def limit_words(self) -> str:
        """Return the promise in words."""
        return durations.words(self.limit.total_seconds())


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The promises of one system on a grave incident, at a moment."""

    system: System
    measures: list[Measure]


def stopwatches(incident: Incident, systems: Iterable[System], *, at: datetime) -> list[Stopwatch]:
    """Return the stopwatch of each system with an objective; nothing for a milder incident. At most five queries.

    Nor is there one where nothing was kept: there was no incident, or another one goes on with it.
    """
    named = list(systems)
    if incident.severity.level > GRAVE or not named or incident.status in {Status.CANCELLED, Status.MERGED}:
        return []
    found = standings([system.pk for system in named], at=at)
    watches = [Stopwatch(system, measures_of(incident, found[system.pk], at=at)) for system in named]
    return [watch for watch in watches if watch.measures]


def measures_of(incident: Incident, standing: Standing, *, at: datetime) -> list[Measure]:
    """Return what is measured of one system until a moment, or until it was back."""
    back = back_at(incident)
    until = back or at
    promise, found = standing.promise, []
    if promise.rto is not None:
        found.append(Measure(RTO, promise.rto, max(until - incident.declared_at, timedelta(0))))
    if promise.rpo is not None:
        newest = standing.newest_data_at
        if back is not None and newest is not None and newest > back:
            newest = None  # it was backed up since: that says nothing of what would have been lost
        found.append(Measure(RPO, promise.rpo, None if newest is None else max(until - newest, timedelta(0))))
    return found


def back_at(incident: Incident) -> datetime | None:
    """Return when nobody suffered any more; nothing while somebody does."""
    return incident.mitigated_at or incident.resolved_at


def watch(incident: Incident, systems: Iterable[System], *, at: datetime) -> None:
    """Write down when each share of each promise is spent; what stands or was told already stays. Under its lock.

    Of an incident that is milder by now nothing is told any more, and of one that is graver again it is.
    """
    if incident.status in OVER:
        return
    if incident.severity.level > GRAVE:
        stop(incident, at=at)
        return
    known: dict[str, list[Deadline]] = {}
    fresh = []
    for one in stopwatches(incident, systems, at=at):
        if not known:
            for row in deadlines.of(incident, [RECOVERY]):
                known.setdefault(row.key, []).append(row)
        for measure in one.measures:
            fresh += _deadlines(incident, one.system, measure, known, at=at)
    deadlines.start_many(fresh)


def _deadlines(
    incident: Incident, system: System, measure: Measure, known: dict[str, list[Deadline]], *, at: datetime
) -> list[Deadline]:
    if measure.spent is None:
        return []
    began = at - measure.spent
    found = []
    for share in SHARES:
        key = f"{system.pk}:{measure.name}:{share}"
        rows = known.get(key, [])
        if any(row.state != DeadlineState.CANCELLED for row in rows):
            continue
        found.append(
            Deadline(
                kind=RECOVERY, subject_type=ContentType.objects.get_for_model(Incident), subject_id=incident.pk,
                key=key, generation=len(rows) + 1, started_at=at, due_at=max(began + measure.limit * share / 100, at),
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Passed:
    """A share of a promise that was passed just now: the gravest one, where several fell due at once."""

    row: Deadline
    incident: Incident
    system: System
    measure: Measure
    share: int


def passed(batch: list[tuple[Deadline, Incident]], at: datetime) -> tuple[list[Passed], list[Deadline]]:
    """Return what was passed, and the deadlines of what a newer backup has put off."""
    best: dict[tuple[int, int, str], Passed] = {}
    later: list[Deadline] = []
    systems = System.objects.in_bulk({int(row.key.split(":")[0]) for row, _ in batch})
    known = standings(systems, at=at)
    rows = Incident.objects.select_related("severity").in_bulk([incident.pk for _, incident in batch])
    for row, _ in batch:
        pk, name, share = row.key.split(":")
        incident, system = rows[row.subject_id], systems[int(pk)]
        if incident.status in OVER or incident.severity.level > GRAVE:
            continue
        mine = [one for one in measures_of(incident, known[system.pk], at=at) if one.name == name]
        if not mine or mine[0].spent is None:
            continue
        if (mine[0].percent or 0) < int(share):
            due_at = at - mine[0].spent + mine[0].limit * int(share) / 100
            later.append(
                Deadline(
                    kind=RECOVERY, subject_type_id=row.subject_type_id, subject_id=row.subject_id, key=row.key,
                    generation=row.generation + 1, started_at=at, due_at=max(due_at, at + timedelta(seconds=1)),
                )
            )  # fmt: skip
            continue
        there = best.get((incident.pk, system.pk, name))
        if there is None or there.share < int(share):
            best[incident.pk, system.pk, name] = Passed(row, incident, system, mine[0], int(share))
    return list(best.values()), later


def note_of(one: Passed, *, at: datetime) -> Note:
    """Return the line that says which share was passed."""
    what = NAMES[one.measure.name]
    away = "away for" if one.measure.name == RTO else "newest verified data is from before"
    return records.make_note(
        subject_type_id=one.row.subject_type_id, subject_id=one.incident.pk, by=SYSTEM, at=at,
        kind="missed" if one.share >= SHARES[-1] else "at_risk",
        text=f"saw {one.system.name} pass {one.share} % of its {what}",
        detail=f"The {what} is {one.measure.limit_words}; {away} {one.measure.words}.",
        data={"recovery": one.row.key, "percent": one.measure.percent},
    )  # fmt: skip


def stop(incident: Incident, *, at: datetime) -> None:
    """Stop the stopwatch and keep nothing: there was no incident, or another one goes on with it."""
    deadlines.cancel(subject=incident, kind=RECOVERY, at=at)


def take_back(incident: Incident, *, at: datetime) -> None:
    """Let what was measured at an earlier resolution prove nothing any more: its systems are away again."""
    end_proof(incident, at=at)


def leave(incident: Incident, systems: Iterable[System], *, at: datetime) -> None:
    """Tell nothing more of systems that the incident names no more. Under its lock."""
    for system in systems:
        waiting = deadlines.of(incident, [RECOVERY]).filter(state=DeadlineState.PENDING)
        waiting.filter(key__startswith=f"{system.pk}:").update(state=DeadlineState.CANCELLED, settled_at=at)


def settle(incident: Incident, systems: Iterable[System], *, by: By, at: datetime) -> None:
    """Stop the stopwatch and keep what was reached, in the timeline and as a measurement of each system's recovery.

    How much data was really lost is not known here, so that the measurement says nothing of it. A drill measures
    nothing. The caller holds the incident's lock.
    """
    stop(incident, at=at)
    if incident.is_drill:
        return
    back = back_at(incident) or at
    for one in stopwatches(incident, systems, at=back):
        took = back - incident.declared_at
        proof = record_proof(
            one.system, record=incident, kind=ProofKind.INCIDENT, reference=incident.reference, took=took, lost=None,
            by=by, at=at, measured_at=back,
        )  # fmt: skip
        reached = [f"{NAMES[m.name]} {m.words} of {m.limit_words}" for m in one.measures]
        records.write_note(
            incident, kind="recovered", text=f"measured the recovery of {one.system.name}: {', '.join(reached)}",
            detail=f"Kept as a measurement of its recovery: {proof.get_verdict_display().lower()}.", by=SYSTEM, at=at,
            data={
                "system": one.system.slug, "took_seconds": int(took.total_seconds()),
                "measures": {m.name: {"spent": m.spent and m.spent.total_seconds(), "limit": m.limit.total_seconds()}
                             for m in one.measures},
            },
        )  # fmt: skip
