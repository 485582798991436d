"""Whatever people do, in whatever order: nothing is carried out without a way back, an approval and its checks."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from changes import services
from changes.approving import CHANGE
from changes.enums import RUNNING, CellState, ChangeType, GateResult, Outcome, Status
from changes.models import Cell, Change, ChangeTemplate, Freeze, Gate, Module, ReleaseCheck
from changes.policy import TRANSITIONS, Refused
from changes.services import Plan
from changes.services.releasing import Answer, open_cells
from changes.sweeps import sweep_changes
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Stage
from portal.approvals.policy import Refused as NotDecided
from portal.approvals.sweeps import sweep_approvals
from portal.directory.models import System
from tests.factories.approvals import make_person
from tests.factories.changes import a_plan, approve_template
from tests.factories.directory import NOON, make_system

STEP = timedelta(minutes=20)
PEOPLE = ("jonas", "amara", "ruth", "henrik", "ines", "root")
HOUR = timedelta(hours=1)
who = st.sampled_from(PEOPLE)


class AnyOrder(RuleBasedStateMachine):
    """Six people plan, edit, decide, answer, begin and undo two changes, behind the services too."""

    people: ClassVar[dict[str, User]] = {}
    systems: ClassVar[list[System]] = []
    started: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.seen: dict[int, str] = {}
        self.block = transaction.atomic()  # each example is rolled back
        self.block.__enter__()
        self.checked: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def some(self) -> Change:
        found: Change = Change.objects.order_by("-pk").first()
        return found

    def any_(self) -> bool:
        return Change.objects.exists()

    def try_to(self, act: Any) -> None:
        sentence = ""
        try:
            with transaction.atomic():
                act()
        except (Refused, NotDecided) as refused:
            sentence = str(refused)
        assert sentence.endswith("." if sentence else "")
        self.states_move_along_the_table_alone()

    def room(self) -> bool:
        return Change.objects.count() < 3

    def states_move_along_the_table_alone(self) -> None:
        lawful = {(old.value, new.value) for moves in TRANSITIONS.values() for old, new in moves.items()}
        for change in Change.objects.all():
            before = self.seen.get(change.pk, Status.DRAFT.value)
            # One verb may go two steps: assessing a standard change approves it, a decision is followed at once.
            reached = {before} | {new for old, new in lawful if old == before}
            reached |= {new for old, new in lawful if old in reached}
            assert change.status in reached, f"{before} > {change.status}"
            self.seen[change.pk] = change.status
            event(change.status)

    @precondition(room)
    @rule(
        by=who,
        implementer=st.sampled_from((*PEOPLE, None)),
        type_=st.sampled_from([ChangeType.NORMAL, ChangeType.NORMAL, ChangeType.EMERGENCY]),
        whole=st.sampled_from([True, True, False]),
        modules=st.integers(0, 1),
    )
    def draft(self, by: str, implementer: str | None, type_: str, whole: bool, modules: int) -> None:
        steps = {"implementation": [("Do it", 5)]} | ({"rollback": [("Undo it", 5)]} if whole else {})
        values = {"planned_start": self.at + STEP, "planned_end": self.at + 6 * STEP, "type": type_}
        plan = a_plan(
            systems=self.systems, modules=Module.objects.all()[:modules], steps=steps,
            implementer=self.people.get(implementer), **values,
        )  # fmt: skip
        self.try_to(lambda: services.draft(plan, by=self.people[by], at=self.at))

    @precondition(room)
    @rule(by=who)
    def draft_standard(self, by: str) -> None:
        template = ChangeTemplate.objects.get(slug="security-patch")
        values = {
            "planned_start": self.at + STEP,
            "planned_end": self.at + 6 * STEP,
            "implementer": self.people["amara"],
        }
        self.try_to(
            lambda: services.draft_from_template(
                template, systems=self.systems, plan=Plan(values), by=self.people[by], at=self.at
            )
        )

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
    @rule(
        by=who,
        verdict=st.sampled_from(["approve", "approve", "approve", "reject"]),
        true=st.sampled_from([True, True, False]),
    )
    def decide(self, by: str, verdict: str, true: bool) -> None:
        change = self.some()
        request = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).order_by("-pk").first()
        words = {"digest": request.digest if request and true else "0" * 64, "confirmed": True, "reason": "Because"}
        self.try_to(lambda: getattr(services, verdict)(change, by=self.people[by], at=self.at, **words))

    @precondition(any_)
    @rule(elsewhere=st.booleans())
    def whoever_may_approves(self, elsewhere: bool) -> None:
        for _ in range(2):
            change = self.some()
            stage = Stage.objects.filter(request__kind=CHANGE.kind, request__subject_id=change.pk, state="open").first()
            person = approvals.may_decide(stage).first() if stage else None
            if stage is None or person is None:
                return
            words = {"digest": stage.request.digest, "confirmed": True, "by": person, "at": self.at}
            if elsewhere:
                self.try_to(lambda: approvals.decide(stage.request, stage=stage, verdict="approve", **words))  # noqa: B023
            else:
                self.try_to(lambda: services.approve(change, **words))  # noqa: B023

    @precondition(any_)
    @rule(times=st.integers(2, 8))
    def go_on_as_one_should(self, times: int) -> None:
        for _ in range(times):
            change = self.some()
            near = {"by": change.requester, "at": self.at}
            others = {**near, "by": next(one for one in self.people.values() if one.pk != change.requester_id)}
            mine = {**near, "by": change.implementer or change.requester}
            acts = {
                Status.DRAFT: lambda: services.submit(change, **near),  # noqa: B023
                Status.SUBMITTED: lambda: services.assess(change, impact=1, likelihood=2, **others),  # noqa: B023
                Status.ASSESSED: lambda: self.whoever_may_approves(elsewhere=False),
                Status.APPROVED: lambda: self.prepare(change),  # noqa: B023
                Status.SCHEDULED: lambda: services.start(change, **mine),  # noqa: B023
                Status.IN_PROGRESS: lambda: services.verify(change, **mine),  # noqa: B023
                Status.VERIFYING: lambda: services.close(change, outcome="successful", review="Fine.", **near),  # noqa: B023
            }
            if change.status == Status.SCHEDULED and change.planned_start > self.at:
                self.time_passes()
            if change.status in acts:
                self.try_to(acts[Status(change.status)])

    def prepare(self, change: Change) -> None:
        self.answer_all(by="jonas")
        self.report(by="jonas", result="passed")
        services.schedule(change, by=change.requester, at=self.at)

    @precondition(any_)
    @rule(by=who, text=st.sampled_from(["Look.", "Look twice."]))
    def edit(self, by: str, text: str) -> None:
        self.try_to(lambda: services.revise(self.some(), Plan({"test_plan": text}), by=self.people[by], at=self.at))

    @precondition(any_)
    @rule()
    def edit_behind_the_services(self) -> None:
        step = self.some().steps.order_by("kind").first()
        if step is not None and self.some().status not in (*RUNNING, Status.CLOSED):
            step.text = f"{step.text[:20]}!"
            step.save()

    @precondition(any_)
    @rule(by=who)
    def answer_all(self, by: str) -> None:
        for cell in Cell.objects.filter(change=self.some(), state=CellState.OPEN).select_related("module", "check_of"):
            said = Answer(CellState.DONE)
            self.try_to(
                lambda: services.answer(self.some(), cell.module, cell.check_of, said, by=self.people[by], at=self.at)  # noqa: B023
            )

    @precondition(any_)
    @rule(by=who)
    def open_a_cell(self, by: str) -> None:
        module, check = Module.objects.all()[0], ReleaseCheck.objects.all()[0]
        self.try_to(
            lambda: services.answer(self.some(), module, check, Answer(CellState.OPEN), by=self.people[by], at=self.at)
        )

    @precondition(any_)
    @rule(by=who, result=st.sampled_from(["passed", "passed", "failed"]))
    def report(self, by: str, result: str) -> None:
        for gate in Gate.objects.all():
            words = {"result": GateResult(result), "commit": "5d1e0a4", "by": self.people[by], "at": self.at}
            self.try_to(lambda: services.report_gate(self.some(), gate, **words))  # noqa: B023

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

    @invariant()
    def nothing_is_carried_out_without_a_way_back_an_approval_and_a_complete_matrix(self) -> None:
        for change in Change.objects.filter(started_at__isnull=False).exclude(pk__in=self.checked):
            assert change.steps.filter(kind="rollback").exists()
            assert change.rollback_minutes
            assert change.point_of_no_return
            if change.type == ChangeType.EMERGENCY:
                assert change.authority_id not in {None, change.requester_id, change.implementer_id}
            elif change.type == ChangeType.NORMAL:
                assert open_cells(change) == 0
                request = ApprovalRequest.objects.get(kind=CHANGE.kind, subject_id=change.pk, state="final")
                assert request.digest == CHANGE.digest(CHANGE.read(change.pk))
                deciders = {one.decider_id for one in request.decisions.filter(round=request.round)}
                assert deciders
                assert not deciders & {change.requester_id, change.implementer_id}
            else:
                assert change.template is not None
                assert open_cells(change) == 0
            self.checked.add(change.pk)
            self.started[change.type] += 1
            event(f"started, {change.type}")


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


def play(*, examples: int, steps: int) -> Counter[str]:
    """Let the machine play and return how many changes of each type began; it raises when a promise is broken."""
    AnyOrder.started.clear()
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    return AnyOrder.started


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.timeout(900)
def test_whatever_people_do_nothing_slips_through():
    settle()
    began = play(examples=40, steps=50)
    assert sum(began.values()), "nothing was ever carried out, so nothing was shown"
