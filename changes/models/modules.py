"""What the release checklist is made of: modules, and what is asked of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from portal.audit.models import AuditedModel
from portal.directory.models import System, Team


class Module(AuditedModel):
    """A part of a product that a release can touch."""

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField("order", default=0)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="modules")
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="modules")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ReleaseCheck(AuditedModel):
    """One thing that is asked of every module that a release touches.

    With `opens_review` the answer is a question: whoever says that a review is needed opens one, and the change cannot
    be closed while it is open.
    """

    privileged: ClassVar[bool] = True

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField("order", default=0)
    opens_review = models.BooleanField("opens an access review", default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
