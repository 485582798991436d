"""Occurrences: one date of a plan, what became of it, and what shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from maintenance import guards
from maintenance.enums import STANDING, Source, State
from maintenance.models.plans import Plan
from portal.accounts.models import User
from portal.lib.paired import paired
from portal.lib.visibility import VisibleQuerySet
from portal.runbooks.models import ChecklistRun

LONGEST_NAME = 200


class OccurrenceQuerySet(VisibleQuerySet):
    """Occurrences."""

    def standing(self) -> Self:
        """Return those about which somebody still has to do something."""
        return self.filter(state__in=STANDING)

    def overdue(self, at: datetime) -> Self:
        """Return those that are past their date and not done."""
        return self.filter(state=State.OPEN, due_at__lt=at)

    def unproven(self) -> Self:
        """Return those that are done and that nobody has signed off yet."""
        return self.filter(state=State.TO_SIGN)


class Occurrence(models.Model):
    """One date of a plan. Only maintenance.services writes it; whatever happens to it stands in its timeline.

    `scheduled_on` is the date that the rule says, which never changes; `due_at` the moment at which it is due, after a
    move to a working day, and `why` explains it. What is done before `starts_at` counts for the date before. `done_at`
    is when it was done and `recorded_at` when that was written down.
    """

    database_guards: ClassVar[Any] = guards.OF_OCCURRENCES
    belongs_to: ClassVar[str] = "plan"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="occurrences", db_index=False)
    number = models.PositiveIntegerField()
    reference = models.CharField(max_length=30, unique=True)
    scheduled_on = models.DateField()
    due_on = models.DateField()
    due_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    why = models.TextField("why it is due then", blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    source = models.CharField("said by", max_length=8, choices=Source, blank=True)
    done_at = models.DateTimeField("completed on", null=True, blank=True)
    done_by = models.CharField("completed by", max_length=LONGEST_NAME, blank=True)
    done_user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recorded_at = models.DateTimeField(null=True, blank=True)
    late_because = models.TextField("why it was written down later", blank=True)
    found = models.TextField("what was done", blank=True)
    run = models.ForeignKey(
        ChecklistRun, null=True, blank=True, on_delete=models.PROTECT, related_name="occurrences", db_index=False
    )
    change = models.CharField("done by change", max_length=16, blank=True)
    signed_at = models.DateTimeField("signed off", null=True, blank=True)
    signed_by = models.CharField(max_length=LONGEST_NAME, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)
    skipped_by = models.CharField(max_length=LONGEST_NAME, blank=True)
    skipped_because = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = OccurrenceQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            *(paired("occurrence", name) for name in ("done", "signed", "skipped")),
            models.UniqueConstraint(fields=["plan", "number"], name="one_occurrence_per_number"),
            models.UniqueConstraint(
                fields=["plan"], condition=Q(state__in=STANDING), name="one_standing_occurrence_per_plan"
            ),
            models.CheckConstraint(
                condition=Q(state__in=STANDING, settled_at__isnull=True)
                | (~Q(state__in=STANDING) & Q(settled_at__isnull=False)),
                name="occurrence_settled_with_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, recorded_at__isnull=True) | Q(recorded_at__gte=F("done_at")),
                name="occurrence_done_before_it_is_written_down",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.TO_SIGN, State.COMPLETED]) | Q(done_at__isnull=False),
                name="occurrence_completed_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.SKIPPED) | (Q(skipped_at__isnull=False) & ~Q(skipped_because="")),
                name="occurrence_skipped_for_a_reason",
            ),
        ]
        indexes = [
            # Read by the due list, the calendar and every count of what is due.
            models.Index(fields=["due_at", "id"], condition=Q(state__in=STANDING), name="occurrence_due"),
            # Read by the counts of the due list, from the index alone.
            models.Index(fields=["state", "due_at"], condition=Q(state__in=STANDING), name="occurrence_by_state"),
            models.Index(fields=["plan", "-due_at"], name="occurrence_of_plan"),
            models.Index(fields=["settled_at"], condition=Q(settled_at__isnull=False), name="occurrence_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.plan.task}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:occurrence", args=[self.plan.reference, self.number])

    @property
    def is_standing(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in STANDING

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it is past its date and not done."""
        return self.state == State.OPEN and self.due_at < at
