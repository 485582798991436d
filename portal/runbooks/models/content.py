"""What a published version says, line by line, so that others can point at it: steps, variables, files, commands.

These rows are read from the version's text when it is published and never changed; the text is what was approved. They
can be made anew from it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from portal.lib.visibility import VisibleQuerySet
from portal.runbooks.markdown.vocabulary import TEMPLATE, Role
from portal.runbooks.models.runbook import RunbookVersion

PLACES = [(place.value, words) for place, _, words in TEMPLATE]
ROLES = [(role.value, role.value.replace("-", " ").capitalize()) for role in Role]


class Part(models.Model):
    """A row that was read from a version. `position` orders those of a kind, `line` is where it stands in the text."""

    version = models.ForeignKey(RunbookVersion, on_delete=models.PROTECT, related_name="%(class)ss", editable=False)
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()

    objects: ClassVar[Any] = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["version", "position"]


class Procedure(Part):
    """How something is done: the startup, the shutdown, a backup, a deployment, or anything else."""

    title = models.CharField(max_length=300)
    place = models.CharField(max_length=20, choices=PLACES)
    under = models.CharField(max_length=300, blank=True)
    objective = models.TextField(blank=True)
    frequency = models.TextField(blank=True)
    rollback = models.TextField(blank=True)
    restore_test = models.TextField("restore-test schedule", blank=True)

    class Meta(Part.Meta):
        abstract = False
        indexes = [models.Index(fields=["version", "position"], name="procedure_of_version")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return where it stands on the page of its version."""
        return f"{self.version.get_absolute_url()}#s{self.line}"


class Issue(Part):
    """An entry of the troubleshooting guide. Its symptoms, diagnosis, resolution and prevention are steps of it."""

    title = models.CharField(max_length=300)

    class Meta(Part.Meta):
        abstract = False
        indexes = [models.Index(fields=["version", "position"], name="issue_of_version")]

    def __str__(self) -> str:
        return self.title


class Step(Part):
    """One step of a procedure, or of an entry of the guide. `tick` is set for what has a box to tick."""

    procedure = models.ForeignKey(Procedure, null=True, on_delete=models.PROTECT, related_name="steps")
    issue = models.ForeignKey(Issue, null=True, on_delete=models.PROTECT, related_name="steps")
    role = models.CharField(max_length=20, choices=ROLES)
    number = models.CharField(max_length=12, blank=True)
    depth = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    detail = models.TextField(blank=True)
    tick = models.BooleanField(default=False)

    class Meta(Part.Meta):
        abstract = False
        constraints = [
            models.CheckConstraint(
                condition=Q(procedure__isnull=False, issue__isnull=True)
                | Q(procedure__isnull=True, issue__isnull=False),
                name="step_of_one_thing",
            )
        ]
        indexes = [models.Index(fields=["version", "position"], name="step_of_version")]

    def __str__(self) -> str:
        return self.text


class Threshold(Part):
    """From when on a metric warns or alarms, and what to do then."""

    metric = models.CharField(max_length=300)
    warning = models.CharField(max_length=300, blank=True)
    critical = models.CharField(max_length=300, blank=True)
    action = models.TextField(blank=True)

    class Meta(Part.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.metric


class ConfigurationFile(Part):
    """A file that the system needs: where it lies, what it is for, how it is backed up."""

    name = models.CharField(max_length=300)
    location = models.CharField(max_length=500, blank=True)
    purpose = models.TextField(blank=True)
    backup = models.CharField(max_length=300, blank=True)

    class Meta(Part.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.name


class EnvironmentVariable(Part):
    """A variable that the system needs. It has no column for a value; a default that looks secret is refused."""

    name = models.CharField(max_length=200)
    required = models.BooleanField(default=False)
    default = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)

    class Meta(Part.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.name


class Command(Part):
    """A command that helps, and what it does."""

    text = models.TextField()
    description = models.TextField(blank=True)

    class Meta(Part.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.text.split("\n", 1)[0]


class LogLocation(Part):
    """Where a log lies."""

    text = models.CharField(max_length=500)
    description = models.TextField(blank=True)

    class Meta(Part.Meta):
        abstract = False

    def __str__(self) -> str:
        return self.text


class Passage(Part):
    """What a section says in prose, for search. `title` is empty where a procedure or an entry of the guide has it.

    Every section has one, also without prose: what stands after its line stands in it.
    """

    title = models.CharField(max_length=300, blank=True)
    under = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    shuts_down = models.BooleanField("tells how to shut down", default=False)

    class Meta(Part.Meta):
        abstract = False
        indexes = [models.Index(fields=["version", "line"], name="passage_of_version")]

    def __str__(self) -> str:
        return self.title or self.under
