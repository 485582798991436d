"""What the company runs, who answers for it, and how soon it must be back."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.audit.models import AuditedModel
from portal.directory.enums import EmergencyRole
from portal.directory.models.calendars import Calendar
from portal.directory.models.people import Contact, Team

YEAR_OF_MINUTES = 366 * 24 * 60
PROVEN_FOR = 365  # days


class System(AuditedModel):
    """Something the company runs and answers for."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=60, unique=True, help_text="The name that alerts use in their labels.")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=2000)
    version = models.CharField(max_length=60, blank=True)
    last_updated = models.DateField(null=True, blank=True)
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="systems")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="systems")
    dashboard_url = models.URLField(
        "dashboard link",
        blank=True,
        validators=[URLValidator(["https", "http"], message="Give the whole address; it begins with https://.")],
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the system's page."""
        return reverse("directory:system", args=[self.slug])

    def clean(self) -> None:
        """Refuse a system that would stand inside itself."""
        above, seen = self.parent, set()
        while above is not None and above.pk not in seen:
            if above.pk == self.pk:
                raise ValidationError({"parent": f"{self} cannot be part of {self.parent}, which is part of {self}."})
            seen.add(above.pk)
            above = above.parent


class EmergencyContact(AuditedModel):
    """Who answers for a system in one role, and who stands in."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "system"

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="emergency_contacts")
    role = models.CharField(max_length=20, choices=EmergencyRole)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="emergency_roles")
    backup = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="emergency_backup_roles"
    )

    class Meta:
        ordering = ["system", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "role"],
                name="one_contact_per_system_and_role",
                violation_error_message="This system already has somebody in that role. Change that line instead.",
            ),
            models.CheckConstraint(
                condition=Q(backup__isnull=True) | ~Q(backup=models.F("contact")),
                name="backup_is_somebody_else",
                violation_error_message="The backup must be somebody else.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.system}"

    def clean(self) -> None:
        """Refuse to name somebody who has left. Who was named before leaving is a hole on the readiness page."""
        changed = self.changed_fields()
        for name in ("contact", "backup"):
            person = getattr(self, name) if getattr(self, f"{name}_id") else None
            if person is not None and not person.active and f"{name}_id" in changed:
                raise ValidationError({name: f"{person} has left. Name somebody who is still there."})


class Dependency(AuditedModel):
    """A system stands on another one: without what it needs it is not back, whatever it promises."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "system"

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="dependencies")
    needs = models.ForeignKey(System, on_delete=models.PROTECT, related_name="dependents")
    note = models.CharField("what for", max_length=200, blank=True)

    class Meta:
        ordering = ["system", "needs"]
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(
                fields=["system", "needs"],
                name="one_dependency_per_pair",
                violation_error_message="It is written down already that this system needs that one.",
            ),
            models.CheckConstraint(
                condition=~Q(system=models.F("needs")),
                name="dependency_on_another",
                violation_error_message="A system does not need itself. Choose another one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} needs {self.needs}"

    def clean(self) -> None:
        """Refuse a circle: of two systems that need one another neither could be first to come back."""
        if not (self.system_id and self.needs_id) or self.system_id == self.needs_id:
            return  # a form has refused one, or the database refuses both
        below, reached = {self.needs_id}, set()
        while below:
            if self.system_id in below:
                raise ValidationError(
                    {"needs": f"{self.needs} already needs {self.system}, directly or through others."}
                )
            reached |= below
            rows = Dependency.objects.filter(system__in=below).exclude(pk=self.pk)
            below = set(rows.values_list("needs_id", flat=True)) - reached


class RecoveryObjective(AuditedModel):
    """What is promised of a system's recovery, in minutes, by whom, and how often that is proven anew.

    RTO is how soon it must be back, RPO how much of the newest data it may lose, MTD how long the company bears its
    absence at all. A change of one of them voids their approval.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "system"

    system = models.OneToOneField(System, on_delete=models.PROTECT, related_name="objective")
    rto_minutes = models.PositiveIntegerField(
        "RTO in minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(YEAR_OF_MINUTES)],
        help_text="How soon it must be back. Empty when nobody has promised anything.",
    )
    rpo_minutes = models.PositiveIntegerField(
        "RPO in minutes",
        null=True,
        blank=True,
        validators=[MaxValueValidator(YEAR_OF_MINUTES)],
        help_text="How much of the newest data it may lose. 0 means none.",
    )
    mtd_minutes = models.PositiveIntegerField(
        "MTD in minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(YEAR_OF_MINUTES)],
        help_text="The longest absence that the company bears. Never shorter than the RTO.",
    )
    owner = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="recovery_objectives",
        help_text="Who answers for the promise.",
    )  # fmt: skip
    proof_days = models.PositiveSmallIntegerField(
        "proven anew every (days)",
        default=PROVEN_FOR,
        validators=[MinValueValidator(1), MaxValueValidator(3 * 366)],
        help_text="How long a proof holds where no date of a next test says otherwise.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(mtd_minutes__isnull=True)
                | Q(rto_minutes__isnull=True)
                | Q(mtd_minutes__gte=models.F("rto_minutes")),
                name="objective_back_before_it_hurts",
                violation_error_message="The RTO must not be longer than the MTD, the longest absence that is borne.",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery objective of {self.system}"

    def clean(self) -> None:
        """Refuse an owner who has left. Who owned it before leaving is a hole on the readiness page."""
        if self.owner is not None and not self.owner.active and "owner_id" in self.changed_fields():
            raise ValidationError({"owner": f"{self.owner} has left. Name somebody who is still there."})

    @property
    def rto(self) -> timedelta | None:
        """Return how soon the system must be back, or nothing when nobody has promised it."""
        return None if self.rto_minutes is None else timedelta(minutes=self.rto_minutes)

    @property
    def rpo(self) -> timedelta | None:
        """Return the time whose data may be lost, or nothing when nobody has promised it."""
        return None if self.rpo_minutes is None else timedelta(minutes=self.rpo_minutes)

    @property
    def mtd(self) -> timedelta | None:
        """Return the longest absence that is borne, or nothing when nobody has said it."""
        return None if self.mtd_minutes is None else timedelta(minutes=self.mtd_minutes)
