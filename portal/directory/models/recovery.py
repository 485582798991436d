"""What backups, tests, exercises and incidents have shown of a system's recovery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from portal.audit.facts import AppendOnlyModel
from portal.directory.enums import ProofKind, Verdict
from portal.directory.models.systems import System
from portal.lib.visibility import VisibleQuerySet


class RecoveryProof(AppendOnlyModel):
    """One measured recovery of a system, beside what was promised then.

    `took_seconds` is from the beginning until it was back, `lost_seconds` the time whose data was lost; empty is not
    measured. `subject` is the record that measured it, called `reference`: one proof for each
    record, system and moment, since an incident that is opened again is measured again.
    """

    belongs_to: ClassVar[str] = "system"
    codes = ("kind", "verdict", "reference")

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="proofs", db_index=False)
    # What measured it, so that a proof hides with a restricted record.
    subject_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=20, choices=ProofKind)
    reference = models.CharField(max_length=40)
    at = models.DateTimeField("measured at")
    took_seconds = models.PositiveBigIntegerField("took (seconds)", null=True, blank=True)
    lost_seconds = models.PositiveBigIntegerField("data lost (seconds)", null=True, blank=True)
    succeeded = models.BooleanField(default=True)
    rto_minutes = models.PositiveIntegerField("RTO then", null=True, blank=True)
    rpo_minutes = models.PositiveIntegerField("RPO then", null=True, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict)
    proven_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=200)

    correction = "Measure it again: the newest proof counts."

    class Meta:
        ordering = ["-at", "-id"]
        base_manager_name = "objects"
        verbose_name = "proof of recovery"
        verbose_name_plural = "proofs of recovery"
        constraints = [
            models.UniqueConstraint(
                fields=["system", "subject_type", "subject_id", "at"], name="one_proof_per_measurement"
            ),
            models.CheckConstraint(condition=~Q(by=""), name="proof_by_whom_and_when"),
        ]
        indexes = [models.Index(fields=["system", "at"], name="proof_of_system")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference} of {self.system}"

    @property
    def took(self) -> timedelta | None:
        """How long it took until it was back, where that was measured."""
        return None if self.took_seconds is None else timedelta(seconds=self.took_seconds)

    @property
    def lost(self) -> timedelta | None:
        """The time whose data was lost, where that was measured."""
        return None if self.lost_seconds is None else timedelta(seconds=self.lost_seconds)

    @property
    def rto(self) -> timedelta | None:
        """How soon it had to be back by what was promised then."""
        return None if self.rto_minutes is None else timedelta(minutes=self.rto_minutes)

    @property
    def rpo(self) -> timedelta | None:
        """How much data it was allowed to lose by what was promised then."""
        return None if self.rpo_minutes is None else timedelta(minutes=self.rpo_minutes)


class RecoveryStanding(models.Model):
    """What is known of a system's recovery now: the newest verified data, and the proof that counts.

    It has no history: it is overwritten with each backup, and both backups and proofs are kept. Only
    portal.directory.recovery writes it.
    """

    belongs_to: ClassVar[str] = "system"

    system = models.OneToOneField(System, on_delete=models.PROTECT, related_name="standing")
    newest_data_at = models.DateTimeField("newest data in a verified backup", null=True, blank=True)
    newest_backup_at = models.DateTimeField("that backup finished", null=True, blank=True)
    last_proof = models.ForeignKey(
        RecoveryProof, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    proven_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["system"]
        verbose_name = "standing of a recovery"
        verbose_name_plural = "standings of recovery"
        constraints = [
            models.CheckConstraint(
                condition=Q(newest_data_at__isnull=True) | Q(newest_backup_at__isnull=False),
                name="standing_data_of_a_backup",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery of {self.system}"
