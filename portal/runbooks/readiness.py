"""The holes of runbooks: security procedures that nobody can look up."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import QuerySet
from django.urls import reverse

from portal.directory.readiness import Hole
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place
from portal.runbooks.models import Procedure

MISSING = "No published runbook has the security procedures."
CONSEQUENCE = "In a security incident nobody can look up what to do, and what not to touch."
Rows = TypeVar("Rows", bound=QuerySet[Procedure])


def in_force(procedures: Rows) -> Rows:
    """Return the security procedures among these that people follow: of published versions, with at least one step."""
    rows = procedures.filter(place=Place.SECURITY.value, version__state=VersionState.PUBLISHED, steps__isnull=False)
    return rows.distinct().select_related("version__runbook__system").defer("version__text")


def holes() -> list[Hole]:
    """Return what keeps people from finding what to do. One query."""
    if in_force(Procedure.objects.all()).exists():
        return []
    return [Hole("portal", None, "amber", MISSING, reverse("runbooks:import"), CONSEQUENCE)]
