"""The release checklist: modules x checks, asked of the modules that a change touches."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from changes.enums import CellState
from changes.models.changes import Change, PartQuerySet
from changes.models.modules import Module, ReleaseCheck
from portal.audit.models import AuditedModel


class Cell(AuditedModel):
    """How one check of one module stands for one change: done, not needed because of something, or open.

    `demand_key` names the access review that an answer opened.
    """

    belongs_to: ClassVar[str] = "change"

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="cells")
    module = models.ForeignKey(Module, on_delete=models.PROTECT, related_name="cells")
    check_of = models.ForeignKey(ReleaseCheck, on_delete=models.PROTECT, related_name="cells", verbose_name="check")
    state = models.CharField(max_length=12, choices=CellState, default=CellState.OPEN, editable=False)
    because = models.CharField(max_length=500, blank=True, editable=False)
    evidence = models.CharField(max_length=500, blank=True, editable=False)
    demand_key = models.CharField(max_length=160, blank=True, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    answered_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(PartQuerySet)()

    class Meta:
        ordering = ["change", "module", "check_of"]
        constraints = [
            models.UniqueConstraint(fields=["change", "module", "check_of"], name="one_cell_per_module_and_check"),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True, answered_by="")
                | (~Q(state="open") & Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="cell_answered_by_whom_and_when",
            ),
            models.CheckConstraint(condition=~Q(state="not_needed") | ~Q(because=""), name="cell_not_needed_because"),
        ]

    def __str__(self) -> str:
        return f"{self.check_of} of {self.module} for change {self.change_id}"
