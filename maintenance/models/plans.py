"""Plans: what is done again and again, how often, and whose it is."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from maintenance.enums import Basis, Frequency, Nth, PlanState, Shift, Weekday
from maintenance.policy import MOST_GRACE, MOST_LEAD
from maintenance.rules import MOST_CEILING, Impossible, Rule, check
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory import calendars
from portal.directory.models import Calendar, Contact, System, Team
from portal.lib.businesstime import WorkCalendar
from portal.lib.paired import paired
from portal.lib.zones import validate_zone, zone_or_utc
from portal.runbooks.models import Checklist, Runbook

OF_THE_RULE = (
    *("frequency", "every", "basis", "nth", "weekday", "rule", "ceiling_days", "anchor", "due_time", "time_zone"),
    *("shift", "calendar_id"),
)
"""A change of one of these moves the dates that are still to come."""
STAMPS = ("made", "activated", "retired", "evaluated")


class PlanQuerySet(AuditedQuerySet):
    """Plans."""

    def in_force(self) -> Self:
        """Return those that come round."""
        return self.filter(state=PlanState.IN_FORCE)

    def orphaned(self) -> Self:
        """Return those in force whose owner has left."""
        return self.in_force().filter(owner__active=False)

    def leading_nowhere(self) -> Self:
        """Return those in force whose manager has left, and that name no team of which somebody is still there."""
        there = Contact.objects.filter(active=True, teams=OuterRef("team"))
        return self.in_force().filter(~Exists(there), manager__active=False)


class Plan(AuditedModel):
    """A task of maintenance: what is done on which systems, how often, by whom. Only maintenance.services moves it.

    `anchor` is its first date, `due_time` the hour at which it is due on the wall clock of `time_zone`. `lead_days` is
    how long before that it may be done; without it, from half way since the date before. After `grace_days` past its
    date the manager is told, then the team. `trigger` says when a task that is done as needed is needed, and
    `evaluated_at` when somebody last looked whether it is. A change that answers demands of `topic` does the task.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["systems"]

    reference = models.CharField(max_length=16, unique=True, editable=False)
    task = models.CharField(max_length=160)
    procedure = models.TextField("how it is done", blank=True, max_length=10000)
    systems = models.ManyToManyField(System, blank=True, related_name="maintenance_plans")
    frequency = models.CharField(max_length=12, choices=Frequency, default=Frequency.MONTHLY)
    every = models.PositiveSmallIntegerField(
        "every", default=1, validators=[MinValueValidator(1)], help_text="Every so many days, weeks, months or years."
    )
    basis = models.CharField("counted", max_length=8, choices=Basis, default=Basis.FIXED)
    nth = models.SmallIntegerField("which of them", choices=Nth, default=Nth.FIRST)
    weekday = models.PositiveSmallIntegerField("day of the week", choices=Weekday, default=Weekday.MONDAY)
    rule = models.CharField("recurrence rule", max_length=200, blank=True, help_text="Such as FREQ=MONTHLY;BYDAY=2TU")
    trigger = models.CharField(
        "needed when", max_length=300, blank=True, help_text="Of what is done as needed: what makes it needed."
    )
    ceiling_days = models.PositiveSmallIntegerField(
        "due anyway after (days)", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_CEILING)],
    )  # fmt: skip
    anchor = models.DateField("first date")
    due_time = models.TimeField("due at", default=time(17))
    time_zone = models.CharField(max_length=64, default="Europe/London", validators=[validate_zone])
    shift = models.CharField("a date that is not worked", max_length=8, choices=Shift, default=Shift.NONE)
    calendar = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="maintenance_plans"
    )
    owner = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="owned_plans")
    backup = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="backed_plans",
        verbose_name="backup owner",
    )  # fmt: skip
    manager = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="managed_plans",
        help_text="Is told once it is overdue past its grace.",
    )  # fmt: skip
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="maintenance_plans",
        help_text="The manager's team. It is told last.",
    )  # fmt: skip
    checklist = models.ForeignKey(
        Checklist, null=True, blank=True, on_delete=models.PROTECT, related_name="maintenance_plans"
    )
    runbook = models.ForeignKey(
        Runbook, null=True, blank=True, on_delete=models.PROTECT, related_name="maintenance_plans"
    )
    lead_days = models.PositiveSmallIntegerField(
        "lead time in days", null=True, blank=True, validators=[MaxValueValidator(MOST_LEAD)],
        help_text="How long before its date it may be done. Empty: from half way since the date before.",
    )  # fmt: skip
    grace_days = models.PositiveSmallIntegerField(
        "grace in days", default=3, validators=[MaxValueValidator(MOST_GRACE)],
        help_text="How long after its date the manager is told.",
    )  # fmt: skip
    needs_evidence = models.BooleanField(default=False, help_text="It is proven by evidence or a finished checklist.")
    needs_sign_off = models.BooleanField(default=False, help_text="A second person signs that it was done.")
    proves_recovery = models.BooleanField(
        "done by a restore test", default=False,
        help_text="It is done by recording a restore test of each of its systems that succeeded.",
    )  # fmt: skip
    topic = models.CharField(
        "done by changes that answer", max_length=40, blank=True,
        help_text="A topic such as maintenance.security-patch. Closing such a change does the task.",
    )  # fmt: skip
    state = models.CharField(max_length=8, choices=PlanState, default=PlanState.DRAFT, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    activated_at = models.DateTimeField("in force since", null=True, editable=False)
    activated_by = models.CharField(max_length=200, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=200, blank=True, editable=False)
    evaluated_at = models.DateTimeField("last evaluated on", null=True, editable=False)
    evaluated_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(PlanQuerySet)()

    class Meta:
        ordering = ["task", "id"]
        verbose_name = "maintenance plan"
        constraints = [
            *(paired("plan", name) for name in STAMPS if name != "made"),
            models.CheckConstraint(condition=~Q(made_by=""), name="plan_made_by_whom_and_when"),
            models.CheckConstraint(
                condition=~Q(state=PlanState.IN_FORCE)
                | Q(owner__isnull=False, manager__isnull=False, activated_at__isnull=False),
                name="plan_in_force_has_its_people",
            ),
            models.CheckConstraint(
                condition=Q(backup__isnull=True) | ~Q(backup=F("owner")),
                name="plan_backup_is_somebody_else",
                violation_error_message="The backup must be somebody else than the owner.",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "owner"], name="plan_of_owner"),
            models.Index(fields=["state", "team"], name="plan_of_team"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.task}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:plan", args=[self.reference])

    def clean(self) -> None:
        """Refuse a rule that has no dates."""
        anchor = getattr(self, "anchor", None)  # a form may have refused it
        if anchor is None:
            return
        try:
            check(self.as_rule(), anchor)
        except Impossible as problem:
            raise ValidationError(str(problem)) from None

    @property
    def zone(self) -> ZoneInfo:
        """The place on whose wall clock it is due."""
        return zone_or_utc(self.time_zone)

    @property
    def is_in_force(self) -> bool:
        """Whether it comes round."""
        return self.state == PlanState.IN_FORCE

    @property
    def often(self) -> str:
        """How often it comes round, in few words: "Every 12 months"; of a rule that takes many, what kind it is."""
        if self.frequency in {Frequency.AS_NEEDED, Frequency.CUSTOM}:
            return str(self.get_frequency_display())
        rule = Rule(Frequency(self.frequency), self.every, nth=self.nth, weekday=self.weekday)
        return rule.words

    @property
    def upheld(self) -> Any:
        """The recovery plan in force whose exercises it reminds of. One query."""
        found = getattr(self, "recovery_plan", None)
        return found if found is not None and found.is_in_force else None

    def as_rule(self, calendar: WorkCalendar | None = None) -> Rule:
        """Return how often it comes round. `calendar` saves two queries where it is known already."""
        if calendar is None and self.calendar is not None and self.shift != Shift.NONE:
            calendar = calendars.build(self.calendar, self.calendar.own_days.all())
        return Rule(
            frequency=Frequency(self.frequency),
            every=self.every,
            basis=Basis(self.basis),
            nth=self.nth,
            weekday=self.weekday,
            rrule=self.rule,
            ceiling_days=self.ceiling_days,
            at=self.due_time,
            shift=Shift(self.shift),
            calendar=calendar,
        )
