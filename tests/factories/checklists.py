"""Checklists for tests: written and started through the services."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from portal.audit.actor import acting
from portal.directory.models import Contact
from portal.runbooks.checklists import services
from portal.runbooks.checklists.services import Line
from portal.runbooks.models import Checklist, ChecklistRun, RunStep
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_team
from tests.factories.incidents import make_incident

_numbers = count(1)
TEAMS = ("oncall", "security", "platform", "support", "ops")


def make_worker(name: str, team: str = "ops", **fields: Any) -> Any:
    """An account with an entry in the directory, in a team."""
    user = make_user(name, roles=["responder"], **fields)
    contact, _ = Contact.objects.get_or_create(user=user, defaults={"name": str(user)})
    make_team(team, members=[contact])
    return user


def make_checklist(name: str = "", *, steps: int = 5, teams: Sequence[str] = TEAMS, **fields: Any) -> Checklist:
    """A checklist whose steps are owned by the teams in turn."""
    number = next(_numbers)
    owners = [make_team(slug) for slug in teams]
    lines = [Line(f"Look at part {n + 1}.", owners[n % len(owners)]) for n in range(steps)]
    with acting(by="system: tests", reason="Tests", anew=True):
        return services.make(
            name=name or f"Checklist {number}", slug=f"checklist-{number}", lines=lines, by="system: tests", at=NOON,
            reason="Tests", **fields,
        )  # fmt: skip


def make_run(
    checklist: Checklist | None = None, *, subject: Any = "an incident", by: Any = "system: tests", **fields: Any
) -> ChecklistRun:
    """A run that was started at NOON, of a minor incident unless another subject, or none, is given."""
    subject = make_incident(severity=4) if subject == "an incident" else subject
    with acting(by=by, anew=True):
        return services.start(checklist or make_checklist(), subject=subject, by=by, at=NOON, **fields)


def step_of(run: ChecklistRun, position: int = 1) -> RunStep:
    """A step of a run, read anew."""
    return RunStep.objects.get(run=run, position=position)
