"""What the risk of a change is made of: points and thresholds, as data."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from changes.enums import Level
from portal.audit.models import AuditedModel


class RiskBand(AuditedModel):
    """From how many points on a change is of this level. The level chooses who decides."""

    privileged: ClassVar[bool] = True

    level = models.CharField(max_length=8, choices=Level)
    from_points = models.PositiveSmallIntegerField("from points", validators=[MaxValueValidator(1000)])

    class Meta:
        ordering = ["from_points"]
        constraints = [models.UniqueConstraint(fields=["from_points"], name="one_risk_band_per_threshold")]

    def __str__(self) -> str:
        return f"{self.get_level_display()} from {self.from_points}"


class RiskRule(AuditedModel):
    """How many points something in the record of the systems adds."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    points = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return f"{self.name}: + {self.points}"
