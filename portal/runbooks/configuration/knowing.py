"""What the runbooks in force ask of a system: required variables and files, each with the last mark on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.directory.models import System
from portal.runbooks.enums import ItemKind
from portal.runbooks.models import (
    ConfigurationFile,
    ConfigurationMark,
    ConfigurationRule,
    EnvironmentVariable,
    RunbookVersion,
)

LONGEST = 200  # of a name
NO_RUNBOOK = "{system} has no runbook in force, so nobody knows what its configuration needs."
MISSING = "{names} of {system} {are} not marked present yet."
MARK_THEM = "Mark what you find on the page Configuration, or skip the step with a reason."
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One variable or file that a runbook asks for."""

    kind: ItemKind
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stands:
    """An item with the last mark on it. A stale one is present, and was last looked at too long ago."""

    item: Item
    mark: ConfigurationMark | None
    stale: bool

    @property
    def present(self) -> bool:
        """Whether somebody found it, and nobody missed it since."""
        return self.mark is not None and self.mark.present


@dataclass(frozen=True, slots=True)
class Known:
    """All that is asked of one system. `version` is nothing where no runbook is in force."""

    system: System
    version: RunbookVersion | None
    items: list[Stands]

    @property
    def missing(self) -> list[Stands]:
        """Those that nobody found."""
        return [one for one in self.items if not one.present]

    @property
    def stale(self) -> list[Stands]:
        """Those that are present by a mark that is too old."""
        return [one for one in self.items if one.present and one.stale]

    @property
    def refusal(self) -> str:
        """Why the configuration is not verified, in a sentence; "" when it is."""
        if self.version is None:
            return NO_RUNBOOK.format(system=self.system)
        names = [one.item.name for one in self.missing]
        if not names:
            return ""
        shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else "")
        return MISSING.format(names=shown, system=self.system, are="is" if len(names) == 1 else "are")


def known_of(systems: Iterable[System], *, at: datetime) -> list[Known]:
    """Return what is asked of some systems and how it stands. Five queries."""
    listed = sorted(systems, key=lambda system: (system.name, system.pk))
    keys = [system.pk for system in listed]
    rows = RunbookVersion.objects.filter(runbook__system__in=keys, runbook__retired_at=None).in_force(at)
    in_force = list(rows.select_related("runbook").defer("text").order_by("pk"))
    asked = _asked(in_force)
    last: dict[tuple[int, str, str], ConfigurationMark] = {}
    for mark in ConfigurationMark.objects.filter(system__in=keys).order_by("marked_at", "pk"):
        last[mark.system_id, mark.kind, mark.name] = mark
    oldest = at - timedelta(days=ConfigurationRule.now().stale_days)
    return [
        _known(system, [v for v in in_force if v.runbook.system_id == system.pk], asked, last, oldest)
        for system in listed
    ]


def _known(
    system: System,
    versions: list[RunbookVersion],
    asked: dict[int, list[Item]],
    last: dict[tuple[int, str, str], ConfigurationMark],
    oldest: datetime,
) -> Known:
    found = []
    for item in dict.fromkeys(item for version in versions for item in asked.get(version.pk, [])):
        mark = last.get((system.pk, item.kind, item.name))
        found.append(Stands(item, mark, stale=mark is not None and mark.marked_at < oldest))
    return Known(system, versions[-1] if versions else None, found)


def _asked(versions: list[RunbookVersion]) -> dict[int, list[Item]]:
    """Return the required variables and the files that some versions name, by version. Two queries."""
    found: dict[int, list[Item]] = {}
    for variable in EnvironmentVariable.objects.filter(version__in=versions, required=True).order_by("position", "pk"):
        found.setdefault(variable.version_id, []).append(Item(ItemKind.VARIABLE, variable.name, variable.description))
    for file in ConfigurationFile.objects.filter(version__in=versions).order_by("position", "pk"):
        found.setdefault(file.version_id, []).append(Item(ItemKind.FILE, file.name[:LONGEST], file.location))
    return found
