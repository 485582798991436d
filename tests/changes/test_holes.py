"""Ways past a step of a change that were found by trying, and stay shut."""

from datetime import timedelta

import pytest

from changes import services
from changes.conflicts import of_change
from changes.enums import ChangeType, Status
from changes.models import Change, Freeze
from changes.policy import Refused
from changes.services import Plan
from changes.sweeps import _moved, sweep_changes
from incidents import services as incidents
from portal.approvals import services as approvals
from portal.approvals.enums import RequestState
from portal.audit.actor import acting
from portal.records import services as records
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    TOMORROW,
    deciders,
    make_approved,
    make_change,
    make_emergency,
    make_scheduled,
    make_started,
    request_of,
    verify,
)
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def submitted(**given):
    deciders()
    change = make_change(**given)
    return services.submit(change, by=change.requester, at=NOON)


@pytest.mark.parametrize(
    "plan", [Plan(systems=[]), Plan({"implementer": None}), Plan({"test_plan": ""}), Plan(steps={"implementation": []})]
)
def test_what_was_handed_in_complete_is_not_edited_into_something_that_lacks_what_it_had(plan):
    change = submitted()
    with pytest.raises(Refused):
        services.revise(change, plan, by=change.requester, at=NOON)


def test_a_change_whose_requester_has_left_can_be_cancelled_and_the_record_says_who_did():
    change = make_scheduled()
    change.requester.is_active = False
    change.requester.save()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    assert services.cancel(change, by=ruth, at=NOON, reason="Nobody needs it").status == Status.CANCELLED
    request = request_of(change)
    assert (request.state, request.settled_by) == (RequestState.WITHDRAWN, "Ruth Bergqvist")


def test_an_emergency_that_was_approved_beforehand_loses_what_rests_on_an_approval_that_was_withdrawn():
    change = make_approved(type=ChangeType.EMERGENCY)
    assert change.status == Status.APPROVED
    approvals.withdraw(request_of(change), by=change.requester, at=NOON, reason="Not so")
    sweep_changes(at=NOON + HOUR)
    change.refresh_from_db()
    assert change.status == Status.ASSESSED
    assert _moved() == []


def test_a_rollback_after_the_work_was_verified_shouts_too_when_it_overruns_its_window():
    change = make_started()
    verify(change, at=TOMORROW + 20 * MINUTE)
    services.roll_back(change, by=change.implementer, at=TOMORROW + 30 * MINUTE, reason="It leaks")
    sweep_changes(at=TOMORROW + HOUR + MINUTE)
    assert "overrun" in set(records.timeline(change).values_list("kind", flat=True))


def test_a_change_does_not_begin_before_its_slot_while_a_freeze_still_lasts():
    change = make_scheduled()
    Freeze.objects.create(name="Finance close", domain="finance", starts=NOON, ends=TOMORROW)
    with pytest.raises(Refused, match="Finance close"):
        services.start(change, by=change.implementer, at=TOMORROW - 10 * MINUTE)
    assert services.start(change, by=change.implementer, at=TOMORROW).status == Status.IN_PROGRESS


def test_an_emergency_in_progress_without_a_slot_is_in_the_way_of_others_on_its_system():
    system = make_system()
    deciders()
    emergency = make_emergency(systems=[system], planned_start=None, planned_end=None)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.start_emergency(emergency, authority=ruth, by=emergency.implementer, at=NOON, reason="It burns")
    other = make_change(systems=[system], planned_start=NOON + HOUR, planned_end=NOON + 2 * HOUR)
    assert emergency.reference in {one.reference for one in of_change(other)}


def test_an_approval_afterwards_of_what_was_renamed_meanwhile_stops_no_sweep():
    deciders()
    system = make_system()
    change = make_emergency(systems=[system], planned_start=NOON, planned_end=NOON + HOUR)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.start_emergency(change, authority=ruth, by=change.implementer, at=NOON, reason="It burns")
    request = request_of(change)
    stage = request.stages.get(state="open")
    ines = approvals.may_decide(stage).first()
    approvals.decide(request, stage=stage, verdict="approve", digest=request.digest, confirmed=True, by=ines, at=NOON)
    with acting(by=ines, reason="It is called otherwise"):
        system.name = "Another name"
        system.save()
    sweep_changes(at=NOON + MINUTE)
    assert Change.objects.get(pk=change.pk).approved_at is None


def test_a_restricted_incident_stops_a_change_without_being_named_to_those_who_read_the_change():
    system = make_system()
    incident = make_incident(severity=1, systems=[system])
    incidents.restrict(incident, by=make_person("Ines Halloran", "security-lead"), at=NOON, reason="It is a breach")
    change = make_approved(systems=[system])
    with pytest.raises(Refused, match="restricted") as refused:
        services.schedule(change, by=change.requester, at=NOON)
    told = f"{refused.value} {of_change(change)} {change.risk_sum}"
    assert incident.reference not in told
    assert "a restricted one" in str(change.risk_sum)


def test_a_look_at_writes_that_fails_is_made_again(monkeypatch):
    def fail(**_words):
        raise RuntimeError

    sweep_changes(at=NOON)
    with monkeypatch.context() as patched:
        patched.setattr("changes.sweeps.unauthorised.look", fail)
        with pytest.raises(RuntimeError):
            sweep_changes(at=NOON + HOUR)
    since = []
    monkeypatch.setattr("changes.sweeps.unauthorised.look", lambda *, since, at: seen.append(since))
    seen = since
    sweep_changes(at=NOON + 2 * HOUR)
    assert seen == [NOON]


def test_what_cannot_be_done_is_said_in_whole_sentences():
    change = make_started()
    with pytest.raises(Refused, match="why you roll it back"):
        services.roll_back(change, by=change.implementer, at=TOMORROW, reason=" ")
    emergency = make_approved(type=ChangeType.EMERGENCY)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refused, match="you cannot start it as an emergency"):
        services.start_emergency(emergency, authority=ruth, by=emergency.implementer, at=NOON, reason="It burns")


def test_who_edited_what_is_decided_on_does_not_decide_on_it():
    change = submitted()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.revise(change, Plan({"test_plan": "None needed"}), by=ruth, at=NOON)
    services.assess(change, impact=1, likelihood=1, by=ruth, at=NOON)
    words = {"digest": request_of(change).digest, "confirmed": True, "at": NOON}
    with pytest.raises(Refused, match="edited"):
        services.approve(change, by=ruth, **words)

    assert ruth not in approvals.may_decide(request_of(change).stages.get(state="open"))
    services.reject(change, by=make_person("Ines Halloran", "change-approver"), reason="Say how", **words)
    services.revise(change, Plan({"test_plan": "Look at it"}), by=ruth, at=NOON)
    services.submit(change, by=change.requester, at=NOON)  # now they are the requester's words
    services.assess(change, impact=1, likelihood=1, by=ruth, at=NOON)
    assert services.approve(change, by=ruth, **{**words, "digest": request_of(change).digest}).status == Status.APPROVED
