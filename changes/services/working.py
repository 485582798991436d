"""The steps of a change while somebody is at it: started from what was approved, switched to the way back, settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from changes import approving, checklists, policy
from changes.enums import StepKind
from changes.models import Change
from changes.policy import Refused
from portal.approvals.shown import digest
from portal.audit.actor import By
from portal.directory.models import Contact, Team
from portal.runbooks.checklists import services as runs
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.checklists.policy import Refused as RunRefused
from portal.runbooks.models import ChecklistRun, RunStep

NO_TEAM = "The directory has no team yet. Add one, so that the steps of a change stand on a board."
_HANDED = (StepKind.IMPLEMENTATION, StepKind.ROLLBACK)


def bind(row: Change, approved: str = "") -> None:
    """Keep the text that is carried out. Refused is raised when it is not the text of the digest that was approved."""
    whole = approving.CHANGE.read(row.pk)
    text = approving.CHANGE.shown(whole) if whole is not None else ""
    if approved and digest(text) != approved:
        raise Refused("What it says is not what was approved. Have it approved as it stands.")
    row.started_text = text


@contextmanager
def _told() -> Iterator[None]:
    """Refuse in the words of the checklists what they refuse."""
    try:
        yield
    except RunRefused as problem:
        raise Refused(str(problem)) from None


def begin(row: Change, *, by: By, at: datetime) -> None:
    """Start the runs of implementation and validation, and what rules start with such a change."""
    for kind in (StepKind.IMPLEMENTATION, StepKind.VALIDATION):
        _start(row, kind, by=by, at=at)
    with _told():
        runs.start_matching(row, at=at)


def switch(row: Change, *, by: By, at: datetime, reason: str) -> None:
    """End the runs of implementation and validation as they stand, and start that of the rollback."""
    for run in runs_of(row, StepKind.IMPLEMENTATION, StepKind.VALIDATION):
        if not run.is_over:
            with _told():
                runs.end(run, by=by, at=at, reason=f"It is rolled back: {reason}")
    _start(row, StepKind.ROLLBACK, by=by, at=at)


def _start(row: Change, kind: StepKind, *, by: By, at: datetime) -> None:
    steps = checklists.steps_in(row.started_text, kind)
    if not steps:
        return
    implementer = Contact.objects.filter(user=row.implementer_id, active=True).first() if row.implementer_id else None
    team = _team_of(row, implementer)
    with _told():
        runs.start_plan(
            [runs.Line(step, team) for step in steps],
            name=kind.label,
            plan=kind.value,
            digest=digest(row.started_text),
            subject=row,
            assignee=implementer if kind in _HANDED else None,
            by=by,
            at=at,
        )


def _team_of(row: Change, implementer: Contact | None) -> Team:
    """Return whose steps they are: the implementer's team, of several the one that owns a system of the change."""
    systems = row.systems.order_by("name").values_list("owner", flat=True)
    owners = list(Team.objects.filter(pk__in=systems, active=True).order_by("pk"))
    own = list(implementer.teams.filter(active=True).order_by("pk")) if implementer is not None else []
    fitting = [team for team in own if team in owners]
    found: Team | None = next(iter([*fitting, *own, *owners]), None) or Team.objects.filter(active=True).first()
    if found is None:
        raise Refused(NO_TEAM)
    return found


def runs_of(row: Change, *kinds: StepKind) -> list[ChecklistRun]:
    """Return the runs of these plans, oldest first."""
    return list(ChecklistRun.objects.of(row).filter(plan__in=[kind.value for kind in kinds]))


def standing_of(row: Change, kind: StepKind) -> policy.Standing | None:
    """Return how the steps of one plan stand; nothing when it was never started.

    The caller holds the change, and what rests on the answer is written with it: the steps are locked first, so that
    none is opened again meanwhile.
    """
    run = next(iter(runs_of(row, kind)), None)
    if run is None:
        return None
    list(RunStep.objects.filter(run=run).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    steps = list(RunStep.objects.filter(run=run).order_by("position").values_list("position", "state"))
    counted = Counter(state for _, state in steps)
    failed = tuple(position for position, state in steps if state == StepState.FAILED)
    return policy.Standing(kind, run.reference, counted[StepState.OPEN], counted[StepState.LEFT], failed, run.ended_at)


def check_done(row: Change) -> datetime | None:
    """Refuse that the work, or the rollback, is done while a step of it waits; return when the last was settled."""
    kind = StepKind.ROLLBACK if row.is_rolling_back else StepKind.IMPLEMENTATION
    standing = standing_of(row, kind)
    if standing is None:
        return None
    policy.check_settled(standing, failed_ends=row.is_rolling_back)
    return standing.ended_at


def check_outcome(row: Change, outcome: str) -> None:
    """Refuse an outcome that the steps do not bear out."""
    for kind in policy.asked_by(outcome):
        standing = standing_of(row, kind)
        if standing is not None:
            policy.check_settled(standing)


def end(row: Change, *, by: By, at: datetime, reason: str) -> None:
    """End whatever is still worked for a change that is over."""
    runs.end_all(row, by=by, at=at, reason=reason)
