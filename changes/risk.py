"""The risk of a change: impact times likelihood, and what the record of its systems adds. Pure: the sum is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from changes.enums import Impact, Level, Likelihood


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the sum: what it is, why, and how many points it adds."""

    name: str
    why: str
    points: int
    words: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain data to be kept with the change."""
        return {"name": self.name, "why": self.why, "points": self.points, "words": self.words or f"+ {self.points}"}


@dataclass(frozen=True, slots=True)
class Record:
    """What the record of the systems says at the moment of assessing."""

    failed: int
    carried_out: int
    open_incidents: tuple[str, ...]
    rto_minutes: int | None


@dataclass(frozen=True, slots=True)
class Sum:
    """All parts, their total, and the level that it reaches."""

    parts: tuple[Part, ...]
    level: Level

    @property
    def points(self) -> int:
        """Return the total."""
        return sum(part.points for part in self.parts)


SHORT_RTO = 60
"""A promise to be back within this many minutes leaves little time for a rollback."""


def assess(
    *,
    impact: Impact,
    likelihood: Likelihood,
    record: Record,
    points: Mapping[str, int],
    bands: Iterable[tuple[str, int]],
) -> Sum:
    """Return the sum for a change. `points` says what each kind of entry in the record adds, `bands` (level, from)."""
    product = int(impact) * int(likelihood)
    parts = [
        Part(
            "Impact x likelihood", f"{impact.label} ({int(impact)}), {likelihood.label.lower()} ({int(likelihood)})",
            product, f"{int(impact)} x {int(likelihood)} = {product}",
        )
    ]  # fmt: skip
    if record.failed and points.get("failed-changes"):
        parts.append(
            Part(
                "Record", f"{record.failed} failed or rolled back of {record.carried_out} changes in 12 months",
                points["failed-changes"],
            )
        )  # fmt: skip
    if record.open_incidents and points.get("open-incidents"):
        parts.append(Part("Open incidents", ", ".join(record.open_incidents), points["open-incidents"]))
    if record.rto_minutes is not None and record.rto_minutes <= SHORT_RTO and points.get("short-rto"):
        parts.append(Part("Recovery objective", f"RTO {record.rto_minutes} min", points["short-rto"]))
    return Sum(tuple(parts), level_of(sum(part.points for part in parts), bands))


def level_of(total: int, bands: Iterable[tuple[str, int]]) -> Level:
    """Return the level that so many points reach; the lowest one below all thresholds, high when there is none."""
    reached, ordered = None, sorted(bands, key=lambda band: band[1])
    for level, threshold in ordered:
        if total >= threshold:
            reached = level
    if reached is None:
        reached = ordered[0][0] if ordered else Level.HIGH
    return Level(reached)
