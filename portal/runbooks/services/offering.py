"""Checklists that a file holds, made as templates: each once, and one that stands already is left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.text import slugify

from portal.audit.actor import By
from portal.directory.models import Team
from portal.runbooks.checklists import policy
from portal.runbooks.checklists import services as checklists
from portal.runbooks.checklists.enums import Frequency
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.markdown import found
from portal.runbooks.models import Checklist, ChecklistStep

LONGEST_SLUG, LONGEST_NAME = 60, 120


class Fate(StrEnum):
    """What becomes of a checklist in a file."""

    MADE = "is made"
    STANDS = "stands already"
    DIFFERS = "stands already, with other steps: edit it on its page"
    NOBODY = "has steps of nobody: name a team that keeps the runbook"
    REFUSED = "is refused"


@dataclass(frozen=True, slots=True)
class Offered:
    """A checklist in a file, and what becomes of it."""

    name: str
    steps: int
    fate: Fate
    checklist: Checklist | None = None


def offers(lists: Iterable[found.Checklist], *, keeper: Team | None) -> list[Offered]:
    """Return what would become of the checklists of a file. Nothing is written."""
    known = _standing()
    teams = _teams()
    return [_judge(one, known, teams, keeper) for one in lists]


def make_all(
    lists: Iterable[found.Checklist], *, keeper: Team | None, source: str, by: By, at: datetime, reason: str
) -> list[Offered]:
    """Make the checklists of a file that do not stand yet, inside the caller's transaction."""
    known, teams = _standing(), _teams()
    done = []
    for one in lists:
        offered = _judge(one, known, teams, keeper)
        if offered.fate is Fate.MADE:
            offered = _make(one, teams, keeper, source=source, by=by, at=at, reason=reason)
        done.append(offered)
    return done


Steps = tuple[str, ...]


def _standing() -> dict[Checklist, Steps]:
    rows: dict[Checklist, list[str]] = {row: [] for row in Checklist.objects.all()}
    by_pk = {row.pk: row for row in rows}
    for pk, version, number, text in ChecklistStep.objects.order_by("version", "position").values_list(
        "version__checklist", "version__checklist__version", "version__number", "text"
    ):
        if version == number:
            rows[by_pk[pk]].append(text)
    return {row: tuple(texts) for row, texts in rows.items()}


def _teams() -> dict[str, Team]:
    return {word: team for team in Team.objects.filter(active=True) for word in (team.slug, team.name.lower())}


def _judge(one: found.Checklist, known: dict[Checklist, Steps], teams: dict[str, Team], keeper: Team | None) -> Offered:
    texts = tuple(_text(step) for step in one.steps)
    same = next((row for row, steps in known.items() if steps == texts), None)
    if same is not None:
        return Offered(one.name, len(one.steps), Fate.STANDS, same)
    named = next((row for row in known if row.slug == _slug(one.name)), None)
    if named is not None:
        return Offered(one.name, len(one.steps), Fate.DIFFERS, named)
    if keeper is None and any(step.team.lower() not in teams for step in one.steps):
        return Offered(one.name, len(one.steps), Fate.NOBODY)
    return Offered(one.name, len(one.steps), Fate.MADE)


def _make(
    one: found.Checklist, teams: dict[str, Team], keeper: Team | None, *, source: str, by: By, at: datetime, reason: str
) -> Offered:
    lines = []
    for step in one.steps:
        team = teams.get(step.team.lower(), keeper)
        if team is not None:
            lines.append(checklists.Line(_text(step), team))
    frequency = one.cadence if one.cadence in Frequency.values else Frequency.NEEDED
    try:
        made = checklists.make(
            name=one.name[:LONGEST_NAME], slug=_slug(one.name), lines=lines, by=by, at=at, reason=reason,
            frequency=frequency, purpose=f"Taken in from {source}"[:300],
        )  # fmt: skip
    except Refused:
        return Offered(one.name, len(one.steps), Fate.REFUSED)
    return Offered(one.name, len(one.steps), Fate.MADE, made)


def _text(step: found.ChecklistStep) -> str:
    """Return a step in one line; its part goes before it, since steps of several parts may read alike."""
    words = f"{step.group}: {step.text}" if step.group else step.text
    return " ".join(words.split())[: policy.LONGEST_STEP]


def _slug(name: str) -> str:
    return slugify(name)[:LONGEST_SLUG].strip("-") or "checklist"
