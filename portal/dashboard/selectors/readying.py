"""For each system: who would be paged now, step by step, and every hole with the place to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from incidents import readiness as escalation
from incidents.communications import readiness as communications
from incidents.models import AudienceMember, EscalationPolicy
from incidents.readiness import PathNow
from maintenance import readiness as maintenance
from maintenance.models import Exercise, Plan
from portal.audit import guards
from portal.audit.models import TrailRow
from portal.directory import readiness as directory
from portal.directory.models import Contact, System, Team
from portal.directory.readiness import Hole
from portal.lib.visibility import VisibleQuerySet
from portal.records.evidence import verifying
from portal.records.evidence.models import Evidence
from portal.runbooks import readiness as runbooks
from portal.runbooks.models import Runbook

NAMED = 3
# Whoever has one of these can mend a hole of that kind.
_MENDS = {
    "system": ("directory.change_system",),
    "team": ("directory.add_oncallshift",),
    "contact": ("directory.change_contact",),
    "portal": ("incidents.change_escalationpolicy", "directory.change_contact"),
    "plan": ("maintenance.change_plan",),
    "exercise": ("maintenance.change_exercise",),
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
    """Return every active system that the reader may see with its path, and the holes that they may know of.

    The worst holes come first. One query for each model that holes are about.
    """
    systems = list(System.objects.visible_to(user).filter(active=True).select_related("owner").order_by("name"))
    paths = escalation.who_would_be_paged(systems, at=at)
    found = {system.pk: SystemReadiness(system, paths[system.pk]) for system in systems}
    gaps = []
    for hole in sorted(_holes(user, at=at), key=lambda hole: hole.severity_tone != "red"):
        if isinstance(hole.about, System):
            one = found.get(hole.about.pk)
            if one is None:
                continue
            one.red += hole.severity_tone == "red"
            one.amber += hole.severity_tone != "red"
        gaps.append(Gap(hole, _anchor(hole), hole.fix_url if _may_mend(user, hole) else ""))
    return Readiness(list(found.values()), gaps)


def _holes(user: Any, *, at: datetime) -> list[Hole]:
    """Return the holes about what the reader may see.

    A hole without a record is about administrators when the directory finds it, about policies when escalation does,
    about lists of audiences when communications do, about runbooks when security procedures are missing, about plans
    of maintenance when maintenance does, about the trail when guards of the record are missing, and about evidence when
    a file of it is damaged.
    """
    found = [
        *_by_model(directory.holes(at=at), Contact),
        *_by_model(escalation.holes(at=at), EscalationPolicy),
        *_by_model(communications.holes(), AudienceMember),
        *_by_model(runbooks.holes(), Runbook),
        *_by_model(maintenance.plans_without_a_lead(), Plan),
        *_by_model(maintenance.left_running(at=at), Exercise),
    ]
    if user.has_perm("maintenance.view_backupplan"):
        approved = user.has_perm("approvals.view_approvalrequest")
        found += _by_model(maintenance.holes(with_approvals=approved), System)
    if user.has_perm("audit.view_trailrow"):
        found += _by_model(_unguarded(), TrailRow)
    found += _by_model(_damaged(), Evidence)
    about: dict[type[Model], set[int]] = {model: set() for model, _ in found}
    for model, hole in found:
        if hole.about is not None:
            about[model].add(hole.about.pk)
    seen = {model: _seen(user, model, ids) for model, ids in about.items()}
    return [hole for model, hole in found if (hole.about.pk if hole.about else None) in seen[model]]


def _unguarded() -> list[Hole]:
    """Return a hole when the database would let somebody change what is kept for good."""
    missing = guards.missing()
    if not missing:
        return []
    named = ", ".join(missing[:NAMED]) + (" and more" if len(missing) > NAMED else "")
    many = "1 guard of the record is" if len(missing) == 1 else f"{len(missing)} guards of the record are"
    sentence = f"{many} missing, altered or disabled: {named}."
    mend = "Find out who lifted them, then run: python3 manage.py audit install-guards"
    return [Hole("portal", None, "red", sentence, "", mend)]


def _damaged() -> list[Hole]:
    """Return a hole when stored evidence is not what was collected."""
    found = verifying.damaged()
    if not found:
        return []
    sentence = f"{found} file{'s' if found > 1 else ''} of evidence {'are' if found > 1 else 'is'} altered or missing."
    mend = "Keep the disk as it is, and look for the file in the backup. See Evidence, Altered or missing."
    return [Hole("portal", None, "red", sentence, "", mend)]


def _by_model(holes: list[Hole], otherwise: type[Model]) -> list[tuple[type[Model], Hole]]:
    return [(type(hole.about) if hole.about else otherwise, hole) for hole in holes]


def _seen(user: Any, model: type[Model], ids: set[int]) -> set[int | None]:
    """Return which of these rows the reader may see, and None when rows of that model may be seen at all."""
    rows: VisibleQuerySet = model._default_manager.all().visible_to(user)  # type: ignore[attr-defined]
    if rows.query.is_empty():
        return set()
    return {None, *(rows.filter(pk__in=ids).values_list("pk", flat=True) if ids else ())}


def _may_mend(user: Any, hole: Hole) -> bool:
    return any(user.has_perm(permission) for permission in _MENDS[hole.kind])


def _anchor(hole: Hole) -> str:
    return f"{hole.kind}-{hole.about.slug}" if isinstance(hole.about, System | Team) else ""
