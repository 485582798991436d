"""A runbook and its versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import System, Team
from portal.lib.paired import paired
from portal.runbooks.enums import OPEN, VersionState
from portal.runbooks.guards import GUARDS

REVIEW_EVERY_DAYS = 180


class RunbookQuerySet(AuditedQuerySet):
    """Runbooks."""

    def active(self) -> Self:
        """Return those that have not been retired."""
        return self.filter(retired_at=None)


class Runbook(AuditedModel):
    """How something is run and repaired: what it says stands in its versions."""

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=200)
    system = models.ForeignKey(
        System,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="runbooks",
        help_text="Empty: it is not about one system.",
    )
    owner = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="runbooks",
        help_text="The team that keeps it true. Empty: the team that owns the system.",
    )
    review_every_days = models.PositiveIntegerField(
        "reviewed every (days)",
        default=REVIEW_EVERY_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(1830)],
    )
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    reviewed_at = models.DateTimeField("last reviewed", null=True, editable=False)
    reviewed_by = models.CharField(max_length=200, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(RunbookQuerySet)()

    class Meta:
        ordering = ["title", "id"]
        constraints = [paired("runbook", name) for name in ("made", "reviewed", "retired")]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the runbook's page."""
        return reverse("runbooks:runbook", args=[self.reference])

    @property
    def keeper(self) -> Team | None:
        """Return the team that keeps it true: its own, else the one that owns its system."""
        return self.owner or (self.system.owner if self.system else None)


class VersionQuerySet(AuditedQuerySet):
    """Versions of runbooks."""

    def open(self) -> Self:
        """Return those that are still being written or reviewed."""
        return self.filter(state__in=OPEN)

    def in_force(self, at: datetime) -> Self:
        """Return those that people had to follow at a moment: published by then, not yet superseded."""
        return self.filter(published_at__lte=at).exclude(superseded_at__lte=at)


class RunbookVersion(AuditedModel):
    """What a runbook says, as Markdown in the template's layout. Only portal.runbooks.services changes its state.

    Once published its text never changes; the database refuses it too. `digest` is the SHA-256 of the text. `source` is
    the name of the file that it was imported from, `source_digest` that of the file as it was read.
    """

    belongs_to: ClassVar[str] = "runbook"
    database_guards: ClassVar[Any] = GUARDS

    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="versions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT, editable=False)
    text = models.TextField(editable=False)
    digest = models.CharField(max_length=64, editable=False)
    summary = models.CharField("what changed", max_length=500, blank=True)
    source = models.CharField(max_length=255, blank=True, editable=False)
    source_digest = models.CharField(max_length=64, blank=True, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    submitted_by = models.CharField(max_length=200, blank=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.CharField(max_length=200, blank=True, editable=False)
    superseded_at = models.DateTimeField(null=True, editable=False)
    superseded_by = models.CharField(max_length=200, blank=True, editable=False)
    discarded_at = models.DateTimeField(null=True, editable=False)
    discarded_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(VersionQuerySet)()

    class Meta:
        ordering = ["runbook", "-number"]
        constraints = [
            *(
                paired("runbook_version", name)
                for name in ("made", "submitted", "published", "superseded", "discarded")
            ),
            models.UniqueConstraint(fields=["runbook", "number"], name="one_version_per_number"),
            models.UniqueConstraint(
                fields=["runbook"], condition=Q(state=VersionState.PUBLISHED), name="one_published_version"
            ),
            models.UniqueConstraint(
                fields=["runbook"], condition=Q(state__in=[s.value for s in OPEN]), name="one_version_being_written"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["published", "superseded"]) | Q(published_at__isnull=False),
                name="runbook_version_published_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(state="superseded", superseded_at__isnull=False)
                | ~Q(state="superseded") & Q(superseded_at__isnull=True),
                name="runbook_version_superseded_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook.reference} version {self.number}"

    def get_absolute_url(self) -> str:
        """Return the address of the version's page."""
        return reverse("runbooks:version", args=[self.runbook.reference, self.number])

    @property
    def is_open(self) -> bool:
        """Tell whether it is still being written or reviewed."""
        return self.state in OPEN
