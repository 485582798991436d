"""People, how to reach them, the teams they form, and who is on call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.base import ModelBase

from portal.audit.actor import Actor
from portal.audit.models import AuditedModel
from portal.directory import validators
from portal.directory.enums import MethodKind
from portal.lib import quiet
from portal.lib.zones import validate_zone, zone_or_utc

LONGEST_SHIFT = timedelta(days=366)
LONGEST_BUNDLE = 15 * 60  # seconds


def bundle_field() -> models.PositiveSmallIntegerField[int, int]:
    """Return the field that says how long further pages are gathered into one message."""
    return models.PositiveSmallIntegerField(
        "gather further pages for (seconds)",
        default=60,
        validators=[MaxValueValidator(LONGEST_BUNDLE)],
        help_text="The first page leaves at once; what follows within this time leaves as one. 0 gathers nothing.",
    )


class Contact(AuditedModel):
    """A person who can be called, with an account or without one."""

    privileged: ClassVar[bool] = True

    name = models.CharField(max_length=120)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="contact"
    )
    title = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="As in Europe/London or Asia/Tokyo.",
    )
    quiet_from = models.TimeField(
        "quiet hours from",
        null=True,
        blank=True,
        help_text="By the clock of the person's time zone. Pages wait until the quiet hours end, except those of a "
        "severity that ignores them; the escalation goes on meanwhile.",
    )
    quiet_until = models.TimeField("quiet hours until", null=True, blank=True)
    bundle_seconds = bundle_field()
    active = models.BooleanField(default=True, help_text="Clear this when somebody leaves. Contacts are never deleted.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_begin_and_end",
                violation_error_message="Give both when the quiet hours begin and when they end, or neither.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse quiet hours that would never end."""
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError({"quiet_until": "The quiet hours must end at another time than they begin."})

    def quiet_end(self, at: datetime) -> datetime | None:
        """Return when the quiet hours end in which `at` lies for this person; nothing when it lies in none."""
        return quiet.until(self.quiet_from, self.quiet_until, zone_or_utc(self.time_zone), at)

    def as_actor(self) -> Actor:
        """Return this person as the record names them."""
        return Actor(name=self.name, user_id=self.user_id, contact_id=self.pk)


class ContactMethod(AuditedModel):
    """One way to reach a person. Only a verified method is used; `position` 1 is tried first.

    Verified is the address, not the row: a change of kind or address ends the verification.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "contact"
    masked: ClassVar[tuple[str, ...]] = ("address",)

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="methods")
    kind = models.CharField(max_length=12, choices=MethodKind)
    address = models.CharField(
        max_length=300, help_text="E-mail address, telephone number, or the address of a channel."
    )
    position = models.PositiveSmallIntegerField(default=1)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["contact", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "kind", "address"],
                name="one_method_per_address",
                violation_error_message="This person already has that address. Use the entry that stands.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.contact}"

    @property
    def is_verified(self) -> bool:
        """Tell whether its owner has proved to read it."""
        return self.verified_at is not None

    @property
    def can_send(self) -> bool:
        """Tell whether messages go to it at all. A telephone number is there to be called by people."""
        return self.kind != MethodKind.PHONE

    @property
    def shown_address(self) -> str:
        """Return the address as pages show it, with the secret parts left out."""
        return validators.shown_address(self.kind, self.address)

    def clean(self) -> None:
        """Refuse an address that has not the form of its kind."""
        self.address = validators.normal_address(self.kind, self.address)
        validators.check_address(self.kind, self.address)

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save the method; whatever path changes or retires its address, it is unverified from then on."""
        if not self._state.adding and (not self.active or self.changed_fields(["kind", "address"])):
            self.verified_at = None
            update_fields = None if update_fields is None else {*update_fields, "verified_at"}
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)


class Team(AuditedModel):
    """A group of people that answers together."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    members = models.ManyToManyField(Contact, blank=True, related_name="teams")
    active = models.BooleanField(default=True)
    audited_m2m: ClassVar[list[str]] = ["members"]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OnCallShift(AuditedModel):
    """Somebody on call for a team, named by hand from one moment until another; it lies over the team's schedule.

    Where shifts overlap, the one that started last wins: so somebody stands in for an evening. A withdrawn shift
    was called off before it began, and never counts. `swap` is the request that it came of.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "team"

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="shifts")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="shifts")
    starts = models.DateTimeField()
    until = models.DateTimeField()
    withdrawn = models.BooleanField(default=False, editable=False)
    schedule = models.ForeignKey(
        "directory.Schedule",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="shifts",
        help_text="Over which schedule of the team it lies. Empty: over its first.",
    )
    swap = models.ForeignKey(
        "directory.Swap", null=True, blank=True, on_delete=models.PROTECT, related_name="shifts", editable=False
    )

    class Meta:
        ordering = ["team", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=models.F("starts")),
                name="shift_ends_after_start",
                violation_error_message="A shift must end after it starts.",
            )
        ]
        indexes = [models.Index(fields=["team", "until"], name="shift_team_until")]

    def __str__(self) -> str:
        return f"{self.contact} for {self.team}"

    def clean(self) -> None:
        """Refuse a shift that ends before it starts or never ends, and people and teams that are no longer there."""
        if self.starts and self.until:
            if self.until <= self.starts:
                raise ValidationError({"until": "The shift must end after it starts. Choose a later moment."})
            if self.until - self.starts > LONGEST_SHIFT:
                raise ValidationError({"until": "A shift lasts at most a year. Choose an earlier end."})
        if self.contact_id and not self.contact.active:
            raise ValidationError({"contact": f"{self.contact} has left. Put somebody on call who is still there."})
        if self.team_id and not self.team.active:
            raise ValidationError({"team": f"{self.team} is no longer active. Choose the team that took over."})
        if self.schedule is not None and self.schedule.team_id != self.team_id:
            raise ValidationError({"schedule": f"That is no schedule of {self.team}. Choose one of the team's own."})


class Channel(AuditedModel):
    """A shared address that several people read, such as a chat room or a mailing list."""

    privileged: ClassVar[bool] = True
    masked: ClassVar[tuple[str, ...]] = ("address",)

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=12, choices=[c for c in MethodKind.choices if c[0] != "phone"])
    address = models.CharField(max_length=300)
    bundle_seconds = bundle_field()
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_address(self) -> str:
        """Return the address as pages show it, with the secret parts left out."""
        return validators.shown_address(self.kind, self.address)

    def clean(self) -> None:
        """Refuse an address that has not the form of its kind."""
        self.address = validators.normal_address(self.kind, self.address)
        validators.check_address(self.kind, self.address)
