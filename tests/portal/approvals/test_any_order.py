"""Whatever people do, in whatever order, what an approval promises holds after every act."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from portal.accounts.models import User
from portal.approvals import registry, services
from portal.approvals.enums import LIVE
from portal.approvals.models import ApprovalRequest, Decision
from portal.approvals.policy import TRANSITIONS, Refused
from portal.approvals.shown import digest
from portal.approvals.sweeps import sweep_approvals
from portal.deadlines.models import Deadline
from portal.directory.models import RecoveryObjective
from tests.factories.approvals import REASON, make_objective, make_person, set_stages
from tests.factories.directory import NOON

STEP = timedelta(hours=5)
PEOPLE = ("kwame", "hannah", "ines", "arjun", "both", "root", "closed")


class AnyOrder(RuleBasedStateMachine):
    """Seven people ask, decide, withdraw, edit, name implementers and let time pass."""

    people: ClassVar[dict[str, User]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.seen: dict[int, str] = {}
        self.block = transaction.atomic()  # each example is rolled back
        self.block.__enter__()
        self.objective = RecoveryObjective.objects.get()

    def newest(self) -> ApprovalRequest | None:
        return ApprovalRequest.objects.order_by("-pk").first()

    def try_to(self, act) -> None:
        sentence = ""
        try:
            act()
        except Refused as refused:
            sentence = str(refused)
        assert sentence.endswith("." if sentence else "")

    @rule(who=st.sampled_from(PEOPLE), implementer=st.sampled_from((*PEOPLE, None)))
    def ask(self, who: str, implementer: str | None) -> None:
        words = {"by": self.people[who], "at": self.at, "reason": REASON, "implementer": self.people.get(implementer)}
        self.try_to(lambda: services.ask(self.objective, **words))

    @precondition(lambda self: self.newest() is not None)
    @rule(
        who=st.sampled_from(PEOPLE),
        position=st.integers(1, 2),
        verdict=st.sampled_from(["approve", "approve", "approve", "deny"]),
        reason=st.sampled_from(["", "Because"]),
        true=st.booleans(),
        confirmed=st.sampled_from([True, True, False]),
    )
    def decide(self, who: str, position: int, verdict: str, reason: str, true: bool, confirmed: bool) -> None:
        request = self.newest()
        words = {
            "stage": request.stages.get(position=position), "verdict": verdict, "reason": reason,
            "digest": request.digest if true else digest("something else"), "confirmed": confirmed,
        }  # fmt: skip
        before = Decision.objects.count()
        self.try_to(lambda: services.decide(request, by=self.people[who], at=self.at, **words))
        if not true or not confirmed or who == "closed" or (verdict == "deny" and not reason):
            assert Decision.objects.count() == before

    @precondition(lambda self: ApprovalRequest.objects.filter(state="pending").exists())
    @rule(times=st.integers(1, 3))
    def whoever_may_approves(self, times: int) -> None:
        for _ in range(times):
            request = self.newest()
            stage = request.stages.filter(state="open").first()
            person = services.may_decide(stage).first() if stage else None
            if person is not None:
                words = {"stage": stage, "verdict": "approve", "digest": request.digest, "confirmed": True}
                self.try_to(lambda: services.decide(request, by=person, at=self.at, **words))  # noqa: B023

    @precondition(lambda self: self.newest() is not None)
    @rule(who=st.sampled_from(PEOPLE))
    def withdraw(self, who: str) -> None:
        request = self.newest()
        self.try_to(lambda: services.withdraw(request, by=self.people[who], at=self.at, reason="Not now"))

    @precondition(lambda self: self.newest() is not None)
    @rule(who=st.sampled_from((*PEOPLE, None)))
    def reassign(self, who: str | None) -> None:
        words = {"implementer": self.people.get(who), "by": self.people["kwame"], "at": self.at, "reason": "Ill"}
        self.try_to(lambda: services.reassign(self.newest(), **words))

    @rule(minutes=st.sampled_from([60, 90, 120]))
    def edit(self, minutes: int) -> None:
        self.objective.refresh_from_db()
        self.objective.rto_minutes = minutes
        self.objective.save()

    @rule()
    def finalise(self) -> None:
        self.try_to(lambda: services.finalise(self.objective, by=self.people["kwame"], at=self.at))

    @rule()
    def time_passes(self) -> None:
        self.at += STEP
        sweep_approvals(at=self.at)

    @invariant()
    def at_most_one_request_is_live(self) -> None:
        assert ApprovalRequest.objects.filter(state__in=LIVE).count() <= 1

    @invariant()
    def states_move_along_the_table_alone(self) -> None:
        lawful = {(old.value, new.value) for moves in TRANSITIONS.values() for old, new in moves.items()}
        for request in ApprovalRequest.objects.all():
            before = self.seen.get(request.pk, request.state)
            assert before == request.state or (before, request.state) in lawful
            self.seen[request.pk] = request.state
            event(request.state)

    @invariant()
    def nobody_decided_on_their_own_or_twice_or_on_other_words(self) -> None:
        for one in Decision.objects.select_related("request"):
            assert one.decider_id not in {one.requester_id, one.implementer_id}
            assert one.digest == one.request.digest == digest(one.request.shown)
            assert one.verdict == "approve" or one.reason
        pairs = list(Decision.objects.values_list("request", "round", "decider_id"))
        assert len(pairs) == len(set(pairs))

    @invariant()
    def what_is_approved_has_its_approvals(self) -> None:
        for request in ApprovalRequest.objects.filter(state__in=["approved", "final"]):
            for stage in request.stages.all():
                mine = stage.decisions.filter(round=request.round, verdict="approve")
                assert stage.state == "approved"
                assert mine.count() == stage.needed
                assert not mine.filter(decider_id=request.implementer_id).exists()

    @invariant()
    def stages_open_in_their_order(self) -> None:
        for request in ApprovalRequest.objects.all():
            states = list(request.stages.order_by("position").values_list("state", flat=True))
            if request.state == "pending":
                assert states in (["open", "waiting"], ["approved", "open"])
            else:
                assert "open" not in states
                assert "waiting" not in states

    @invariant()
    def only_what_is_pending_waits_for_a_deadline(self) -> None:
        waiting = set(Deadline.objects.filter(state="pending").values_list("subject_id", flat=True))
        assert waiting == set(ApprovalRequest.objects.filter(state="pending").values_list("pk", flat=True))

    @invariant()
    def a_record_is_approved_only_as_it_stands(self) -> None:
        found = services.standing(self.objective)
        if found.approved:
            kind = registry.of_kind("objective")
            assert found.request.digest == kind.digest(kind.read(self.objective.pk))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db
def test_what_an_approval_promises_holds_whatever_people_do():
    AnyOrder.people = {
        "kwame": make_person("Kwame", "administrator"),
        "hannah": make_person("Hannah", "manager"),
        "ines": make_person("Ines", "manager"),
        "arjun": make_person("Arjun", "change-approver"),
        "both": make_person("Both", "manager", "change-approver"),
        "root": make_person("Root", "manager", "change-approver", is_superuser=True),
        "closed": make_person("Closed", "manager", "change-approver", is_active=False),
    }
    set_stages("objective", ("Management", "Manager", 2), ("Change authority", "Change approver", 1), hours=40)
    make_objective()
    few = settings(max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(AnyOrder, settings=few)
