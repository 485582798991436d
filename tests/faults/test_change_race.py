"""Two of the change authority at once: one decision counts, the other is told, and nothing is half done."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from changes import services
from changes.enums import Status
from changes.models import Change
from changes.services import doing, working
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Decision
from portal.approvals.policy import Refused as NotDecided
from portal.records import services as records
from portal.runbooks.checklists import services as checklists
from portal.runbooks.models import ChecklistRun, RunStep
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    TOMORROW,
    approve_template,
    make_assessed,
    make_scheduled,
    make_started,
    make_template,
    pass_gates,
    request_of,
    verify,
)
from tests.factories.directory import NOON, make_system

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 10 if connection.vendor == "postgresql" else 4


@pytest.fixture
def two():
    return [make_person(name, "change-approver") for name in ("Ruth Bergqvist", "Ines Halloran")]


def decision(change, by, verb="approve"):
    words = {"digest": request_of(change).digest, "confirmed": True, "by": by, "at": NOON, "reason": "Because"}

    def act():
        getattr(services, verb)(change, **words)
        return "decided"

    return act


def make_standard():
    change = make_standard_change(approve_template(make_template()))
    change = services.submit(change, by=change.requester, at=NOON)
    ines = make_person("Ines Halloran", "change-approver")
    change = services.assess(change, impact=1, likelihood=1, by=ines, at=NOON)
    pass_gates(change)
    return services.schedule(change, by=change.requester, at=NOON)


def make_standard_change(template):
    jonas, amara = (make_person(name, "change-approver") for name in ("Jonas Lindqvist", "Amara Okafor"))
    plan = services.Plan({"planned_start": TOMORROW, "planned_end": TOMORROW + HOUR, "implementer": amara})
    return services.draft_from_template(template, systems=[make_system()], plan=plan, by=jonas, at=NOON)


@pytest.mark.parametrize("how", ["revoked", "withdrawn"])
def test_a_template_is_not_taken_back_between_the_look_at_it_and_the_start_that_rests_on_it(together, monkeypatch, how):
    change = make_standard()
    request = ApprovalRequest.objects.get(kind="change-template", subject_id=change.template_id)
    kwame = make_person("Kwame Mensah", "administrator")
    looked, order = threading.Event(), []

    def check_gates(row):
        """Behind the look at the template: whoever waits for nothing is done meanwhile."""
        looked.set()
        time.sleep(1)
        check(row)

    check = doing.check_gates
    monkeypatch.setattr(doing, "check_gates", check_gates)

    def start():
        services.start(change, by=change.implementer, at=TOMORROW)
        order.append("started")

    def take_back():
        assert looked.wait(30)
        if how == "revoked":
            services.revoke_template(change.template, by=kwame, at=TOMORROW, reason="Outdated")
        else:
            asker = User.objects.get(pk=request.requester_id)
            approvals.withdraw(request, by=asker, at=TOMORROW, reason="Outdated")
        order.append(how)

    assert together(start, take_back) == [None, None]
    assert order == ["started", how]


def test_a_step_is_not_opened_again_between_the_look_at_it_and_the_success_that_rests_on_it(together, monkeypatch):
    change = verify(make_started(), at=TOMORROW + HOUR / 2)
    step = RunStep.objects.get(run__in=ChecklistRun.objects.of(change).filter(plan="validation"))
    looked = threading.Event()

    def end(*args, **words):
        """Behind the look at the steps: whoever waits for nothing is done meanwhile."""
        looked.set()
        time.sleep(1)
        working_end(*args, **words)

    working_end = working.end
    monkeypatch.setattr(working, "end", end)

    def close():
        services.close(change, outcome="successful", by=change.requester, at=TOMORROW + HOUR)

    def undo():
        assert looked.wait(30)
        checklists.undo(step, by=change.implementer, at=TOMORROW + HOUR, reason="It does not work after all")

    said = together(close, undo)
    assert said[0] is None
    assert "is over" in said[1]
    assert RunStep.objects.get(pk=step.pk).state == "done"


def told(change):
    kinds = records.timeline(change).filter(kind__in=["approved", "rejected"]).values_list("kind", flat=True)
    return list(kinds)


def test_of_two_approvers_at_once_one_wins_and_the_other_is_told(together, two):
    for _ in range(ROUNDS):
        change = make_assessed()
        said = together(*[decision(change, by) for by in two])
        assert said.count("decided") == 1
        (other,) = [one for one in said if one != "decided"]
        assert other in {
            "Every stage has approved it already. Nothing is left to decide.",
            "No stage decides on it now.",
            "This change is approved, so you cannot approve it.",
            "Nobody has asked for its approval yet. Ask for it first.",
        }, other
        assert Decision.objects.filter(request=request_of(change)).count() == 1
        assert Change.objects.get(pk=change.pk).status == Status.APPROVED
        assert told(change) == ["approved"]


def test_of_an_approval_and_a_rejection_at_once_one_counts(together, two):
    for _ in range(ROUNDS):
        change = make_assessed()
        said = together(decision(change, two[0]), decision(change, two[1], "reject"))
        assert said.count("decided") == 1
        wanted = Status.APPROVED if said[0] == "decided" else Status.REJECTED
        assert Change.objects.get(pk=change.pk).status == wanted
        assert told(change) == [wanted]


def test_a_start_and_a_withdrawal_at_once_never_start_what_nobody_approves(together):
    for _ in range(ROUNDS):
        change = make_scheduled()
        request = request_of(change)

        def start(change=change):
            services.start(change, by=change.implementer, at=change.planned_start)
            return "started"

        def withdraw(request=request, change=change):
            try:
                approvals.withdraw(request, by=change.requester, at=NOON, reason="Wait")
            except NotDecided as refused:
                return str(refused)
            return "withdrawn"

        said = together(start, withdraw)
        state = ApprovalRequest.objects.get(pk=request.pk).state
        started = Change.objects.get(pk=change.pk).started_at is not None
        assert (started, state) in {(True, "final"), (False, "withdrawn")}, said
