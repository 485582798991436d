"""Checklists: what is worked, in versions that are kept for good, and the rules that start one by themselves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel
from portal.directory.models import Severity, System, Team
from portal.runbooks.checklists import pages, policy, subjects
from portal.runbooks.checklists.enums import Frequency

LONGEST_NAME = 200


class Checklist(AuditedModel):
    """A named list of steps. Its steps stand in versions; `version` is the number of the one in force."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    purpose = models.CharField(
        max_length=300, blank=True, help_text="When to work it, and what is true once it is done."
    )
    frequency = models.CharField(max_length=10, choices=Frequency, default=Frequency.NEEDED)
    shuts_down = models.BooleanField(
        "shuts systems down",
        default=False,
        db_default=False,
        help_text="While a security incident holds one of the systems, it is not started for it.",
    )
    version = models.PositiveIntegerField("version in force", default=0, editable=False)
    active = models.BooleanField(default=True, help_text="Clear this when it is worked no more. Runs of it stay.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("checklists:template", args=[self.slug])


class ChecklistVersion(AppendOnlyModel):
    """One edit of a checklist: all its steps as they were from then on."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=LONGEST_NAME)
    reason = models.TextField()

    correction: ClassVar[str] = "Edit the checklist: that makes a new version."

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["checklist", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["checklist", "number"], name="one_checklist_version_per_number"),
            models.CheckConstraint(condition=~Q(made_by=""), name="checklist_version_made_by_whom_and_when"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.checklist}"


class ChecklistStep(AppendOnlyModel):
    """One step of one version: what to do, which team owns it, and the page that it speaks of."""

    version = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=policy.LONGEST_STEP)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    page = models.CharField(max_length=30, blank=True, choices=pages.page_choices)

    correction: ClassVar[str] = "Edit the checklist: that makes a new version."
    codes: ClassVar[Collection[str]] = ("page",)

    class Meta:
        base_manager_name = "objects"
        default_permissions = ("view",)
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="one_checklist_step_per_position"),
            models.CheckConstraint(condition=~Q(text=""), name="checklist_step_says_what"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"


class ChecklistRule(AuditedModel):
    """When a checklist starts by itself: with each record of the kind that has all that is named here.

    What is left empty is not asked.
    """

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "checklist"

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField("kind of record", max_length=40, choices=subjects.kind_choices, default="incident")
    severity = models.ForeignKey(Severity, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=40, blank=True, choices=subjects.type_choices)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["checklist", "id"]

    def __str__(self) -> str:
        asked: list[Any] = [
            self.severity and self.severity.code,
            self.type and f"{self.get_type_display().lower()} ones",
            self.system,
        ]
        words = ", ".join(str(one) for one in asked if one) or "every one"
        return f"{self.get_kind_display()}: {words}"

    def fits(self, facts: subjects.Facts) -> bool:
        """Tell whether a record with these facts has all that the rule asks."""
        return (
            (self.severity_id is None or self.severity_id == facts.severity_id)
            and self.type in ("", facts.type)
            and (self.system_id is None or self.system_id in facts.system_ids)
        )
