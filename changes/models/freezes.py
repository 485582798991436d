"""Times in which nothing is changed, and who let a change through all the same."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from changes.enums import Domain
from changes.models.changes import Change, FactQuerySet
from changes.recurrence import LONGEST_FREEZE, check_rule
from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel
from portal.directory.models import System
from portal.lib.zones import validate_zone


class Freeze(AuditedModel):
    """A time in which nothing is changed: once, or again and again by `rule`, on the wall clock of `time_zone`.

    `starts` and `ends` are the first such time. `rule` is a recurrence rule (RFC 5545, section 3.3.10). Without
    systems it holds for all of them; a system that is named includes its parts.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["systems"]

    name = models.CharField(max_length=120)
    domain = models.CharField("owned by", max_length=12, choices=Domain, default=Domain.OPERATIONS)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    rule = models.CharField("repeats", max_length=200, blank=True, help_text="Such as FREQ=MONTHLY;BYMONTHDAY=-1")
    time_zone = models.CharField(max_length=64, default="Europe/London", validators=[validate_zone])
    systems = models.ManyToManyField(System, blank=True, related_name="freezes")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["starts", "name"]
        constraints = [models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="freeze_in_order")]
        indexes = [models.Index(fields=["starts", "ends"], condition=Q(active=True), name="freeze_slot")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a freeze that ends before it starts, or whose rule says nothing."""
        if self.starts and self.ends:
            if self.ends <= self.starts:
                raise ValidationError({"ends": "It would end before it starts. Choose an end after the start."})
            if self.ends - self.starts > LONGEST_FREEZE:
                raise ValidationError({"ends": "A freeze lasts at most 92 days. Make a second one for the rest."})
        try:
            check_rule(self.rule, lasts=self.ends - self.starts if self.starts and self.ends else timedelta(0))
        except ValueError as problem:
            raise ValidationError({"rule": str(problem)}) from None


class FreezeOverride(AppendOnlyModel):
    """The change authority let one change through one freeze, with a reason: for this version of its content."""

    correction: ClassVar[str] = "Cancel the change, or move it out of the freeze."
    codes: ClassVar[Collection[str]] = ("origin",)

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="overrides")
    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="overrides")
    version = models.PositiveIntegerField()
    reason = models.TextField()
    overridden_at = models.DateTimeField()
    overridden_by = models.CharField(max_length=200)
    overrider_id = models.BigIntegerField("account")
    origin = models.CharField(max_length=20, blank=True)
    gesture = models.UUIDField(null=True)

    objects: ClassVar[Any] = FactQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        ordering = ["change", "id"]
        constraints = [
            models.UniqueConstraint(fields=["change", "freeze", "version"], name="one_override_per_freeze_and_version"),
            models.CheckConstraint(
                condition=~Q(overridden_by="") & ~Q(reason=""), name="override_by_whom_when_and_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.freeze} overridden by {self.overridden_by}"
