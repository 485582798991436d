"""How far runs have come, by team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count
from django.urls import reverse

from portal.runbooks.checklists import subjects
from portal.runbooks.checklists.enums import SETTLED, StepState
from portal.runbooks.checklists.looks import ENDED, RUNNING, Look
from portal.runbooks.models import ChecklistRun, RunStep


@dataclass(slots=True)
class Share:
    """How many steps of a team, or of all, stand how."""

    name: str
    slug: str = ""
    done: int = 0
    failed: int = 0
    skipped: int = 0
    open: int = 0
    left: int = 0

    @property
    def total(self) -> int:
        """All of its steps."""
        return self.done + self.failed + self.skipped + self.open + self.left

    @property
    def settled(self) -> int:
        """Those that wait for nobody."""
        return self.done + self.skipped

    @property
    def percent(self) -> float:
        """The share that is settled, of a hundred."""
        return 100 * self.settled / self.total if self.total else 0

    @property
    def tone(self) -> str:
        """Red while a step failed, green once all are settled."""
        return "red" if self.failed else "green" if self.settled == self.total else ""

    @property
    def words(self) -> str:
        """Say it in words: "34 of 80, 2 failed, 1 skipped"."""
        more = [f"{number} {word}" for number, word in ((self.failed, "failed"), (self.skipped, "skipped")) if number]
        left = [f"{self.left} left open"] if self.left else []
        return ", ".join([f"{self.settled} of {self.total}", *more, *left])


@dataclass(frozen=True, slots=True)
class Progress:
    """One run: as a whole, and each team in the order of their first step."""

    run: ChecklistRun
    look: Look
    whole: Share
    teams: list[Share]


@dataclass(frozen=True, slots=True)
class Section:
    """The checklists of one record, as its page shows them. `start_url` is empty for whoever starts none."""

    runs: list[Progress]
    start_url: str


def section_of(subject: models.Model, user: Any) -> Section:
    """Return the runs for one record with their progress. Two queries."""
    kind = subjects.of_record(subject)
    runs = list(ChecklistRun.objects.visible_to(user).of(subject))
    may_start = kind is not None and not kind.is_over(subject) and user.has_perm("runbooks.add_checklistrun")
    url = reverse("checklists:start-for", args=[kind.kind, subject.pk]) if kind is not None and may_start else ""
    return Section(progress_of(runs, user), url)


def progress_of(runs: Iterable[ChecklistRun], user: Any) -> list[Progress]:
    """Return how far some runs have come. One query."""
    listed = list(runs)
    rows = RunStep.objects.visible_to(user).filter(run__in=[run.pk for run in listed]).order_by()
    counted = rows.values("run_id", "team__slug", "team__name", "state").annotate(
        number=Count("pk"), first=models.Min("position")
    )
    shares: dict[int, dict[str, Share]] = defaultdict(dict)
    firsts: dict[tuple[int, str], int] = {}
    for row in counted if listed else ():
        slug = row["team__slug"]
        share = shares[row["run_id"]].setdefault(slug, Share(row["team__name"], slug))
        setattr(share, row["state"], row["number"])
        key = (row["run_id"], slug)
        firsts[key] = min(firsts.get(key, row["first"]), row["first"])
    return [_progress(run, sorted(shares[run.pk].values(), key=lambda one: firsts[run.pk, one.slug])) for run in listed]


def _progress(run: ChecklistRun, teams: list[Share]) -> Progress:
    whole = Share("All teams")
    for state in (*SETTLED, StepState.OPEN, StepState.LEFT):
        setattr(whole, state.value, sum(getattr(team, state.value) for team in teams))
    return Progress(run, ENDED if run.is_over else RUNNING, whole, teams)
