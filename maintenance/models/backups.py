"""Backups: what is backed up how often, each run with its three validations; and tests that restore them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from maintenance import guards
from maintenance.enums import Source
from maintenance.models.occurrences import LONGEST_NAME, Occurrence
from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel
from portal.directory.models import Contact, System
from portal.lib.paired import paired
from portal.lib.visibility import VisibleQuerySet

YEAR_OF_MINUTES = 366 * 24 * 60


def silent_since(made_at: datetime, last: datetime | None, minutes: int) -> datetime:
    """Return the moment from which on a backup is silent: so many minutes after its last run that completed."""
    return max(last or made_at, made_at) + timedelta(minutes=minutes)


class BackupPlan(AuditedModel):
    """What of a system is backed up, how often and where to. Only maintenance.services writes it.

    When no run has completed within `frequency_minutes` and `grace_minutes` after the last one, an incident is opened.
    `digest` is of the secret with which the backup job reports its runs.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "system"
    masked: ClassVar[Collection[str]] = ("digest",)

    reference = models.CharField(max_length=16, unique=True, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="backup_plans")
    what = models.CharField("what is backed up", max_length=160)
    place = models.CharField("where to", max_length=200)
    frequency_minutes = models.PositiveIntegerField(
        "every (minutes)", validators=[MinValueValidator(1), MaxValueValidator(YEAR_OF_MINUTES)]
    )
    grace_minutes = models.PositiveIntegerField(
        "grace (minutes)", default=60, validators=[MaxValueValidator(YEAR_OF_MINUTES)]
    )
    owner = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="backup_plans")
    digest = models.CharField(max_length=64, blank=True, editable=False)
    token_at = models.DateTimeField("token made", null=True, editable=False)
    token_by = models.CharField("token made by", max_length=LONGEST_NAME, blank=True, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["system", "what"]
        verbose_name = "backup plan"
        constraints = [
            *(paired("backup_plan", name) for name in ("token", "retired")),
            models.CheckConstraint(condition=~Q(made_by=""), name="backup_plan_made_by_whom_and_when"),
            models.UniqueConstraint(fields=["digest"], condition=~Q(digest=""), name="one_backup_plan_per_token"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.what}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:backup", args=[self.reference])

    def clean(self) -> None:
        """Refuse an owner who has left."""
        if self.owner is not None and not self.owner.active and "owner_id" in self.changed_fields():
            raise ValidationError({"owner": f"{self.owner} has left. Name somebody who is still there."})

    @property
    def frequency(self) -> timedelta:
        """How often it runs."""
        return timedelta(minutes=self.frequency_minutes)

    @property
    def grace(self) -> timedelta:
        """How long after that it may still be silent."""
        return timedelta(minutes=self.grace_minutes)

    @property
    def is_in_force(self) -> bool:
        """Whether its runs are waited for."""
        return self.retired_at is None

    def silent_from(self, last: datetime | None) -> datetime:
        """Return the moment from which on silence is an incident, counted from the last run that completed."""
        return silent_since(self.made_at, last, self.frequency_minutes + self.grace_minutes)


class BackupRun(models.Model):
    """One run of a backup, and its three validations: completed, integrity verified, stored securely.

    It is written once; afterwards somebody may only say that it was verified or stored, or is not. What was said by
    hand stands in the timeline of its plan.
    """

    database_guards: ClassVar[Any] = guards.OF_RUNS
    belongs_to: ClassVar[str] = "plan"

    plan = models.ForeignKey(BackupPlan, on_delete=models.PROTECT, related_name="runs", db_index=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField()
    size = models.PositiveBigIntegerField("bytes", null=True, blank=True)
    newest_data_at = models.DateTimeField("newest data in it", null=True, blank=True)
    completed = models.BooleanField(default=True)
    verified = models.BooleanField("integrity verified", default=False)
    stored = models.BooleanField("stored securely", default=False)
    source = models.CharField("said by", max_length=8, choices=Source)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=LONGEST_NAME)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-finished_at", "-id"]
        verbose_name = "backup run"
        constraints = [
            models.UniqueConstraint(fields=["plan", "finished_at"], name="one_backup_run_per_moment"),
            models.CheckConstraint(condition=~Q(recorded_by=""), name="backup_run_recorded_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(started_at__isnull=True) | Q(started_at__lte=F("finished_at")),
                name="backup_run_starts_before_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(verified=False) | Q(completed=True, newest_data_at__isnull=False),
                name="backup_run_verified_says_what_it_holds",
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "-newest_data_at"], condition=Q(verified=True), name="backup_run_verified"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.reference}, finished {self.finished_at:%Y-%m-%d %H:%M}"


class RestoreTest(AppendOnlyModel):
    """A backup of a system was restored, on purpose, and it was measured how long that took and what was lost.

    Data loss is from the newest data that came back to the beginning of the test, as if the system had been lost then.
    """

    belongs_to: ClassVar[str] = "system"
    codes = ("reference",)

    reference = models.CharField(max_length=16, unique=True)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="restore_tests", db_index=False)
    occurrence = models.ForeignKey(
        Occurrence, null=True, blank=True, on_delete=models.PROTECT, related_name="restore_tests", db_index=False
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    newest_recovered_at = models.DateTimeField("newest recovered data", null=True, blank=True)
    succeeded = models.BooleanField()
    found = models.TextField("what was done", blank=True)
    performed_by = models.CharField(max_length=LONGEST_NAME)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=LONGEST_NAME)

    correction = "Measure it again: the newest test counts."

    class Meta:
        ordering = ["-ended_at", "-id"]
        base_manager_name = "objects"
        verbose_name = "restore test"
        constraints = [
            models.CheckConstraint(condition=Q(started_at__lt=F("ended_at")), name="restore_test_takes_time"),
            models.CheckConstraint(
                condition=~Q(recorded_by="") & ~Q(performed_by=""), name="restore_test_recorded_by_whom_and_when"
            ),
        ]
        indexes = [models.Index(fields=["system", "-ended_at"], name="restore_test_of_system")]

    def __str__(self) -> str:
        return f"{self.reference} of {self.system}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:restore-test", args=[self.reference])

    @property
    def took(self) -> timedelta:
        """How long the restore took."""
        return self.ended_at - self.started_at

    @property
    def lost(self) -> timedelta | None:
        """The time whose data did not come back; nothing where nobody looked."""
        return (
            None if self.newest_recovered_at is None else max(self.started_at - self.newest_recovered_at, timedelta(0))
        )
