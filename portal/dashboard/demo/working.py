"""How people of the demo company work the checklists of their incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from incidents.models import Incident
from portal.audit.actor import By, acting
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.models import ChecklistRun, RunStep

ORIGIN = "import"


def tick_steps(incident: Incident, *, team: str, steps: Sequence[int], by: By, at: datetime) -> None:
    """Tick steps of an incident's first checklist, by their places among those of a team."""
    own = _steps(incident, team)
    services.tick_all([own[place - 1] for place in steps], by=by, at=at)


def fail_step(incident: Incident, *, team: str, step: int, reason: str, by: By, at: datetime) -> None:
    """Say that one of them did not work."""
    services.fail(_steps(incident, team)[step - 1], by=by, at=at, reason=reason)


def finish(incident: Incident, *, people: Mapping[str, By], at: datetime) -> None:
    """Tick what is left of all its checklists, each team's steps by one of its people."""
    waiting = RunStep.objects.filter(run__in=ChecklistRun.objects.of(incident).values("pk"), state=StepState.OPEN)
    for team, by in people.items():
        steps = list(waiting.filter(team__slug=team))
        if steps:
            with acting(by=by, at=at, origin=ORIGIN, anew=True):
                services.tick_all(steps, by=by, at=at)


def _steps(incident: Incident, team: str) -> list[RunStep]:
    run = ChecklistRun.objects.of(incident)[0]
    return list(RunStep.objects.filter(run=run, team__slug=team).order_by("position"))
