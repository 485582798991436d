"""How a version of a runbook is shown to those who approve it: its words, section by section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

from django.db.models import QuerySet

from portal.approvals.registry import Approvable, DefaultStage
from portal.approvals.shown import Fact, fact, parsed
from portal.approvals.subjects import named
from portal.runbooks import shutting
from portal.runbooks.holding import HELD
from portal.runbooks.markdown.differing import sections_of
from portal.runbooks.models import RunbookVersion
from portal.runbooks.services.publishing import APPROVABLE

_LONGEST_LABEL = 120
_SECTION = "Section "


def _rows() -> QuerySet[RunbookVersion]:
    return RunbookVersion.objects.select_related("runbook__system")


def _facts(version: RunbookVersion) -> Iterator[Fact]:
    yield fact("Runbook", version.runbook.title)
    yield fact("System", named(version.runbook.system) if version.runbook.system else None)
    yield fact("Version", version.number)
    yield fact("What changed", version.summary)
    # Taken back, it is no longer what was asked for: the request is void, also when no word changes.
    yield fact("Sent to review", _sent(version))
    taken: dict[str, int] = {}
    for title, text in sections_of(version.text):
        label = _label(title)
        taken[label] = taken.get(label, 0) + 1
        yield fact(f"{_SECTION}{label}" + (f", {taken[label]}" if taken[label] > 1 else ""), text)


def _sent(version: RunbookVersion) -> str | None:
    if version.submitted_at is None:
        return None
    return f"by {version.submitted_by}, {version.submitted_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _kept_back(version: RunbookVersion | None, shown: str) -> str:
    """Return why nobody reads a version just now: it says how to shut down what must stay up, or said so when asked."""
    if version is None:
        return ""
    asked = "\n\n".join(
        f"## {one.label.removeprefix(_SECTION)}\n\n{one.value}"
        for one in parsed(shown)
        if one.label.startswith(_SECTION)
    )
    return HELD if shutting.kept_back(version.runbook, version.text, asked) else ""


def _label(title: str) -> str:
    """Return a heading as plain words: a label has no colon, and nothing that cannot be seen."""
    words = "".join(letter if letter.isprintable() and letter != ":" else " " for letter in title)
    return re.sub(r"\s+", " ", words).strip()[:_LONGEST_LABEL].strip() or "without a title"


VERSION = Approvable(
    kind=APPROVABLE,
    model=RunbookVersion,
    label="runbook version",
    facts=_facts,
    rows=_rows,
    url=lambda version: version.get_absolute_url(),
    stages=(DefaultStage("Second reader", "Manager"),),
    lasting=False,
    kept_back=_kept_back,
)
