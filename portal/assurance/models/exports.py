"""Exports: who took what out of the portal, when, why, and what became of the file."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.assurance.exporting import policy
from portal.assurance.exporting.enums import OPEN, ExportFormat, ExportState
from portal.audit.models import AuditedModel
from portal.lib.visibility import VisibleQuerySet


class ExportQuerySet(VisibleQuerySet):
    """Exports."""

    def visible_to(self, user: Any) -> Self:
        """Return one's own, and all with the permission to view exports. The file is for whoever asked alone."""
        if not user.is_active:
            return self.none()
        return self.all() if user.has_perm("assurance.view_export") else self.filter(requester_id=user.pk)

    def unmade(self) -> Self:
        """Return those that wait or are being made."""
        return self.filter(state__in=OPEN)


class Export(models.Model):
    """One file that somebody asked for: the job, its progress and its figures.

    `source` names what is exported and `parameters` how it is narrowed, as the page's address would say it. Only what
    `requester` may see when it is made goes into the file. `done` of `total` counts records. The file lies in the data
    folder under its SHA-256, `digest`, until `expires_at`; the row stays. `attempts` counts the workers that took it.
    `rights` are those of `requester` that the file was made with.
    """

    source = models.CharField("what", max_length=40)
    format = models.CharField(max_length=10, choices=ExportFormat)
    title = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=300)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports", db_index=False
    )
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    zone = models.CharField("time zone", max_length=64)
    state = models.CharField(max_length=10, choices=ExportState, default=ExportState.WAITING)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    digest = models.CharField("SHA-256", max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    rights = models.JSONField("made with the rights", default=list, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(asked_by="") & ~Q(reason=""), name="export_by_whom_and_why"),
            models.CheckConstraint(
                condition=Q(state="working", lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state="working") & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="export_leased_while_made",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working"], settled_at__isnull=True)
                | Q(state__in=["done", "failed", "expired"], settled_at__isnull=False),
                name="export_settled_with_its_moment",
            ),
            models.CheckConstraint(
                condition=(~Q(state__in=["done", "expired"]) & Q(digest="", size__isnull=True, expires_at__isnull=True))
                | (
                    Q(state__in=["done", "expired"], size__isnull=False, rows__isnull=False, expires_at__isnull=False)
                    & ~Q(digest="")
                ),
                name="export_ready_with_its_file",
            ),
            models.CheckConstraint(
                condition=Q(state="expired", expired_at__isnull=False)
                | (~Q(state="expired") & Q(expired_at__isnull=True)),
                name="export_expired_with_its_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state__in=["waiting", "working"]), name="export_unmade"),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="export_expiring"),
            models.Index(fields=["requester", "-asked_at", "-id"], name="export_of_person"),
            models.Index(fields=["-asked_at", "-id"], name="export_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the export's page."""
        return reverse("assurance:export", args=[self.pk])

    @property
    def reference(self) -> str:
        """How people call it: EXP-000042."""
        return f"EXP-{self.pk:06d}"

    @property
    def kind(self) -> ExportFormat:
        """The format as one of its choices."""
        return ExportFormat(self.format)

    @property
    def is_open(self) -> bool:
        """Whether it still waits or is being made."""
        return self.state in OPEN

    @property
    def percent(self) -> int:
        """How much of it is made, from 0 to 100."""
        return 100 if self.state in {ExportState.DONE, ExportState.EXPIRED} else policy.percent(self.done, self.total)

    @property
    def percent_words(self) -> str:
        """How much of it is made, as a screen reader says it."""
        return f"{self.percent} % made"

    @property
    def file_name(self) -> str:
        """What the file is called when it is fetched."""
        return f"{self.reference.lower()}-{self.source}-{self.asked_at:%Y%m%d-%H%M}.{self.kind.ending}"

    @property
    def stored_name(self) -> str:
        """Where the file lies, below the folder of exports: named by its content."""
        return f"{self.pk}/{self.digest}.{self.kind.ending}"


class ExportRule(AuditedModel):
    """How long the files of exports are kept. There is one row, the first; its history says who changed it and why."""

    privileged: ClassVar[bool] = True

    keep_days = models.PositiveSmallIntegerField(
        "days that a file is kept",
        default=policy.KEEP_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Then the file is removed. Who exported what, when and why stays for good.",
    )

    class Meta:
        verbose_name = "rule for exported files"
        verbose_name_plural = "rule for exported files"
        constraints = [
            models.CheckConstraint(condition=Q(keep_days__gte=1, keep_days__lte=3650), name="export_kept_for_days"),
        ]

    def __str__(self) -> str:
        return f"Files are kept for {self.keep_days} days"

    @classmethod
    def days(cls) -> int:
        """Return for how many days files are kept now."""
        kept = cls.objects.order_by("pk").values_list("keep_days", flat=True).first()
        return kept if kept is not None else policy.KEEP_DAYS

    @classmethod
    def expiry(cls, *, at: datetime) -> datetime:
        """Return until when a file that is ready at `at` is kept."""
        return at + timedelta(days=cls.days())
