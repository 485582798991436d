"""What a verification found, in sentences that name the row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

MOST_NAMED = 1_000


class Kind(models.TextChoices):
    """What was done to the record."""

    EDITED = "edited", "Edited"
    REMOVED = "removed", "Removed"
    INSERTED = "inserted", "Inserted"
    MOVED = "moved", "Re-ordered"
    EXCHANGED = "exchanged", "Exchanged"
    CUT = "cut", "Cut off"
    SEAL_EDITED = "seal-edited", "Seal edited"
    SEAL_REMOVED = "seal-removed", "Seal removed"
    BROKEN = "broken", "Chain broken"
    ORPHANED = "orphaned", "Without a row of the trail"
    TWICE = "twice", "Told twice"
    UNSEALED = "unsealed", "Not sealed"
    ANCHOR = "anchor", "Anchor disagrees"
    TOMBSTONE = "tombstone", "Unlawful tombstone"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, in which row of which table, at which position of the chain."""

    kind: Kind
    sentence: str
    table: str = ""
    row_id: int | None = None
    position: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding for a machine."""
        return {
            "kind": self.kind.value,
            "sentence": self.sentence,
            "table": self.table,
            "row_id": self.row_id,
            "position": self.position,
        }


@dataclass
class Report:
    """What one verification read and found. Counts are of rows; only the first findings are kept by name."""

    at: datetime
    rows: int = 0
    history_rows: int = 0
    head: str = ""
    position: int = 0
    tombstones: int = 0
    anchors: int = 0
    unsealed: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Keep a finding; beyond the first thousand only its kind is counted."""
        self.counts[finding.kind.value] += 1
        if len(self.findings) < MOST_NAMED:
            self.findings.append(finding)

    @property
    def found(self) -> int:
        """How many things are wrong."""
        return sum(self.counts.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.found

    @property
    def speed(self) -> float:
        """Sealed rows a second."""
        return self.rows / self.seconds if self.seconds else 0.0

    def sentence(self) -> str:
        """Return the result in one sentence."""
        told = "none missing, none altered" if self.is_clean else f"{self.found:,} findings"
        return f"Verified {self.rows:,} rows: {told}, {self.seconds:,.0f} s"

    def as_json(self) -> dict[str, Any]:
        """Return the report for a machine."""
        return {
            "at": self.at.isoformat(),
            "clean": self.is_clean,
            "rows": self.rows,
            "history_rows": self.history_rows,
            "position": self.position,
            "head": self.head,
            "tombstones": self.tombstones,
            "anchors": self.anchors,
            "unsealed": self.unsealed,
            "unreadable": self.unreadable,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.speed),
            "keys": self.keys,
            "notes": self.notes,
            "counts": dict(self.counts),
            "findings": [finding.as_json() for finding in self.findings],
        }
