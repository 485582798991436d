"""Reminders, expiry, and records that were changed behind everybody's back."""

from datetime import timedelta

import pytest

from portal.approvals import registry, services
from portal.approvals.models import ApprovalRequest
from portal.approvals.sweeps import sweep_approvals
from portal.dashboard import sweeping
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from tests.factories.approvals import decide, make_objective, make_person, make_request, set_stages
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hannah():
    return make_person("Hannah Whitcombe", "manager")


@pytest.fixture
def ines():
    return make_person("Ines Halloran", "manager")


@pytest.fixture
def kwame():
    return make_person("Kwame Mensah", "administrator")


@pytest.fixture
def asked(hannah, ines, kwame):
    set_stages("objective", ("Management", "Manager", 2), hours=40)
    return make_request(by=kwame)


def state(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


def reminded():
    rows = Message.objects.filter(kind="approval_reminder", lane="inbox").order_by("pk")
    return [row.contact.name for row in rows.select_related("contact")]


def test_whoever_has_not_decided_is_reminded_at_half_of_the_time_and_shortly_before_its_end(asked, hannah):
    sweep_approvals(at=NOON + 19 * HOUR)
    assert reminded() == []
    decide(asked, hannah)
    assert sweep_approvals(at=NOON + 20 * HOUR) == 1
    assert reminded() == ["Ines Halloran"]
    sweep_approvals(at=NOON + 36 * HOUR)
    assert reminded() == ["Ines Halloran"] * 2


def test_nobody_is_reminded_of_what_is_over(asked, kwame):
    services.withdraw(asked, by=kwame, at=NOON + HOUR, reason="A mistake")
    sweep_approvals(at=NOON + 21 * HOUR)
    assert reminded() == []
    assert set(Deadline.objects.values_list("state", flat=True)) == {"cancelled"}


def test_what_nobody_decided_in_time_expires(asked):
    sweep_approvals(at=NOON + 40 * HOUR)
    found = ApprovalRequest.objects.get()
    assert (found.state, found.settled_by, found.outcome) == ("expired", "system: approvals", "Nobody decided in time.")
    assert found.settled_at == NOON + 40 * HOUR
    assert list(found.stages.values_list("state", flat=True)) == ["closed"]
    assert Message.objects.filter(kind="approval_expired", lane="inbox").count() == 3


def test_after_a_long_outage_it_expires_without_reminders_that_come_too_late(asked):
    sweep_approvals(at=NOON + 100 * HOUR)
    assert state(asked) == "expired"
    assert reminded() == []


def test_another_round_has_its_own_time(asked, kwame):
    services.reassign(asked, implementer=make_person("Jonas"), by=kwame, at=NOON + 30 * HOUR, reason="Amara is ill")
    sweep_approvals(at=NOON + 45 * HOUR)
    assert state(asked) == "pending"
    sweep_approvals(at=NOON + 70 * HOUR)
    assert state(asked) == "expired"


def test_a_changed_record_is_noticed_within_a_minute(asked):
    sweep_approvals(at=NOON)
    objective = record_of(asked)
    objective.rto_minutes = 240
    objective.save()
    sweep_approvals(at=NOON + timedelta(seconds=50))
    assert state(asked) == "pending"
    sweep_approvals(at=NOON + MINUTE)
    assert state(asked) == "voided"


def record_of(request):
    return registry.of_kind(request.kind).read(request.subject_id)


def test_a_quiet_sweep_costs_two_queries(asked, django_assert_num_queries):
    sweep_approvals(at=NOON)
    with django_assert_num_queries(2):
        sweep_approvals(at=NOON + timedelta(seconds=2))


def test_a_look_costs_the_same_however_many_requests_are_live(hannah, ines, kwame, django_assert_max_num_queries):
    for _ in range(2):
        make_request_of_one_stage(kwame)
    with django_assert_max_num_queries(30) as few:
        services.notice_all(at=NOON)
    for _ in range(5):
        make_request_of_one_stage(kwame)
    with django_assert_max_num_queries(len(few)):
        services.notice_all(at=NOON)


def make_request_of_one_stage(kwame):
    set_stages("objective", ("Management", "Manager", 2), hours=40)
    return make_request(by=kwame, subject=make_objective())


def test_the_engine_sweeps_approvals_with_everything_else(asked):
    sweeping.sweep_deadlines(now=lambda: NOON + 40 * HOUR)
    assert state(asked) == "expired"
