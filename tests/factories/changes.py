"""Changes for tests, made through the services as everybody else makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from changes import services
from changes.approving import CHANGE
from changes.enums import CellState, ChangeType, GateResult, GateSource, Status, StepKind
from changes.models import Cell, Change, ChangeTemplate, Gate, Module, ReleaseCheck, TemplateStep
from changes.services import Plan
from changes.services.releasing import Answer
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Stage
from portal.directory.models import System
from portal.runbooks.checklists import services as checklists
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.models import ChecklistRun, RunbookVersion, RunStep
from tests.factories.approvals import make_person
from tests.factories.directory import NOON, make_system

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOMORROW = NOON + DAY
_numbers = count(1)


def a_plan(
    *,
    systems: Iterable[System] = (),
    modules: Iterable[Module] = (),
    runbooks: Iterable[RunbookVersion] = (),
    **values: Any,
) -> Plan:
    """A plan that lacks nothing, tomorrow from noon for an hour, unless told otherwise."""
    steps = values.pop("steps", {"implementation": [("Do it", 30)], "rollback": [("Undo it", 10)]})
    given = {
        "title": f"Change something {next(_numbers)}",
        "justification": "It is needed.",
        "planned_start": TOMORROW,
        "planned_end": TOMORROW + HOUR,
        "test_plan": "Look at it.",
        "rollback_minutes": 10,
        "point_of_no_return": "None",
    }
    return Plan({**given, **values}, list(systems) or [make_system()], list(modules), steps, list(runbooks))


def make_change(*, by: User | None = None, implementer: User | None = None, at: datetime = NOON, **plan: Any) -> Change:
    """A draft that lacks nothing, with somebody to carry it out."""
    requester = by or make_person("Jonas Lindqvist", "change-approver")
    values = {**plan, "implementer": implementer or make_person("Amara Okafor", "change-approver")}
    return services.draft(a_plan(**values), by=requester, at=at)


def make_assessed(*, impact: int = 1, likelihood: int = 2, at: datetime = NOON, **given: Any) -> Change:
    """A submitted change whose risk was assessed, so that its approval is asked for."""
    deciders()
    change = make_change(at=at, **given)
    change = services.submit(change, by=change.requester, at=at)
    assessor = make_person("Ines Halloran", "change-approver")
    return services.assess(change, impact=impact, likelihood=likelihood, by=assessor, at=at)


def deciders() -> None:
    """Have somebody in each role that decides, so that it can be asked for."""
    make_person("Ruth Bergqvist", "change-approver")
    make_person("Henrik Voss", "manager")


def request_of(change: Change) -> ApprovalRequest:
    """The newest request for the approval of a change."""
    found = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).order_by("-pk").first()
    assert found is not None
    return found


def decide_all(change: Change, *, at: datetime = NOON) -> Change:
    """Have somebody of each stage approve."""
    while change.status == Status.ASSESSED:
        request = request_of(change)
        stage = Stage.objects.get(request=request, state="open")
        somebody = approvals.may_decide(stage).first()
        change = services.approve(change, digest=request.digest, confirmed=True, by=somebody, at=at)
    return change


def make_approved(**given: Any) -> Change:
    """A change that every stage has approved."""
    return decide_all(make_assessed(**given), at=given.get("at", NOON))


def fill_matrix(change: Change, *, at: datetime = NOON) -> None:
    """Answer every open cell as done, and say that no access review is needed."""
    for cell in Cell.objects.filter(change=change, state=CellState.OPEN).select_related("module", "check_of"):
        services.answer(change, cell.module, cell.check_of, done(cell.check_of), by=change.requester, at=at)


def done(check: ReleaseCheck) -> Answer:
    """The answer that settles a check; to the question of an access review it is no."""
    return Answer(CellState.NOT_NEEDED, because="Nobody may do more") if check.opens_review else Answer(CellState.DONE)


def pass_gates(change: Change, *, at: datetime = NOON) -> None:
    """Report every prerequisite as passed."""
    for gate in Gate.objects.filter(active=True).exclude(source=GateSource.PORTAL):
        services.report_gate(
            change, gate, result=GateResult.PASSED, commit="5d1e0a4", by=change.requester, at=at
        )  # fmt: skip


def make_scheduled(**given: Any) -> Change:
    """A change in the schedule, all of whose cells and gates are answered."""
    change = make_approved(**given)
    fill_matrix(change)
    pass_gates(change)
    return services.schedule(change, by=change.requester, at=given.get("at", NOON))


def make_started(**given: Any) -> Change:
    """A change that was begun at the beginning of its slot."""
    change = make_scheduled(**given)
    assert change.planned_start is not None
    return services.start(change, by=change.implementer, at=change.planned_start)


def run_of(change: Change, kind: StepKind) -> ChecklistRun:
    """The run of one of its plans."""
    found: ChecklistRun = ChecklistRun.objects.of(change).get(plan=kind)
    return found


def settle(change: Change, *kinds: StepKind, by: User | None = None, at: datetime) -> None:
    """Tick every step of these plans that is open, of implementation and validation unless told otherwise."""
    plans = kinds or (StepKind.IMPLEMENTATION, StepKind.VALIDATION)
    runs = ChecklistRun.objects.of(change).filter(plan__in=plans)
    open_ = RunStep.objects.filter(run__in=runs.values("pk"), state=StepState.OPEN)
    checklists.tick_all(open_, by=by or change.implementer, at=at)


def verify(change: Change, *, at: datetime, by: User | None = None) -> Change:
    """Have its steps done, those of the validation too, and say that it is."""
    if change.is_rolling_back:
        settle(change, StepKind.ROLLBACK, by=by, at=at)
    else:
        settle(change, by=by, at=at)
    return services.verify(change, by=by or change.implementer, at=at)


def make_emergency(**given: Any) -> Change:
    """The draft of an emergency change."""
    return make_change(type=ChangeType.EMERGENCY, **given)


def make_template(**fields: Any) -> ChangeTemplate:
    """A template of standard changes with a step of each plan."""
    number = next(_numbers)
    given = {
        "slug": f"template-{number}", "name": f"Template {number}", "title": "Do it as always", "test_plan": "Look.",
        "justification": "It is done often.", "rollback_minutes": 5, "point_of_no_return": "None",
    }  # fmt: skip
    template = ChangeTemplate.objects.create(**{**given, **fields})
    for kind in StepKind:
        TemplateStep.objects.create(template=template, kind=kind, position=1, text=f"{kind.label}", minutes=5)
    return template


def approve_template(template: ChangeTemplate, *, at: datetime = NOON) -> ChangeTemplate:
    """Have a template approved by every stage of its rule."""
    deciders()
    request = approvals.ask(template, by=make_person("Kwame Mensah", "administrator"), at=at, reason="It is done often")
    while (stage := Stage.objects.filter(request=request, state="open").first()) is not None:
        somebody = approvals.may_decide(stage).first()
        assert somebody is not None
        approvals.decide(
            request, stage=stage, verdict="approve", digest=request.digest, confirmed=True, by=somebody, at=at
        )
    return template
