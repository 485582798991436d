"""The words of runbooks: states of a version."""

from django.db.models import TextChoices


class VersionState(TextChoices):
    """Where a version of a runbook stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    PUBLISHED = "published", "Published"
    SUPERSEDED = "superseded", "Superseded"
    DISCARDED = "discarded", "Discarded"


OPEN = (VersionState.DRAFT, VersionState.IN_REVIEW)
PUBLISHED_ONCE = (VersionState.PUBLISHED, VersionState.SUPERSEDED)


class ItemKind(TextChoices):
    """What a runbook asks of a system's configuration."""

    VARIABLE = "variable", "Variable"
    FILE = "file", "File"
