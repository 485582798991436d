"""For each system: who would be paged now, step by step, and every hole with the place to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidents import readiness as escalation
from incidents.readiness import PathNow
from portal.directory import readiness as directory
from portal.directory.models import System, Team
from portal.directory.readiness import Hole

# Whoever has one of these can mend a hole of that kind.
_MENDS = {
    "system": ("directory.change_system",),
    "team": ("directory.add_oncallshift",),
    "contact": ("directory.change_contact",),
    "portal": ("incidents.change_escalationpolicy", "directory.change_contact"),
}


@dataclass(frozen=True)
class Gap:
    """One hole as the page shows it. `fix_url` is empty for a reader who may not mend it."""

    hole: Hole
    anchor: str
    fix_url: str


@dataclass
class SystemReadiness:
    """One system: the way of a page about it, and how many holes it has."""

    system: System
    path: PathNow
    red: int = 0
    amber: int = 0


@dataclass(frozen=True)
class Readiness:
    """The readiness page."""

    systems: list[SystemReadiness]
    gaps: list[Gap] = field(default_factory=list)

    @property
    def red(self) -> int:
        """How many holes leave somebody unreached."""
        return sum(gap.hole.severity_tone == "red" for gap in self.gaps)

    @property
    def amber(self) -> int:
        """How many holes will hurt."""
        return len(self.gaps) - self.red


def readiness(user: Any, *, at: datetime) -> Readiness:
    """Return every active system that the reader may see with its path, and all holes, the worst first."""
    systems = list(System.objects.visible_to(user).filter(active=True).select_related("owner").order_by("name"))
    paths = escalation.who_would_be_paged(systems, at=at)
    found = {system.pk: SystemReadiness(system, paths[system.pk]) for system in systems}
    gaps = []
    holes = [*directory.holes(at=at), *escalation.holes(at=at)]
    for hole in sorted(holes, key=lambda hole: hole.severity_tone != "red"):
        if isinstance(hole.about, System):
            if hole.about.pk not in found:
                continue
            one = found[hole.about.pk]
            one.red += hole.severity_tone == "red"
            one.amber += hole.severity_tone != "red"
        gaps.append(Gap(hole, _anchor(hole), hole.fix_url if _may_mend(user, hole) else ""))
    return Readiness(list(found.values()), gaps)


def _may_mend(user: Any, hole: Hole) -> bool:
    return any(user.has_perm(permission) for permission in _MENDS[hole.kind])


def _anchor(hole: Hole) -> str:
    return f"{hole.kind}-{hole.about.slug}" if isinstance(hole.about, System | Team) else ""
