"""Maintenance windows: when work goes on with which systems, so that nobody is paged for what was planned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from maintenance.enums import RUNNING, Frequency, Nth, Weekday, WindowKind, WindowState
from maintenance.rules import Rule
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import System
from portal.lib.paired import paired
from portal.lib.zones import validate_zone, zone_or_utc

OFTEN = [
    (choice.value, choice.label)
    for choice in (
        Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY, Frequency.NTH_WEEKDAY, Frequency.LAST_DAY,
        Frequency.CUSTOM,
    )
]  # fmt: skip


class WindowSeries(AuditedModel):
    """A window that comes round by a rule. Only maintenance.services moves it; the sweep makes its windows ahead.

    It starts at `start_time` on the wall clock of `time_zone` and lasts `minutes`.
    """

    audited_m2m: ClassVar[list[str]] = ["systems"]

    title = models.CharField(max_length=160)
    note = models.TextField("what is done", blank=True, max_length=4000)
    systems = models.ManyToManyField(System, related_name="window_series")
    frequency = models.CharField(max_length=12, choices=OFTEN, default=Frequency.WEEKLY)
    every = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    nth = models.SmallIntegerField("which of them", choices=Nth, default=Nth.FIRST)
    weekday = models.PositiveSmallIntegerField("day of the week", choices=Weekday, default=Weekday.SUNDAY)
    rule = models.CharField("recurrence rule", max_length=200, blank=True)
    anchor = models.DateField("first date")
    start_time = models.TimeField("starts at")
    minutes = models.PositiveIntegerField(validators=[MinValueValidator(5), MaxValueValidator(7 * 24 * 60)])
    time_zone = models.CharField(max_length=64, default="Europe/London", validators=[validate_zone])
    closes_itself = models.BooleanField("ends by itself", default=True)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["title", "id"]
        verbose_name = "series of windows"
        verbose_name_plural = "series of windows"
        constraints = [
            paired("window_series", "ended"),
            models.CheckConstraint(condition=~Q(made_by=""), name="window_series_made_by_whom_and_when"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def zone(self) -> ZoneInfo:
        """The place on whose wall clock its windows start."""
        return zone_or_utc(self.time_zone)

    def as_rule(self) -> Rule:
        """Return how often it comes round."""
        return Rule(
            frequency=Frequency(self.frequency), every=self.every, nth=self.nth, weekday=self.weekday, rrule=self.rule,
            at=self.start_time,
        )  # fmt: skip


class WindowQuerySet(AuditedQuerySet):
    """Windows."""

    def running(self) -> Self:
        """Return those in which somebody is at work."""
        return self.filter(state__in=RUNNING)

    def overrunning(self, at: datetime) -> Self:
        """Return those whose time is over while the work goes on."""
        return self.running().filter(ends_at__lt=at)


class Window(AuditedModel):
    """The time in which work goes on with some systems. Only maintenance.services moves it.

    While it lasts, and no longer than until `ends_at`, incidents of its systems are recorded and nobody is paged.
    `change` is the reference of the change whose slot it was made from, `scheduled_on` its date in a series.
    """

    audited_m2m: ClassVar[list[str]] = ["systems"]

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=160)
    note = models.TextField("what is done", blank=True, max_length=4000)
    systems = models.ManyToManyField(System, related_name="windows")
    kind = models.CharField(max_length=10, choices=WindowKind, default=WindowKind.ONE_OFF, editable=False)
    state = models.CharField(max_length=12, choices=WindowState, default=WindowState.SCHEDULED, editable=False)
    starts_at = models.DateTimeField("starts")
    ends_at = models.DateTimeField("ends")
    closes_itself = models.BooleanField("ends by itself", default=False)
    series = models.ForeignKey(
        WindowSeries, null=True, blank=True, on_delete=models.PROTECT, related_name="windows", editable=False,
        db_index=False,
    )  # fmt: skip
    scheduled_on = models.DateField(null=True, editable=False)
    change = models.CharField("made for change", max_length=16, blank=True, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.CharField(max_length=200, editable=False)
    begun_at = models.DateTimeField(null=True, editable=False)
    begun_by = models.CharField(max_length=200, blank=True, editable=False)
    verifying_at = models.DateTimeField("work over", null=True, editable=False)
    verifying_by = models.CharField(max_length=200, blank=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    completed_by = models.CharField(max_length=200, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.CharField(max_length=200, blank=True, editable=False)
    cancelled_because = models.TextField(blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(WindowQuerySet)()

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = "maintenance window"
        constraints = [
            *(paired("window", name) for name in ("begun", "verifying", "completed", "cancelled")),
            models.CheckConstraint(condition=~Q(made_by=""), name="window_made_by_whom_and_when"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="window_in_order"),
            models.CheckConstraint(
                condition=~Q(state=WindowState.CANCELLED) | (Q(cancelled_at__isnull=False) & ~Q(cancelled_because="")),
                name="window_cancelled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=WindowState.COMPLETED) | Q(completed_at__isnull=False, begun_at__isnull=False),
                name="window_completed_after_it_began",
            ),
            models.UniqueConstraint(
                fields=["series", "scheduled_on"], condition=Q(series__isnull=False), name="one_window_per_date"
            ),
        ]
        indexes = [models.Index(fields=["state", "starts_at"], name="window_of_state")]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("maintenance:window", args=[self.reference])

    @property
    def is_running(self) -> bool:
        """Whether somebody is at work."""
        return self.state in RUNNING

    @property
    def length(self) -> timedelta:
        """How long it is planned to last."""
        return self.ends_at - self.starts_at

    def is_overrunning(self, at: datetime) -> bool:
        """Tell whether its time is over while the work goes on."""
        return self.is_running and self.ends_at < at

    def suppresses(self) -> tuple[datetime, datetime] | None:
        """Return from when until when nobody is paged for its systems; nothing for one that was cancelled."""
        if self.state == WindowState.CANCELLED:
            return None
        starts = min(self.starts_at, self.begun_at) if self.begun_at else self.starts_at
        ends = min(self.ends_at, self.completed_at) if self.completed_at else self.ends_at
        return starts, max(starts, ends)
