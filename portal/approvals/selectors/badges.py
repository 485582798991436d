"""How the records of each kind stand towards their approval, for a page that shows them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.approvals import registry, services
from portal.approvals.enums import Stands
from portal.approvals.looks import STANDING_LOOKS
from portal.approvals.services.badges import Standing


@dataclass(frozen=True, slots=True)
class Badge:
    """One record: its name, where it is looked at, how it stands, and how that looks."""

    name: str
    url: str
    standing: Standing
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class KindOfRecords:
    """The records of one kind: how many are approved as they stand, and the others."""

    label: str
    total: int
    others: list[Badge]

    @property
    def approved(self) -> int:
        """Return how many are approved exactly as they stand."""
        return self.total - len(self.others)


def kinds_of_records(user: Any) -> list[KindOfRecords]:
    """Return the kinds that should stand approved, where the reader may see records: some queries for each."""
    if not user.has_perm("approvals.view_approvalrequest"):
        return []
    return [found for kind in registry.kinds() if kind.lasting and (found := _of_kind(kind, user)).total]


def _of_kind(kind: registry.Approvable, user: Any) -> KindOfRecords:
    seen = list(kind.model._default_manager.all().visible_to(user).values_list("pk", flat=True))  # type: ignore[attr-defined]
    standings = services.standings(kind, seen) if seen else {}
    subjects = kind.rows().in_bulk([pk for pk, found in standings.items() if found.stands != Stands.APPROVED])
    others = [
        Badge(
            str(subject),
            kind.url(subject) if user.is_staff else "",
            standings[pk],
            *STANDING_LOOKS[standings[pk].stands],
        )
        for pk, subject in sorted(subjects.items())
    ]
    return KindOfRecords(kind.label, len(seen), others)
