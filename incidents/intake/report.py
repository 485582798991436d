"""What one post says, whatever form it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from incidents.enums import Stance


@dataclass(frozen=True, slots=True)
class Report:
    """One alert, or one group of alerts under a common key, as clean text.

    `key` is the source's own name for it. `instead` says what a report that neither fires nor is resolved asks for:
    Stance.ACKNOWLEDGED or Stance.NOTHING, the latter with a `sentence` for the source. `label_sets` are the distinct
    labels of what fires; systems and severity are found in them. `labels` are those to be shown. `truncated` counts
    alerts that the source left out, `ignored` names fields that nobody read, `started_at` is when the source saw it
    begin. `hints` are sentences about what was guessed.
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
    instead: str = ""
    sentence: str = ""
    hints: tuple[str, ...] = ()

    def numbers(self) -> dict[str, int]:
        """Return how many alerts fire, are resolved, and were left out by the source."""
        return {"firing": self.firing_count, "resolved": self.resolved_count, "truncated": self.truncated}

    def digest(self) -> str:
        """Return what two reports share that say the same of the same alert, whatever numbers their words hold."""
        sets = [sorted(labels.items()) for labels in self.label_sets]
        said = json.dumps([sorted(self.labels.items()), sets, sorted(self.numbers().items())])
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def stance(self) -> Stance:
        """Return what the report says of its alert."""
        if self.instead:
            return Stance(self.instead)
        return Stance.FIRING if self.firing else Stance.RESOLVED


def nothing(key: str, title: str, sentence: str) -> Report:
    """Return a report that asks for nothing; the sentence says why."""
    return Report(key=key, firing=False, title=title, firing_count=0, instead=Stance.NOTHING, sentence=sentence)


def distinct(found: Iterable[dict[str, str]]) -> tuple[Mapping[str, str], ...]:
    """Return the label sets without those that came before, in their order."""
    return tuple({tuple(sorted(labels.items())): labels for labels in found}.values())
