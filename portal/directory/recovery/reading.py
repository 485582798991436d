"""What is promised and known of recovery, read in a fixed number of queries however many systems there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F

from portal.directory.enums import Verdict
from portal.directory.models import Dependency, RecoveryObjective, RecoveryProof, RecoveryStanding, System
from portal.directory.recovery import policy
from portal.directory.recovery.policy import NOTHING, Conflict, Judged, Measured, Outcome, Promise, Proof

HIDDEN = "A proof that you may not see"


@dataclass(frozen=True, slots=True)
class Standing:
    """One system's recovery at a moment: what is promised, how old its newest verified data is, what is proven."""

    system_id: int
    promise: Promise
    newest_data_at: datetime | None
    newest_backup_at: datetime | None
    exposure: timedelta | None
    proof: RecoveryProof | None
    judged: Judged

    @property
    def exposed(self) -> Verdict:
        """How the data that would be lost now stands to the RPO. Without a verified backup, or a promise: unknown."""
        return _exposed(self.exposure, self.promise)


class Brief(NamedTuple):
    """One system's recovery at a moment without its words, as lists count it."""

    outcome: Outcome
    exposed: Verdict


def _exposed(exposure: timedelta | None, promise: Promise) -> Verdict:
    if exposure is None or promise.rpo is None:
        return Verdict.UNKNOWN
    return Verdict.MET if exposure <= promise.rpo else Verdict.NOT_MET


def _own() -> dict[int, Promise]:
    rows = RecoveryObjective.objects.filter(system__active=True).order_by()
    found = rows.values_list("system_id", "rto_minutes", "rpo_minutes", "mtd_minutes")
    return {pk: Promise(_span(rto), _span(rpo), _span(mtd)) for pk, rto, rpo, mtd in found}


def _span(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


def needs() -> list[tuple[int, int]]:
    """Return which system needs which, of those in use. One query."""
    rows = Dependency.objects.filter(system__active=True, needs__active=True).order_by()
    return list(rows.values_list("system_id", "needs_id"))


def _parts() -> list[tuple[int, int]]:
    rows = System.objects.filter(active=True, parent__active=True).order_by()
    return list(rows.values_list(F("parent_id"), F("pk")))


def promises(system_ids: Iterable[int] | None = None) -> dict[int, Promise]:
    """Return what is promised of these systems, or of all with a promise, inherited ones included. Three queries."""
    found = policy.inherit(_own(), [*needs(), *_parts()])
    return found if system_ids is None else {pk: found.get(pk, NOTHING) for pk in system_ids}


def conflicting(promised: Mapping[int, Promise], *, user: Any = None) -> list[Conflict]:
    """Return where promises contradict, between systems that the reader may see where one is named."""
    edges = needs()
    if user is not None:
        seen = Dependency.objects.visible_to(user).values_list("system_id", "needs_id")
        edges = [*set(edges).intersection(seen)]
    return policy.conflicts(promised, edges)


def standings(
    system_ids: Iterable[int], *, at: datetime, user: Any = None, promised: Mapping[int, Promise] | None = None
) -> dict[int, Standing]:
    """Return how the recovery of each of these systems stands at a moment.

    Proofs that a reader may not see are named to nobody, but count. Five queries, three less with `promised`.
    """
    ids = list(system_ids)
    known = promises() if promised is None else promised
    rows = {row.system_id: row for row in RecoveryStanding.objects.filter(system__in=ids).select_related("last_proof")}
    proofs = {row.last_proof_id for row in rows.values() if row.last_proof_id}
    if user is not None and proofs:
        proofs &= set(RecoveryProof.objects.visible_to(user).filter(pk__in=proofs).values_list("pk", flat=True))
    return {pk: _standing(pk, known.get(pk, NOTHING), rows.get(pk), proofs, at) for pk in ids}


def briefs(system_ids: Iterable[int], *, at: datetime, promised: Mapping[int, Promise]) -> dict[int, Brief]:
    """Return in brief how the recovery of each of these systems stands at a moment. One query."""
    columns = ("took_seconds", "lost_seconds", "succeeded")
    rows = RecoveryStanding.objects.order_by().values_list(
        "system_id", "newest_data_at", "proven_until", "last_proof_id", *(f"last_proof__{name}" for name in columns)
    )
    known = {pk: facts for pk, *facts in rows}
    nothing = [None] * 6
    found = {}
    for pk in system_ids:
        newest, until, proof, took, lost, succeeded = known.get(pk, nothing)
        promise = promised.get(pk, NOTHING)
        measured = None if proof is None else Measured(_seconds(took), _seconds(lost), succeeded)
        exposure = None if newest is None else at - newest
        found[pk] = Brief(policy.outcome(promise, measured, until, at=at), _exposed(exposure, promise))
    return found


def _seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def standing_of(system: System, *, at: datetime, user: Any = None) -> Standing:
    """Return how the recovery of one system stands at a moment."""
    return standings([system.pk], at=at, user=user)[system.pk]


def _standing(pk: int, promise: Promise, row: RecoveryStanding | None, shown: set[int], at: datetime) -> Standing:
    if row is None:
        return Standing(pk, promise, None, None, None, None, policy.judge(promise, None, at=at))
    proof: RecoveryProof | None = row.last_proof
    visible = proof is not None and proof.pk in shown
    counts = None
    if proof is not None:
        words = f"{proof.get_kind_display()} {proof.reference}" if visible else HIDDEN
        counts = Proof(words, proof.at, Measured(proof.took, proof.lost, proof.succeeded), row.proven_until)
    return Standing(
        system_id=pk,
        promise=promise,
        newest_data_at=row.newest_data_at,
        newest_backup_at=row.newest_backup_at,
        exposure=None if row.newest_data_at is None else max(at - row.newest_data_at, timedelta(0)),
        proof=proof if visible else None,
        judged=policy.judge(promise, counts, at=at),
    )
