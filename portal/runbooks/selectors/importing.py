"""What a file would become, as the page shows it before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.runbooks.services import Taken, Verdict

MOST_LINES = 400
_COUNTED = (
    ("procedures", "procedure"), ("issues", "troubleshooting entry"), ("checklists", "checklist"),
    ("thresholds", "alert threshold"), ("metrics", "key metric"), ("severities", "severity level"),
    ("tasks", "maintenance task"),
    ("contacts", "contact"), ("files", "configuration file"), ("variables", "environment variable"),
    ("objectives", "recovery objective"), ("commands", "command"), ("logs", "log location"),
    ("references", "reference"), ("history", "line of the version history"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognised:
    """One kind of what was understood: how many, and the names of the first."""

    count: int
    word: str
    names: list[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """A file before it is kept."""

    title: str
    recognised: list[Recognised]
    report: dict[str, Any]
    steps: int
    more_lines: int
    keeps: bool

    @property
    def whole(self) -> bool:
        """Tell whether every character is kept."""
        return bool(self.report["characters"]["read"] == self.report["characters"]["kept"])


def preview_of(taken: Taken) -> Preview:
    """Return what a judged file would become."""
    content, report = taken.reading.content, taken.reading.report()
    recognised = []
    for name, word in _COUNTED:
        found = getattr(content, name)
        if found:
            plural = word if len(found) == 1 else word.replace("entry", "entries") if "entry" in word else f"{word}s"
            names = [str(getattr(one, "title", getattr(one, "name", ""))) for one in found]
            recognised.append(Recognised(len(found), plural, [each for each in names if each][:12]))
    more = max(0, len(report["kept_as_text"]) - MOST_LINES)
    report["kept_as_text"] = report["kept_as_text"][:MOST_LINES]
    steps = sum(len(one.steps) for one in content.procedures) + sum(len(one.steps) for one in content.issues)
    keeps = taken.verdict not in {Verdict.SAME, Verdict.REFUSED}
    return Preview(content.title or taken.reading.file, recognised, report, steps, more, keeps)
