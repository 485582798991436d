"""Templates of standard changes: approved once, followed often, revocable."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from changes.enums import StepKind
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.directory.models import System


class TemplateQuerySet(AuditedQuerySet):
    """Templates."""

    def in_force(self) -> Self:
        """Return those that nobody revoked."""
        return self.filter(revoked_at=None)


class ChangeTemplate(AuditedModel):
    """How one kind of standard change is done. A change made from it copies it, and needs no approval of its own.

    `version` counts its edits: one that was edited must be approved anew before it can be used.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["systems"]

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    title = models.CharField("title of its changes", max_length=200)
    justification = models.TextField(max_length=10000)
    test_plan = models.TextField(max_length=10000)
    systems = models.ManyToManyField(
        System, blank=True, related_name="change_templates", help_text="Empty: for any system."
    )
    rollback_minutes = models.PositiveIntegerField("rollback in minutes", validators=[MinValueValidator(1)])
    point_of_no_return = models.CharField(max_length=300)
    answers_topic = models.CharField(
        "answers demands of",
        max_length=40,
        blank=True,
        help_text="Closing such a change as successful answers the open demand of this topic for its systems.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=200, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(TemplateQuerySet)()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="template_revoked_by_whom_and_when",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("changes:template", args=[self.slug])


class TemplateStep(AuditedModel):
    """One step of a template."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "template"

    template = models.ForeignKey(ChangeTemplate, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=16, choices=StepKind)
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    minutes = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(14 * 24 * 60)])

    class Meta:
        ordering = ["template", "kind", "position"]
        constraints = [
            models.UniqueConstraint(fields=["template", "kind", "position"], name="one_template_step_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} step {self.position} of {self.template}"
