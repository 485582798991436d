"""For each system: who would be paged now, step by step, and every hole with the place to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.directory import readiness as directory
from portal.directory.models import System
from portal.directory.readiness import Hole


@dataclass
class SystemReadiness:
    """One system with the steps of its escalation and its holes."""

    system: System
    path: Any = None
    holes: list[Hole] = field(default_factory=list)


@dataclass
class Readiness:
    """The readiness page."""

    systems: list[SystemReadiness]
    general: list[Hole]

    @property
    def red(self) -> int:
        """How many holes leave somebody unreached."""
        return sum(hole.severity_tone == "red" for hole in self.all_holes)

    @property
    def amber(self) -> int:
        """How many holes will hurt."""
        return len(self.all_holes) - self.red

    @property
    def all_holes(self) -> list[Hole]:
        """Every hole of the page."""
        return [*self.general, *(hole for one in self.systems for hole in one.holes)]


def readiness(user: Any, *, at: datetime) -> Readiness:
    """Return every active system that the reader may see, with its path and its holes."""
    systems = System.objects.visible_to(user).filter(active=True).select_related("owner").order_by("name")
    found = {system.pk: SystemReadiness(system) for system in systems}
    general = []
    for hole in directory.holes(at=at):
        if isinstance(hole.about, System) and hole.about.pk in found:
            found[hole.about.pk].holes.append(hole)
        else:
            general.append(hole)
    return Readiness(list(found.values()), general)
