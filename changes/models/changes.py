"""Changes, and the steps of their three plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from changes.enums import PLANNED, ChangeType, Impact, Level, Likelihood, Outcome, Status, StepKind
from changes.models.modules import Module
from changes.models.templates import ChangeTemplate
from changes.policy import LONGEST_SLOT
from portal.accounts.models import User
from portal.audit.facts import AppendOnlyQuerySet
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import System
from portal.lib.paired import paired
from portal.runbooks.models import RunbookVersion

MOST_MINUTES = 14 * 24 * 60
STAMPS = (
    *("requested", "submitted", "assessed", "approved", "rejected", "scheduled", "started", "rolled_back", "verified"),
    *("closed", "cancelled", "authorised"),
)


class ChangeQuerySet(AuditedQuerySet):
    """Changes."""

    def planned(self) -> Self:
        """Return those that stand in the schedule: submitted until verified, with a slot."""
        return self.filter(status__in=PLANNED, planned_start__isnull=False)

    def overlapping(self, start: Any, end: Any) -> Self:
        """Return those whose slot shares a moment with this one. A slot has a longest time, so an index answers it."""
        return self.filter(planned_start__gt=start - LONGEST_SLOT, planned_start__lt=end, planned_end__gt=start)


class Change(AuditedModel):
    """Something that is to be changed, from its draft until it is closed. Only changes.services writes it.

    `version` counts the edits of its content since it was submitted, and `submitted_text` is what was submitted, as its
    approvers would have been shown it. `started_text` is the text that was approved and is carried out: its steps are
    worked from it. `runbooks` are the versions that it names. `risk_points` and `risk_level` are as they were assessed,
    `risk_sum` says how. `authority` is the person on whose word an emergency starts.
    """

    audited_m2m: ClassVar[list[str]] = ["systems", "modules", "runbooks"]

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=200)
    justification = models.TextField(blank=True, max_length=10000)
    type = models.CharField(max_length=12, choices=ChangeType, default=ChangeType.NORMAL)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    submitted_text = models.TextField(blank=True, editable=False)
    started_text = models.TextField(blank=True, editable=False)
    systems = models.ManyToManyField(System, blank=True, related_name="changes")
    modules = models.ManyToManyField(Module, blank=True, related_name="changes")
    runbooks = models.ManyToManyField(RunbookVersion, blank=True, related_name="changes")
    template = models.ForeignKey(
        ChangeTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="changes", editable=False
    )
    template_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="requested_changes", editable=False)
    implementer = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="implemented_changes"
    )
    authority = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="authorised_changes", editable=False
    )
    planned_start = models.DateTimeField(null=True, blank=True)
    planned_end = models.DateTimeField(null=True, blank=True)
    has_outage = models.BooleanField("causes an outage", default=False)
    outage_minutes = models.PositiveIntegerField(
        "outage in minutes", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)]
    )
    test_plan = models.TextField(blank=True, max_length=10000)
    rollback_minutes = models.PositiveIntegerField(
        "rollback in minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)],
        help_text="How long the rollback takes, as estimated.",
    )
    point_of_no_return = models.CharField(
        max_length=300, blank=True, help_text="After which step the rollback no longer helps, or that there is none."
    )
    rollback_rehearsed_on = models.DateField("rollback last rehearsed on", null=True, blank=True)
    impact = models.PositiveSmallIntegerField(choices=Impact, null=True, blank=True, editable=False)
    likelihood = models.PositiveSmallIntegerField(choices=Likelihood, null=True, blank=True, editable=False)
    risk_points = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    risk_level = models.CharField(max_length=8, choices=Level, blank=True, editable=False)
    risk_sum = models.JSONField(default=list, blank=True, editable=False)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, editable=False)
    review = models.TextField("post-implementation review", blank=True, max_length=10000, editable=False)
    requested_at = models.DateTimeField(editable=False)
    requested_by = models.CharField(max_length=200, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    submitted_by = models.CharField(max_length=200, blank=True, editable=False)
    assessed_at = models.DateTimeField(null=True, editable=False)
    assessed_by = models.CharField(max_length=200, blank=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.CharField(max_length=500, blank=True, editable=False)
    rejected_at = models.DateTimeField(null=True, editable=False)
    rejected_by = models.CharField(max_length=200, blank=True, editable=False)
    scheduled_at = models.DateTimeField(null=True, editable=False)
    scheduled_by = models.CharField(max_length=200, blank=True, editable=False)
    authorised_at = models.DateTimeField(null=True, editable=False)
    authorised_by = models.CharField(max_length=200, blank=True, editable=False)
    started_at = models.DateTimeField("actual start", null=True, editable=False)
    started_by = models.CharField(max_length=200, blank=True, editable=False)
    rolled_back_at = models.DateTimeField("rollback begun", null=True, editable=False)
    rolled_back_by = models.CharField(max_length=200, blank=True, editable=False)
    rollback_ended_at = models.DateTimeField(null=True, editable=False)
    verified_at = models.DateTimeField("actual end", null=True, editable=False)
    verified_by = models.CharField(max_length=200, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.CharField(max_length=200, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(ChangeQuerySet)()

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            *(paired("change", name) for name in STAMPS),
            models.CheckConstraint(
                condition=Q(planned_start__isnull=True, planned_end__isnull=True)
                | Q(planned_end__gt=F("planned_start")),
                name="change_slot_in_order",
            ),
            models.CheckConstraint(
                condition=Q(has_outage=True) | Q(outage_minutes__isnull=True), name="change_outage_has_minutes"
            ),
            models.CheckConstraint(
                condition=Q(authority__isnull=True) | (~Q(authority=F("requester")) & ~Q(authority=F("implementer"))),
                name="nobody_authorises_their_own_emergency",
            ),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="change_newest"),
            models.Index(fields=["status", "planned_start"], name="change_status"),
            models.Index(fields=["planned_start", "planned_end"], name="change_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("changes:change", args=[self.reference])

    @property
    def slot(self) -> timedelta | None:
        """Return how long it is planned to last, nothing while it has no slot."""
        return self.planned_end - self.planned_start if self.planned_start and self.planned_end else None

    @property
    def is_rolling_back(self) -> bool:
        """Tell whether its rollback has begun and has not ended."""
        return self.rolled_back_at is not None and self.rollback_ended_at is None


class PartQuerySet(AuditedQuerySet):
    """Parts of changes."""

    def visible_to(self, user: Any) -> Self:
        """Return the parts of changes that `user` may see."""
        return of_visible(super().visible_to(user), user)


class FactQuerySet(AppendOnlyQuerySet):
    """Facts about changes."""

    def visible_to(self, user: Any) -> Self:
        """Return the facts about changes that `user` may see."""
        return of_visible(super().visible_to(user), user)


def of_visible(rows: Any, user: Any) -> Any:
    """Return those rows whose change `user` may see."""
    if rows.query.is_empty():
        return rows
    return rows.filter(change__in=Change.objects.visible_to(user).order_by().values("pk"))


class ChangeStep(AuditedModel):
    """One step of a plan of a change: what is done, and how many minutes it takes."""

    belongs_to: ClassVar[str] = "change"

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=16, choices=StepKind)
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    minutes = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(MOST_MINUTES)])

    objects: ClassVar[Any] = models.Manager.from_queryset(PartQuerySet)()

    class Meta:
        ordering = ["change", "kind", "position"]
        constraints = [
            models.UniqueConstraint(fields=["change", "kind", "position"], name="one_change_step_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} step {self.position} of {self.change_id}"
