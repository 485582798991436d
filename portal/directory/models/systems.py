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


class RecoveryObjective(AuditedModel):
    """How soon a system must be back (RTO) and how much data it may lose (RPO), both in minutes."""

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

    def __str__(self) -> str:
        return f"Recovery objective of {self.system}"

    @property
    def rto(self) -> timedelta | None:
        """Return how soon the system must be back, or nothing when nobody has promised it."""
        return None if self.rto_minutes is None else timedelta(minutes=self.rto_minutes)

    @property
    def rpo(self) -> timedelta | None:
        """Return the time whose data may be lost, or nothing when nobody has promised it."""
        return None if self.rpo_minutes is None else timedelta(minutes=self.rpo_minutes)
