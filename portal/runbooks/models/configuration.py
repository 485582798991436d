"""Marks on a system's configuration: who found a variable or a file, or missed it, and when. No value is kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel
from portal.directory.models import System
from portal.runbooks.enums import ItemKind

STALE_DAYS = 90


class ConfigurationMark(AppendOnlyModel):
    """Somebody found one variable or file of a system, or missed it. The last mark on it counts."""

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=ItemKind)
    name = models.CharField(max_length=200)
    present = models.BooleanField()
    marked_at = models.DateTimeField()
    marked_by = models.CharField(max_length=200)
    actor_user_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)

    correction: ClassVar[str] = "Mark it again: the last mark counts."
    personal: ClassVar[Collection[str]] = ("actor_user_id",)
    codes: ClassVar[Collection[str]] = ("kind", "origin")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view", "add")
        ordering = ["-marked_at", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(marked_by=""), name="configuration_marked_by_whom_and_when")]
        indexes = [models.Index(fields=["system", "marked_at"], name="configuration_of_system")]

    def __str__(self) -> str:
        return f"{self.name}: {'present' if self.present else 'missing'}"


class ConfigurationRule(AuditedModel):
    """After how long a mark is stale. There is one row, the first."""

    privileged: ClassVar[bool] = True

    stale_days = models.PositiveSmallIntegerField(
        "days after which a mark is stale",
        default=STALE_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="A stale mark still counts, and says how old it is.",
    )

    class Meta:
        verbose_name = "rule for configuration"
        verbose_name_plural = "rule for configuration"
        constraints = [
            models.CheckConstraint(condition=Q(stale_days__gte=1), name="configuration_rule_leaves_time"),
        ]

    def __str__(self) -> str:
        return f"Marks are stale after {self.stale_days} days"

    @classmethod
    def now(cls) -> Self:
        """Return the rule that stands, or the one that every installation begins with."""
        return cls.objects.order_by("pk").first() or cls()
