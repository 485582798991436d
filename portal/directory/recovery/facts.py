"""The verbs that write what is known of a system's recovery: a verified backup, a measured recovery."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from portal.audit.actor import By, actor_of
from portal.directory.enums import ProofKind, Verdict
from portal.directory.models import RecoveryObjective, RecoveryProof, RecoveryStanding, System
from portal.directory.models.systems import PROVEN_FOR
from portal.directory.recovery.policy import Measured, verdict
from portal.directory.recovery.reading import promises


@transaction.atomic
def record_backup(system: System, *, finished_at: datetime | None, newest_data_at: datetime | None) -> RecoveryStanding:
    """Note up to which moment the system's data stands in verified backups; nothing when some of it is in none.

    `finished_at` is when that backup was made. Whoever keeps the backups says what counts.
    """
    row = hold(system)
    if (row.newest_data_at, row.newest_backup_at) != (newest_data_at, finished_at):
        row.newest_data_at, row.newest_backup_at = newest_data_at, finished_at
        row.save(update_fields=["newest_data_at", "newest_backup_at"])
    return row


@transaction.atomic
def record_proof(
    system: System,
    *,
    record: models.Model,
    kind: ProofKind,
    reference: str,
    took: timedelta | None,
    lost: timedelta | None,
    by: By,
    at: datetime,
    succeeded: bool = True,
    measured_at: datetime | None = None,
    proven_until: datetime | None = None,
) -> RecoveryProof:
    """Keep what a recovery of the system has measured, and return it with its verdict.

    `record` measured it and is called `reference`; at one moment it measures a system once: what stands is returned.
    `took` is from the beginning until it was back, `lost` the time whose data was lost; nothing is not measured.
    `measured_at` is when it was measured, `at` when that is written down. A proof holds until `proven_until`, else as
    long as the objective says. One with the verdict unknown leaves an earlier proof in force.
    """
    row, moment = hold(system), measured_at or at
    kind_of = ContentType.objects.get_for_model(record)
    found: RecoveryProof | None = RecoveryProof.objects.filter(
        system=system, subject_type=kind_of, subject_id=record.pk, at=moment
    ).first()
    if found is not None:
        return found
    promise = promises([system.pk])[system.pk]
    seconds = _seconds(took), _seconds(lost)
    # Of what is kept, as it is judged ever after.
    said = verdict(Measured(_span(seconds[0]), _span(seconds[1]), succeeded), promise)
    if proven_until is None:
        objective = RecoveryObjective.objects.filter(system=system).first()
        proven_until = moment + timedelta(days=objective.proof_days if objective else PROVEN_FOR)
    proof = RecoveryProof(
        system=system, subject_type=kind_of, subject_id=record.pk, kind=kind, reference=reference, at=moment,
        took_seconds=seconds[0], lost_seconds=seconds[1], succeeded=succeeded,
        rto_minutes=_minutes(promise.rto), rpo_minutes=_minutes(promise.rpo), verdict=said, proven_until=proven_until,
        recorded_at=at, by=actor_of(by).name,
    )  # fmt: skip
    proof.save()
    last: RecoveryProof | None = row.last_proof
    newer = last is None or (moment, proof.pk) > (last.at, last.pk)
    if (
        last is None
        or (newer and said != Verdict.UNKNOWN)
        or (said != Verdict.UNKNOWN and last.verdict == Verdict.UNKNOWN)
    ):
        row.last_proof, row.proven_until = proof, proven_until
        row.save(update_fields=["last_proof", "proven_until"])
    return proof


@transaction.atomic
def end_proof(record: models.Model, *, at: datetime) -> None:
    """Let what a record has measured prove nothing from a moment on: it goes on, and will be measured anew."""
    kind = ContentType.objects.get_for_model(record)
    rows = RecoveryStanding.objects.filter(last_proof__subject_type=kind, last_proof__subject_id=record.pk)
    for row in rows.order_by("pk").select_for_update(of=("self",)):
        row.proven_until = min(row.proven_until or at, at)
        row.save(update_fields=["proven_until"])


def hold(system: System) -> RecoveryStanding:
    """Return the standing of a system, locked until the transaction ends and made when it is missing.

    Whoever reckons what they write from rows of their own holds it before they read those.
    """
    RecoveryStanding.objects.bulk_create([RecoveryStanding(system=system)], ignore_conflicts=True)
    held: RecoveryStanding = RecoveryStanding.objects.select_for_update().get(system=system)
    return held


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else max(0, int(span.total_seconds()))


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _minutes(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds() // 60)
