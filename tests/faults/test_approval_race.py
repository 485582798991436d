"""Deciders race one another, an edit of the record, another implementer and a withdrawal: what is promised holds."""

from datetime import timedelta

import pytest
from django.db import connection

from portal.approvals import services
from portal.approvals.models import ApprovalRequest, Decision
from portal.directory.models import RecoveryObjective
from tests.factories.approvals import make_objective, make_person, make_request, set_stages
from tests.factories.directory import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 25 if connection.vendor == "postgresql" else 8
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def people():
    """A requester, two managers, and one who carries things out."""
    set_stages("objective", ("Management", "Manager", 1))
    names = {"kwame": ("Kwame", "administrator"), "hannah": ("Hannah", "manager"), "ines": ("Ines", "manager")}
    found = {key: make_person(name, role) for key, (name, role) in names.items()}
    return {**found, "third": make_person("Third", "manager")}


def approve(request, by):
    """Return the approval of what the request shows, as it is sent by a page that was opened before the race."""
    stage = request.stages.get(state="open")

    def act():
        words = {"stage": stage, "verdict": "approve", "digest": request.digest, "confirmed": True}
        services.decide(request, by=by, at=LATER, **words)
        return "decided"

    return act


def state_of(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


def test_of_two_deciders_at_once_the_stage_takes_one(together, people):
    for _ in range(ROUNDS):
        request = make_request(by=people["kwame"])
        said = together(approve(request, people["hannah"]), approve(request, people["ines"]))
        assert sorted(said) == ["Every stage has approved it already. Nothing is left to decide.", "decided"]
        assert Decision.objects.filter(request=request).count() == 1
        assert state_of(request) == "approved"


def test_of_two_of_three_at_once_both_count(together, people):
    set_stages("objective", ("Management", "Manager", 2))
    for _ in range(ROUNDS):
        request = make_request(by=people["kwame"])
        said = together(approve(request, people["hannah"]), approve(request, people["ines"]))
        assert said == ["decided", "decided"]
        assert state_of(request) == "approved"


def test_one_person_in_two_windows_decides_once(together, people):
    set_stages("objective", ("Management", "Manager", 2))
    for _ in range(ROUNDS):
        request = make_request(by=people["kwame"])
        said = together(approve(request, people["hannah"]), approve(request, people["hannah"]))
        assert "decided" in said
        assert Decision.objects.filter(request=request).count() == 1
        assert state_of(request) == "pending"


def test_a_decision_and_an_edit_at_once_never_leave_the_edit_approved(together, people):
    decided_first = 0
    for _ in range(ROUNDS):
        objective = make_objective()
        request = make_request(by=people["kwame"], subject=objective)

        def edit(pk=objective.pk):
            row = RecoveryObjective.objects.get(pk=pk)
            row.rto_minutes = 120
            row.save()
            return "edited"

        said = together(approve(request, people["hannah"]), edit)
        assert said[1] == "edited"
        decided_first += said[0] == "decided"
        assert said[0] == "decided" or said[0].endswith("Changed: RTO: 60 min (1 h) > 120 min (2 h).")
        assert not services.standing(objective).approved
        assert services.notice(ApprovalRequest.objects.get(pk=request.pk), at=LATER).state == "voided"
    assert decided_first <= ROUNDS


def test_a_decision_and_a_new_implementer_at_once_never_let_one_decide_on_their_own_work(together, people):
    for _ in range(ROUNDS):
        request = make_request(by=people["kwame"])

        def name(request=request):
            words = {"implementer": people["hannah"], "by": people["kwame"], "at": LATER, "reason": "Amara is ill"}
            services.reassign(request, **words)
            return "named"

        said = together(approve(request, people["hannah"]), name)
        assert said[1] == "named"
        found = ApprovalRequest.objects.get(pk=request.pk)
        assert (found.state, found.round, found.implementer_id) == ("pending", 2, people["hannah"].pk)
        assert not Decision.objects.filter(request=request, round=2).exists()


def test_a_decision_and_a_withdrawal_at_once_both_stand_or_the_decision_is_refused(together, people):
    for _ in range(ROUNDS):
        request = make_request(by=people["kwame"])

        def withdraw(request=request):
            services.withdraw(request, by=people["kwame"], at=LATER, reason="A mistake")
            return "withdrawn"

        said = together(approve(request, people["hannah"]), withdraw)
        assert said[1] == "withdrawn"
        assert said[0] in {"decided", "It was withdrawn. Nothing is left to decide."}
        assert state_of(request) == "withdrawn"
        assert Decision.objects.filter(request=request).count() == (said[0] == "decided")
