"""When the contact sheet left this machine."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from portal.audit.seals import Way
from portal.lib.visibility import VisibleQuerySet


class SheetDelivery(models.Model):
    """One night's contact sheet on one way off this machine: tried until it is there, and seen while it is not."""

    day = models.DateField()
    way = models.CharField(max_length=10, choices=Way.choices)
    target = models.CharField(max_length=500)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sheet deliveries"
        default_permissions = ("view",)
        ordering = ["-day", "way"]
        constraints = [models.UniqueConstraint(fields=["day", "way", "target"], name="a_sheet_once_on_each_way")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(delivered_at__isnull=True), name="sheets_to_deliver"),
        ]

    def __str__(self) -> str:
        return f"Contact sheet of {self.day} by {self.get_way_display()}"
