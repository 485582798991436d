"""What one post says, whatever form it came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Report:
    """One alert, or one group of alerts under a common key, as clean text.

    `key` is the source's own name for it. `label_sets` are the distinct labels of what fires; systems and severity are
    found in them. `labels` are those to be shown. `truncated` counts alerts that the source left out, `ignored` names
    fields that nobody read, `started_at` is when the source saw it begin.
    """

    key: str
    firing: bool
    title: str
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    label_sets: tuple[Mapping[str, str], ...] = ()
    firing_count: int = 1
    resolved_count: int = 0
    truncated: int = 0
    started_at: datetime | None = None
    ignored: tuple[str, ...] = ()

    def numbers(self) -> dict[str, int]:
        """Return how many alerts fire, are resolved, and were left out by the source."""
        return {"firing": self.firing_count, "resolved": self.resolved_count, "truncated": self.truncated}


def distinct(found: Iterable[dict[str, str]]) -> tuple[Mapping[str, str], ...]:
    """Return the label sets without those that came before, in their order."""
    return tuple({tuple(sorted(labels.items())): labels for labels in found}.values())
