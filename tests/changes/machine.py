"""A state machine of changes: six people do anything in any order, and some of it is forbidden.

test_any_order plays two thousand steps of it, and `make bench NAME=changes-machine` twenty thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from changes import services
from changes.approving import CHANGE
from changes.enums import RUNNING, CellState, ChangeType, GateResult, Outcome, Status, StepKind
from changes.models import Cell, Change, ChangeTemplate, Freeze, Gate, Module, ReleaseCheck
from changes.policy import TRANSITIONS, Refused
from changes.services import Plan
from changes.services.releasing import Answer, open_cells
from changes.sweeps import sweep_changes
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Stage
from portal.approvals.policy import Refused as NotDecided
from portal.approvals.shown import digest
from portal.approvals.sweeps import sweep_approvals
from portal.directory.models import System
from portal.runbooks.checklists import services as checklists
from portal.runbooks.checklists.policy import Refused as NotWorked
from portal.runbooks.models import ChecklistRun, RunStep
from tests.changes import forbidden
from tests.factories.approvals import make_person
from tests.factories.changes import HOUR, a_plan, approve_template, done
from tests.factories.changes import settle as settle_steps
from tests.factories.directory import NOON, make_system

STEP = timedelta(minutes=20)
EACH = 50  # steps of one example
PEOPLE = ("jonas", "amara", "ruth", "henrik", "ines", "root")
LAWFUL = {(old.value, new.value) for moves in TRANSITIONS.values() for old, new in moves.items()}
who = st.sampled_from(PEOPLE)
kinds = st.sampled_from([ChangeType.NORMAL, ChangeType.NORMAL, ChangeType.EMERGENCY])


@dataclass
class Tally:
    """How many steps were made, which types of change were begun, and which forbidden paths were refused."""

    steps: int = 0
    begun: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def lacks(self) -> list[str]:
        """Return what never came about: a type that never began, a forbidden path that nobody tried."""
        types = [f"a {one.label.lower()} change begun" for one in ChangeType if not self.begun[one]]
        return types + [path for path in forbidden.PATHS if not self.refused[path]]


class AnyOrder(RuleBasedStateMachine):
    """Six people plan, edit, decide, answer, begin and undo a few changes, behind the services too."""

    people: ClassVar[dict[str, User]] = {}
    systems: ClassVar[list[System]] = []
    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.at: datetime = NOON
        self.seen: dict[int, str] = {}
        self.checked: set[int] = set()
        self.proved: set[int] = set()
        self.drafted = 0
        self.block = transaction.atomic()  # each example is rolled back
        self.block.__enter__()
        assert not Change.objects.exists(), "the machine plays on an empty table"

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    # What the rules stand on.

    def some(self) -> Change:
        found: Change = Change.objects.order_by("-pk").first()
        return found

    def any_(self) -> bool:
        return self.drafted > 0

    def room(self) -> bool:
        return self.drafted < 4

    def try_to(self, act: Callable[[], Any]) -> None:
        sentence = ""
        try:
            with transaction.atomic():
                act()
        except (Refused, NotDecided, NotWorked) as refused:
            sentence = str(refused)
        assert sentence.endswith("." if sentence else "")
        self.states_move_along_the_table_alone()

    def must_refuse(self, path: str, act: Callable[[], Any]) -> None:
        """Try what is forbidden: it is refused with a sentence, and nothing has begun."""
        before = Change.objects.filter(started_at__isnull=False).count()
        try:
            with transaction.atomic():
                act()
        except (Refused, NotDecided, NotWorked) as refused:
            sentence = str(refused)
        else:
            raise AssertionError(f"let through: {path}")
        assert sentence.endswith("."), path
        assert Change.objects.filter(started_at__isnull=False).count() == before, path
        self.tally.refused[path] += 1

    def states_move_along_the_table_alone(self) -> None:
        for pk, status in Change.objects.order_by().values_list("pk", "status"):
            before = self.seen.get(pk, Status.DRAFT.value)
            # One verb may go two steps: assessing a standard change approves it, a decision is followed at once.
            reached = {before} | {new for old, new in LAWFUL if old == before}
            reached |= {new for old, new in LAWFUL if old in reached}
            assert status in reached, f"{before} > {status}"
            self.seen[pk] = status
        self.drafted = len(self.seen)

    def write(
        self, type_: str, *, by: str = "jonas", implementer: str | None = "amara", whole: bool = True, modules: int = 1
    ) -> None:
        """Draft a change of this type: a standard one from its template, without modules."""
        when = {"planned_start": self.at + STEP, "planned_end": self.at + 6 * STEP}
        values = {**when, "implementer": self.people.get(implementer or "")}
        if type_ == ChangeType.STANDARD:
            template = ChangeTemplate.objects.get(slug="security-patch")
            given = {"systems": self.systems, "plan": Plan(values), "by": self.people[by], "at": self.at}
            self.try_to(lambda: services.draft_from_template(template, **given))
            return
        steps = {"implementation": [("Do it", 5)]} | ({"rollback": [("Undo it", 5)]} if whole else {})
        touched = Module.objects.all()[:modules]
        plan = a_plan(systems=self.systems, modules=touched, steps=steps, type=type_, **values)
        self.try_to(lambda: services.draft(plan, by=self.people[by], at=self.at))

    def go_on(self, change: Change, *, hurry: bool = False) -> None:
        """Take the next step of a change as one should."""
        near = {"by": change.requester, "at": self.at}
        apart = (change.requester_id, change.implementer_id)
        others = {**near, "by": next(one for one in self.people.values() if one.pk not in apart)}
        mine = {**near, "by": change.implementer or change.requester}
        acts: dict[str, Callable[[], Any]] = {
            Status.DRAFT: lambda: services.submit(change, **near),
            Status.SUBMITTED: lambda: services.assess(change, impact=1, likelihood=2, **others),
            Status.ASSESSED: lambda: self.approve_as_one_may(change),
            Status.APPROVED: lambda: self.prepare(change),
            Status.SCHEDULED: lambda: services.start(change, **mine),
            Status.IN_PROGRESS: lambda: self.done(change, **mine),
            Status.VERIFYING: lambda: services.close(change, outcome="successful", review="Fine.", **near),
        }
        if hurry and change.type == ChangeType.EMERGENCY and change.status in (Status.DRAFT, Status.SUBMITTED):
            words = {"authority": self.authority_for(change), "reason": "It burns"}
            self.try_to(lambda: services.start_emergency(change, **mine, **words))
            return
        if change.status == Status.SCHEDULED and change.planned_start > self.at:
            self.time_passes()
        if change.status in acts:
            self.try_to(acts[change.status])

    def authority_for(self, change: Change) -> User:
        apart = (change.requester_id, change.implementer_id)
        return next(
            one for name, one in self.people.items() if name in {"jonas", "amara", "ruth"} and one.pk not in apart
        )

    def approve_as_one_may(self, change: Change) -> None:
        stage = Stage.objects.filter(request__kind=CHANGE.kind, request__subject_id=change.pk, state="open").first()
        person = approvals.may_decide(stage).first() if stage else None
        if stage is not None and person is not None:
            services.approve(change, digest=stage.request.digest, confirmed=True, by=person, at=self.at)

    def done(self, change: Change, *, by: User, at: datetime) -> None:
        settle_steps(change, *StepKind, by=by, at=at)
        services.verify(change, by=by, at=at)

    @precondition(any_)
    @rule(by=who, verb=st.sampled_from(["tick", "fail", "skip", "undo"]), which=st.integers(0, 3))
    def work_at_a_step(self, by: str, verb: str, which: int) -> None:
        step = RunStep.objects.filter(run__in=ChecklistRun.objects.exclude(plan="")).order_by("-pk")[which:].first()
        if step is not None:
            words = {"by": self.people[by], "at": self.at, "reason": "Because"}
            self.try_to(lambda: getattr(checklists, verb)(step, **words))

    def prepare(self, change: Change) -> None:
        for cell in Cell.objects.filter(change=change, state=CellState.OPEN).select_related("module", "check_of"):
            said = {"by": change.requester, "at": self.at}
            self.try_to(lambda: services.answer(change, cell.module, cell.check_of, done(cell.check_of), **said))  # noqa: B023
        self.report_all(change, by=change.requester, result=GateResult.PASSED)
        services.schedule(change, by=change.requester, at=self.at)

    def report_all(self, change: Change, *, by: User, result: str) -> None:
        for gate in Gate.objects.all():
            words = {"result": result, "commit": "5d1e0a4", "by": by, "at": self.at}
            self.try_to(lambda: services.report_gate(change, gate, **words))  # noqa: B023

    # What people do.

    @precondition(room)
    @rule(by=who, implementer=st.sampled_from((*PEOPLE, None)), type_=kinds, whole=st.sampled_from([True, True, False]),
          modules=st.integers(0, 1))  # fmt: skip
    def draft(self, by: str, implementer: str | None, type_: str, whole: bool, modules: int) -> None:
        self.write(type_, by=by, implementer=implementer, whole=whole, modules=modules)

    @precondition(room)
    @rule(by=who)
    def draft_standard(self, by: str) -> None:
        self.write(ChangeType.STANDARD, by=by)

    @precondition(any_)
    @rule(by=who)
    def submit(self, by: str) -> None:
        self.try_to(lambda: services.submit(self.some(), by=self.people[by], at=self.at))

    @precondition(any_)
    @rule(by=who, impact=st.integers(1, 4), likelihood=st.integers(1, 5))
    def assess(self, by: str, impact: int, likelihood: int) -> None:
        words = {"impact": impact, "likelihood": likelihood, "by": self.people[by], "at": self.at}
        self.try_to(lambda: services.assess(self.some(), **words))

    @precondition(any_)
    @rule(by=who, verdict=st.sampled_from(["approve", "approve", "approve", "reject"]),
          true=st.sampled_from([True, True, False]))  # fmt: skip
    def decide(self, by: str, verdict: str, true: bool) -> None:
        change = self.some()
        request = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).order_by("-pk").first()
        words = {"digest": request.digest if request and true else "0" * 64, "confirmed": True, "reason": "Because"}
        self.try_to(lambda: getattr(services, verdict)(change, by=self.people[by], at=self.at, **words))

    @precondition(any_)
    @rule()
    def decide_elsewhere(self) -> None:
        """Whoever may approves on the page of approvals: the change learns of it later."""
        mine = Stage.objects.filter(request__kind=CHANGE.kind, request__subject_id=self.some().pk, state="open")
        stage = mine.select_related("request").first()
        person = approvals.may_decide(stage).first() if stage else None
        if stage is not None and person is not None:
            words = {"digest": stage.request.digest, "confirmed": True, "by": person, "at": self.at}
            self.try_to(lambda: approvals.decide(stage.request, stage=stage, verdict="approve", **words))

    @precondition(any_)
    @rule(times=st.integers(2, 8), hurry=st.booleans())
    def go_on_as_one_should(self, times: int, hurry: bool) -> None:
        for _ in range(times):
            self.go_on(self.some(), hurry=hurry)

    @precondition(any_)
    @rule(by=who, what=st.sampled_from(forbidden.EDITS))
    def edit(self, by: str, what: str) -> None:
        change = self.some()
        plan = forbidden.edit_of(what, change, people=self.people, at=self.at)
        self.try_to(lambda: services.revise(change, plan, by=self.people[by], at=self.at))

    @precondition(any_)
    @rule(kind=st.sampled_from(StepKind.values))
    def edit_behind_the_services(self, kind: str) -> None:
        change = self.some()
        if change.status not in (*RUNNING, Status.CLOSED):
            forbidden.reword(change, kind)

    @precondition(any_)
    @rule(by=who, state=st.sampled_from([CellState.OPEN, CellState.DONE, CellState.DONE]))
    def answer(self, by: str, state: str) -> None:
        words = {"by": self.people[by], "at": self.at}
        for check in ReleaseCheck.objects.all():
            said = Answer(state) if state == CellState.OPEN else done(check)
            self.try_to(lambda: services.answer(self.some(), Module.objects.all()[0], check, said, **words))  # noqa: B023

    @precondition(any_)
    @rule(by=who, result=st.sampled_from([GateResult.PASSED, GateResult.PASSED, GateResult.FAILED]))
    def report(self, by: str, result: str) -> None:
        self.report_all(self.some(), by=self.people[by], result=result)

    @precondition(any_)
    @rule(by=who)
    def schedule(self, by: str) -> None:
        self.try_to(lambda: services.schedule(self.some(), by=self.people[by], at=self.at))

    @precondition(any_)
    @rule(by=st.sampled_from(("amara", *PEOPLE)))
    def start(self, by: str) -> None:
        self.try_to(lambda: services.start(self.some(), by=self.people[by], at=self.at))

    @precondition(any_)
    @rule(by=who, authority=who, reason=st.sampled_from(["", "It burns", "It burns"]))
    def start_as_an_emergency(self, by: str, authority: str, reason: str) -> None:
        words = {"authority": self.people[authority], "by": self.people[by], "at": self.at, "reason": reason}
        self.try_to(lambda: services.start_emergency(self.some(), **words))

    @precondition(any_)
    @rule(by=who, verb=st.sampled_from(["verify", "roll_back", "cancel"]))
    def move(self, by: str, verb: str) -> None:
        self.try_to(lambda: getattr(services, verb)(self.some(), by=self.people[by], at=self.at, reason="Because"))

    @precondition(any_)
    @rule(by=who, outcome=st.sampled_from(Outcome.values), review=st.sampled_from(["", "We learned."]))
    def close(self, by: str, outcome: str, review: str) -> None:
        words = {"outcome": outcome, "review": review, "by": self.people[by], "at": self.at}
        self.try_to(lambda: services.close(self.some(), **words))

    @precondition(any_)
    @rule(by=who)
    def withdraw_the_approval(self, by: str) -> None:
        request = ApprovalRequest.objects.live().filter(kind=CHANGE.kind).first()
        if request is not None:
            self.try_to(lambda: approvals.withdraw(request, by=self.people[by], at=self.at, reason="Not now"))

    @precondition(lambda self: self.at > NOON + 4 * STEP and not Freeze.objects.exists())
    @rule()
    def freeze(self) -> None:
        Freeze.objects.create(name="Close", starts=self.at, ends=self.at + 2 * HOUR)

    @rule()
    def time_passes(self) -> None:
        self.at += STEP
        sweep_approvals(at=self.at)
        sweep_changes(at=self.at)
        self.states_move_along_the_table_alone()

    @precondition(room)
    @rule(type_=st.sampled_from(ChangeType.values), times=st.integers(0, 4))
    def draft_as_usual_and_go_on(self, type_: str, times: int) -> None:
        """Jonas requests it and Amara carries it out: what is forbidden is tried on changes of theirs."""
        self.write(type_)
        for _ in range(times):
            self.go_on(self.some())

    @precondition(any_)
    @rule(share=st.integers(0, forbidden.SHARES - 1))
    def try_what_is_forbidden(self, share: int) -> None:
        for path in forbidden.paths(self, self.some())[share :: forbidden.SHARES]:
            self.must_refuse(path, lambda: forbidden.PATHS[path].act(self, self.some()))  # noqa: B023
            event(f"refused, {path}")

    @invariant()
    def nothing_is_carried_out_without_a_way_back_an_approval_and_a_complete_matrix(self) -> None:
        self.tally.steps += 1
        started = {pk for pk, status in self.seen.items() if status in (*RUNNING, Status.CLOSED)} - self.checked
        for change in Change.objects.filter(pk__in=started) if started else ():
            assert change.started_at is not None
            assert change.steps.filter(kind="rollback").exists()
            assert change.rollback_minutes
            assert change.point_of_no_return
            if change.type == ChangeType.EMERGENCY and change.authority_id is not None:
                assert change.authority_id not in {change.requester_id, change.implementer_id}
            else:
                assert open_cells(change) == 0
                _assert_approved(change)
            self.checked.add(change.pk)
            self.tally.begun[change.type] += 1

    @invariant()
    def nothing_is_a_success_with_a_step_that_waits(self) -> None:
        closed = {pk for pk, status in self.seen.items() if status == Status.CLOSED} - self.proved
        for change in Change.objects.filter(pk__in=closed) if closed else ():
            self.proved.add(change.pk)
            if change.outcome in (Outcome.SUCCESSFUL, Outcome.WITH_ISSUES):
                runs = ChecklistRun.objects.of(change).exclude(plan="")
                assert {run.digest for run in runs} == {digest(change.started_text)}
                assert not RunStep.objects.filter(run__in=runs).exclude(state__in=["done", "skipped"]).exists()


def _assert_approved(change: Change) -> None:
    """Somebody apart has approved exactly that content; of a standard change its template stands."""
    if change.type == ChangeType.STANDARD:
        assert change.template is not None
        assert change.template.revoked_at is None
        return
    request = ApprovalRequest.objects.get(kind=CHANGE.kind, subject_id=change.pk, state="final")
    assert request.digest == CHANGE.digest(CHANGE.read(change.pk))
    deciders = {one.decider_id for one in request.decisions.filter(round=request.round)}
    assert deciders
    assert not deciders & {change.requester_id, change.implementer_id}


def settle() -> None:
    """Make the people, the system and the approved template that every example begins with."""
    roles = {
        "jonas": ["change-approver"], "amara": ["change-approver"], "ruth": ["change-approver"],
        "henrik": ["manager"], "ines": ["change-approver", "manager"], "root": ["administrator"],
    }  # fmt: skip
    AnyOrder.people = {
        name: make_person(f"{name.title()} Tester", *given, is_superuser=name == "root")
        for name, given in roles.items()
    }
    AnyOrder.systems = [make_system()]
    approve_template(ChangeTemplate.objects.get(slug="security-patch"))


def walk() -> None:
    """Take each type of change its usual way, and try each forbidden path on one that came so far as it should.

    Whatever chance leads to afterwards, each was shown once.
    """
    for kind in ChangeType.values:
        with _one(kind) as machine:
            for _ in Status:
                machine.go_on(machine.some(), hurry=kind == ChangeType.EMERGENCY)
                machine.nothing_is_carried_out_without_a_way_back_an_approval_and_a_complete_matrix()
    for kind, until in sorted({(path.type, path.until) for path in forbidden.PATHS.values()}):
        with _one(kind) as machine:
            for _ in Status:
                if machine.some().status != until:
                    machine.go_on(machine.some())
            for path in forbidden.paths(machine, machine.some()):
                machine.must_refuse(path, lambda: forbidden.PATHS[path].act(machine, machine.some()))  # noqa: B023


@contextmanager
def _one(kind: str) -> Iterator[AnyOrder]:
    machine = AnyOrder()
    try:
        machine.write(kind)
        yield machine
    finally:
        machine.teardown()


def play(*, steps: int, told: Callable[[Tally], None] = lambda tally: None, at_a_time: int = 1000) -> Tally:
    """Walk every forbidden path, then play at least so many steps; raise on a broken promise.

    `told` is told how far it is, after every `at_a_time` steps.
    """
    AnyOrder.tally = Tally()
    options = settings(
        max_examples=at_a_time // EACH, stateful_step_count=EACH, deadline=None, database=None, derandomize=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    walk()
    while AnyOrder.tally.steps < steps:
        run_state_machine_as_test(AnyOrder, settings=options)
        told(AnyOrder.tally)
    return AnyOrder.tally
