"""Two of the change authority at once: one decision counts, the other is told, and nothing is half done."""

from __future__ import annotations

import pytest
from django.db import connection

from changes import services
from changes.enums import Status
from changes.models import Change
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Decision
from portal.approvals.policy import Refused as NotDecided
from portal.records import services as records
from tests.factories.approvals import make_person
from tests.factories.changes import make_assessed, make_scheduled, request_of
from tests.factories.directory import NOON

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
