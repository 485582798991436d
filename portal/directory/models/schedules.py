"""On-call schedules: layers of rotations in versions, swaps between two people, and addresses for calendars."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from portal.audit.models import AuditedModel
from portal.directory.enums import FeedTopic, SwapState, TurnUnit
from portal.directory.models.calendars import Calendar
from portal.directory.models.people import Contact, Team
from portal.directory.models.systems import System
from portal.directory.oncall import hours
from portal.lib.zones import validate_zone

LONGEST_NAME = 200
MOST_TURN = {TurnUnit.HOURS: 720, TurnUnit.DAYS: 365, TurnUnit.WEEKS: 52}


class Schedule(AuditedModel):
    """A team's plan of who is on call when. Of several, the first that somebody holds answers for the team."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "team"

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=80)
    time_zone = models.CharField(
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="Handoffs are at the hour of this place, in summer and in winter, as in Europe/London.",
    )
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["team", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"],
                name="one_schedule_per_name",
                violation_error_message="This team already has a schedule of that name. Choose another name.",
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True, retired_by="") | (Q(retired_at__isnull=False) & ~Q(retired_by="")),
                name="schedule_retired_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """Return its name with that of the team: "Primary of Operations"."""
        return f"{self.name} of {self.team}"

    def audit_name(self) -> str:
        """Return what the trail calls it."""
        return self.title


class Layer(AuditedModel):
    """One rotation of a schedule, as it stood from `starts` until `until`; a higher `position` lies on top.

    It is never changed, but ended and followed by another: so the past stays as it was. Turns begin on `first_day` at
    `handoff` and every so often after it.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "schedule"

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="layers")
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=1, help_text="The layer with the higher number lies on top.")
    time_zone = models.CharField(max_length=64, validators=[validate_zone])
    every = models.PositiveSmallIntegerField("a turn lasts", default=1, validators=[MinValueValidator(1)])
    unit = models.CharField("counted in", max_length=5, choices=TurnUnit, default=TurnUnit.WEEKS)
    first_day = models.DateField(help_text="The day on which the turn of the first person begins.")
    handoff = models.TimeField(default="09:00", help_text="The hour at which one hands over to the next.")
    hours = models.CharField(
        "only in these hours",
        max_length=300,
        blank=True,
        help_text="As in Mon-Fri 18:00-09:00; Sat-Sun 00:00-24:00. Empty means always.",
    )
    calendar = models.ForeignKey(
        Calendar,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Only in the working hours of this calendar, without its holidays.",
    )
    starts = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["schedule", "position", "id"]
        constraints = [
            # One that was ended before it began counts never.
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("starts")), name="layer_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(every__gte=1), name="layer_turn_has_a_length"),
        ]
        indexes = [models.Index(fields=["schedule", "until"], name="layer_schedule_until")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a turn without an end, and hours that nobody can read."""
        if self.unit in MOST_TURN and self.every and self.every > MOST_TURN[TurnUnit(self.unit)]:
            most = MOST_TURN[TurnUnit(self.unit)]
            raise ValidationError({"every": f"A turn lasts at most {most} {self.unit}. Choose a shorter one."})
        try:
            self.hours = hours.normal(self.hours)
        except hours.Unreadable as problem:
            raise ValidationError({"hours": str(problem)}) from None

    @property
    def length(self) -> str:
        """Return how long a turn lasts, in words: "1 week"."""
        return f"{self.every} {self.unit.removesuffix('s') if self.every == 1 else self.unit}"


class LayerMember(AuditedModel):
    """Somebody's place in a rotation; position 1 has the first turn."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "layer"

    layer = models.ForeignKey(Layer, on_delete=models.PROTECT, related_name="members")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="turns")
    position = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(100)])

    class Meta:
        ordering = ["layer", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["layer", "position"],
                name="one_member_per_position",
                violation_error_message="Somebody has this place already. Give the next number.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact}, number {self.position}"


class Swap(AuditedModel):
    """Somebody asks another person to take over what they hold of a schedule in some time.

    With `back_starts` and `back_until` the taker gives what they hold in that time in return. Accepted, it became
    shifts by hand, which name it.
    """

    belongs_to: ClassVar[str] = "schedule"

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="swaps")
    asker = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="swaps_asked")
    taker = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="swaps_offered")
    starts = models.DateTimeField()
    until = models.DateTimeField()
    back_starts = models.DateTimeField("in return from", null=True, blank=True)
    back_until = models.DateTimeField("in return until", null=True, blank=True)
    why = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=SwapState, default=SwapState.ASKED, editable=False)
    asked_at = models.DateTimeField(editable=False)
    asked_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    answered_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(asker=F("taker")), name="swap_between_two_people"),
            models.CheckConstraint(condition=Q(until__gt=F("starts")), name="swap_ends_after_start"),
            models.CheckConstraint(
                condition=Q(back_starts__isnull=True, back_until__isnull=True) | Q(back_until__gt=F("back_starts")),
                name="swap_return_ends_after_start",
            ),
            models.CheckConstraint(condition=~Q(asked_by=""), name="swap_asked_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by="", state=SwapState.ASKED)
                | (Q(answered_at__isnull=False) & ~Q(answered_by="") & ~Q(state=SwapState.ASKED)),
                name="swap_answered_by_whom_and_when",
            ),
        ]
        indexes = [models.Index(fields=["schedule", "until"], name="swap_schedule_until")]

    def __str__(self) -> str:
        return f"Swap from {self.starts:%Y-%m-%d} to {self.until:%Y-%m-%d}"

    def is_open(self, at: datetime) -> bool:
        """Tell whether it still waits for an answer. One whose time is over lapsed."""
        return self.state == SwapState.ASKED and at < self.until


class CalendarFeed(AuditedModel):
    """A secret address from which somebody's calendar reads their own turns, those of a team, or what `topic` says.

    Only the digest of the secret is kept. It shows what its owner may see, for as long as their account is open.
    """

    belongs_to: ClassVar[str] = "owner"
    masked: ClassVar[tuple[str, ...]] = ("digest",)

    owner = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="feeds")
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: the owner's own."
    )
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="Of a topic that has systems: what concerns this one, whoever does it.",
    )  # fmt: skip
    topic = models.CharField(max_length=20, choices=FeedTopic, default=FeedTopic.ON_CALL, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["owner", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(created_by=""), name="feed_created_by_whom_and_when"),
            models.CheckConstraint(condition=Q(team__isnull=True) | Q(system__isnull=True), name="feed_of_one_thing"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="feed_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        if self.topic != FeedTopic.ON_CALL:
            return self.get_topic_display()
        return f"Calendar of {self.team or self.owner}"
