"""The page of a run, of one of its steps, and the matrix of steps and states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from portal.directory.models import Contact
from portal.runbooks.checklists import policy
from portal.runbooks.checklists.enums import SETTLED, StepState, What
from portal.runbooks.checklists.looks import Look, event_look, state_look
from portal.runbooks.checklists.selectors.finding import marks_of, records_of
from portal.runbooks.checklists.selectors.progress import Progress, Share, progress_of
from portal.runbooks.checklists.subjects import Mark
from portal.runbooks.models import ChecklistRun, RunEvent, RunStep

OVERLAP = timedelta(seconds=30)  # an act takes a while to commit, and a row may be in use when it is refreshed
BESIDE = (What.NOTED, What.ATTACHED, What.HANDED_OVER)
SHOWS = {"all": "All steps", "open": "Open", "failed": "Failed"}


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it is listed."""

    step: RunStep
    look: Look
    beside: list[RunEvent]
    can_tick: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The page of a run. `mine` are the slugs of the reader's teams."""

    run: ChecklistRun
    subject: Any
    marks: tuple[Mark, ...]
    progress: Progress
    lines: list[Line]
    mine: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One event in the matrix; `undone` when a later one took it back."""

    at: datetime
    by: str
    reason: str = ""
    undone: bool = False


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One step, what brought it into each state, in the order of the matrix's columns, and what was attached to it."""

    step: RunStep
    look: Look
    cells: list[tuple[str, list[Cell]]]
    attached: list[RunEvent]


COLUMNS = {StepState.OPEN: "Open again", **{state: state.label for state in SETTLED}}


def room_of(run: ChecklistRun, user: Any, *, show: str = "all", team: str = "", since: datetime | None = None) -> Room:
    """Return the page of a run; with `since`, only the steps to which something happened since then. Six queries."""
    steps = RunStep.objects.visible_to(user).filter(run=run)
    if since is not None:
        events = RunEvent.objects.visible_to(user).filter(run=run, at__gte=since - OVERLAP)
        steps = steps.filter(pk__in=events.order_by().values("step"))
    if show in {"open", "failed"} and since is None:
        steps = steps.filter(state=show)
    if team:
        steps = steps.filter(team__slug=team)
    subject = records_of([run], user).get(run.pk)
    (progress,) = progress_of([run], user)
    return Room(run, subject, marks_of(subject), progress, lines_of(run, steps, user), _teams_of(user))


def lines_of(run: ChecklistRun, steps: QuerySet[RunStep], user: Any) -> list[Line]:
    """Return some steps of a run as they are listed. Two queries."""
    listed = list(steps.select_related("team", "assignee").order_by("position"))
    events = RunEvent.objects.visible_to(user).filter(run=run, what__in=BESIDE, step__in=[one.pk for one in listed])
    beside: dict[int | None, list[RunEvent]] = defaultdict(list)
    for event in events.select_related("evidence").order_by("at", "pk"):
        beside[event.step_id].append(event)
    for step in listed:
        step.run = run
    return [
        Line(step, state_look(step.state), beside[step.pk], not run.is_over and policy.can("tick", step.state))
        for step in listed
    ]


def _teams_of(user: Any) -> frozenset[str]:
    me = Contact.objects.visible_to(user).filter(user_id=user.pk)
    return frozenset(slug for slug in me.values_list("teams__slug", flat=True) if slug)


def shares_of(room: Room) -> list[Share]:
    """Return the teams of a run, the reader's own first."""
    return sorted(room.progress.teams, key=lambda share: share.slug not in room.mine)


def matrix_of(run: ChecklistRun, user: Any) -> list[MatrixRow]:
    """Return each step of a run with what brought it into each state: who, and when to the second. Two queries."""
    steps = list(RunStep.objects.visible_to(user).filter(run=run).select_related("team").order_by("position"))
    told = RunEvent.objects.visible_to(user).filter(run=run).select_related("evidence").order_by("at", "pk")
    attached: dict[int | None, list[RunEvent]] = defaultdict(list)
    for event in told:
        if event.evidence_id is not None:
            attached[event.step_id].append(event)
    events = [event for event in told if event.result]
    undone = {event.undoes_id for event in events}
    cells: dict[tuple[int | None, str], list[Cell]] = defaultdict(list)
    for event in _moves(events):
        cells[event.step_id, event.result].append(Cell(event.at, event.actor_name, event.reason, event.pk in undone))
    return [
        MatrixRow(
            step,
            state_look(step.state),
            [(name, cells[step.pk, state.value]) for state, name in COLUMNS.items()],
            attached[step.pk],
        )
        for step in steps
    ]


def _moves(events: Iterable[RunEvent]) -> Iterable[RunEvent]:
    """Leave out what moved nothing: a step that was handed over stands as it stood."""
    return (event for event in events if event.what != What.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is shown."""

    event: RunEvent
    look: Look


def story_of(user: Any, run: ChecklistRun, step: RunStep | None = None) -> list[Told]:
    """Return what happened in a run as a whole, or to one of its steps, oldest first. One query."""
    rows = RunEvent.objects.visible_to(user).filter(run=run, step=step).select_related("evidence", "undoes")
    return [Told(event, event_look(event.what)) for event in rows.order_by("at", "pk")]
