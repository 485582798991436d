"""A team's board: the open steps of all runs, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from portal.directory.models import Contact, Team
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.checklists.selectors.finding import marks_of, records_of
from portal.runbooks.checklists.subjects import Mark
from portal.runbooks.models import RunStep

PER_PAGE = 40
MINE, ALL = "mine", "all"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the board for. `team` is a slug, "mine" or "all"."""

    team: str = MINE
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address. What it misspells is left out."""
        page, team = query.get("page", ""), query.get("team", "").replace("\x00", "")[:40]
        number = int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1
        return cls(team or MINE, max(number, 1))

    def address(self, **changes: Any) -> str:
        """Return the address of the board with some filters changed, on its first page."""
        asked = replace(self, **{"page": 1, **changes})
        named = {"team": asked.team} if asked.team != MINE else {}
        named |= {"page": str(asked.page)} if asked.page != 1 else {}
        return reverse("checklists:board") + (f"?{urlencode(named)}" if named else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One open step, and the record that its run is for."""

    step: RunStep
    subject: Any
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One page of open steps, and the teams that can be asked for."""

    page: Page[Any]
    rows: list[Row]
    shows: list[tuple[str, str, bool]]
    mine: list[Team]
    words: str


def board_of(user: Any, filters: Filters) -> Board:
    """Return one page of the board. Seven queries, and one for each kind of record on it."""
    me: Contact | None = Contact.objects.visible_to(user).filter(user_id=user.pk).first()
    teams = list(Team.objects.visible_to(user).filter(active=True).order_by("name"))
    own = set(me.teams.values_list("pk", flat=True)) if me is not None else set()
    rows = RunStep.objects.visible_to(user).filter(state=StepState.OPEN)
    asked = next((team for team in teams if team.slug == filters.team), None)
    if asked is not None:
        rows = rows.filter(team=asked)
    elif filters.team != ALL:
        handed = Q(assignee=me) if me is not None else Q(pk__in=[])
        rows = rows.filter(handed | Q(team__in=own, assignee=None))
    rows = rows.select_related("run", "team", "assignee").order_by("opened_at", "pk")
    page = Paginator(rows, PER_PAGE).get_page(filters.page)
    found = records_of({step.run_id: step.run for step in page.object_list}.values(), user)
    named = [(ALL, "All teams"), *((team.slug, team.name) for team in teams)]
    current = asked.slug if asked is not None else ALL if filters.team == ALL else MINE
    return Board(
        page=page,
        rows=[_row(step, found.get(step.run_id)) for step in page.object_list],
        shows=[(name, filters.address(team=key), key == current) for key, name in [(MINE, "Mine"), *named]],
        mine=[team for team in teams if team.pk in own],
        words=asked.name if asked is not None else "all teams" if current == ALL else "you and your teams",
    )


def _row(step: RunStep, subject: Any) -> Row:
    return Row(step, subject, marks_of(subject))
