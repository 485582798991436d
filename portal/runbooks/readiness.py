"""The holes of runbooks: security procedures that nobody can look up."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from portal.directory.readiness import Hole
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place
from portal.runbooks.models import Procedure

MISSING = "No published runbook has the security procedures."
CONSEQUENCE = "In a security incident nobody can look up what to do, and what not to touch."


def security_procedures() -> Iterable[Procedure]:
    """Return the security procedures in force: those of published versions with at least one step. One query."""
    rows = Procedure.objects.filter(place=Place.SECURITY.value, version__state=VersionState.PUBLISHED)
    found: Iterable[Procedure] = rows.filter(steps__isnull=False).distinct().select_related("version__runbook__system")
    return found


def holes() -> list[Hole]:
    """Return what keeps people from finding what to do. One query."""
    if any(True for _ in security_procedures()):
        return []
    return [Hole("portal", None, "amber", MISSING, reverse("runbooks:import"), CONSEQUENCE)]
