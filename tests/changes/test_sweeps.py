"""What the engine does for changes."""

from datetime import timedelta

import pytest

from changes import services
from changes.enums import Outcome, Status
from changes.models import Change
from changes.sweeps import sweep_changes
from portal.approvals import services as approvals
from portal.approvals.models import Stage
from portal.audit.actor import acting
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.approvals import make_person
from tests.factories.changes import (
    DAY,
    HOUR,
    TOMORROW,
    deciders,
    make_assessed,
    make_emergency,
    make_scheduled,
    make_started,
    request_of,
    verify,
)
from tests.factories.directory import NOON, make_system

pytestmark = pytest.mark.django_db


def decide(change, verdict="approve", *, at=NOON, reason=""):
    request = request_of(change)
    stage = Stage.objects.get(request=request, state="open")
    somebody = approvals.may_decide(stage).first()
    approvals.decide(
        request, stage=stage, verdict=verdict, digest=request.digest, confirmed=True, by=somebody, at=at, reason=reason
    )


def kinds(change):
    return list(records.timeline(change).values_list("kind", flat=True))


@pytest.fixture
def emergency():
    deciders()
    change = make_emergency(planned_start=NOON, planned_end=NOON + HOUR)
    authority = make_person("Ruth Bergqvist", "change-approver")
    return services.start_emergency(change, authority=authority, by=change.implementer, at=NOON, reason="It burns")


def test_what_was_decided_on_other_pages_is_followed():
    yes, no = make_assessed(), make_assessed()
    decide(yes)
    decide(no, "deny", reason="Too soon")
    sweep_changes(at=NOON + HOUR)
    assert Change.objects.get(pk=yes.pk).status == Status.APPROVED
    assert Change.objects.get(pk=no.pk).status == Status.REJECTED


def test_a_record_that_was_changed_behind_its_services_loses_what_rested_on_its_approval():
    change = make_scheduled()
    step = change.steps.get(kind="rollback")
    step.text = "Hope"
    step.save()
    approvals.notice(request_of(change), at=NOON)
    sweep_changes(at=NOON + HOUR)
    assert Change.objects.get(pk=change.pk).status == Status.ASSESSED


def test_what_an_emergency_owes_is_shouted_about_every_day_until_it_is_done(emergency):
    day = timedelta(hours=24)
    sweep_changes(at=NOON + day)
    assert kinds(emergency).count("owed") == 2
    told = Message.objects.filter(kind="change_owed")
    assert told.exists()
    sweep_changes(at=NOON + 2 * day)
    assert kinds(emergency).count("owed") == 4


def test_an_outage_of_the_engine_shouts_once_not_once_for_each_day(emergency):
    sweep_changes(at=NOON + 9 * DAY)
    sweep_changes(at=NOON + 9 * DAY)
    assert kinds(emergency).count("owed") == 2


def test_an_approval_afterwards_is_kept_and_ends_the_shouting(emergency):
    decide(emergency, at=NOON + HOUR)
    sweep_changes(at=NOON + HOUR)
    change = Change.objects.get(pk=emergency.pk)
    assert change.approved_by
    assert request_of(change).state == "final"
    change = verify(change, by=change.implementer, at=NOON + HOUR)
    change = services.write_review(change, review="It burned.", by=change.implementer, at=NOON + HOUR)
    services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=NOON + HOUR)
    sweep_changes(at=NOON + 3 * DAY)
    assert "owed" not in kinds(change)


def test_a_rejection_afterwards_stays_on_the_record(emergency):
    decide(emergency, "deny", at=NOON + HOUR, reason="It could have waited")
    sweep_changes(at=NOON + HOUR)
    change = Change.objects.get(pk=emergency.pk)
    assert (change.status, bool(change.rejected_by)) == (Status.IN_PROGRESS, True)


def test_an_expired_approval_of_an_emergency_can_be_asked_for_again(emergency):
    from portal.approvals.sweeps import sweep_approvals  # noqa: PLC0415

    sweep_approvals(at=NOON + 2 * DAY)
    assert request_of(emergency).state == "expired"
    again = services.ask(emergency, by=emergency.requester, at=NOON + 2 * DAY, reason="Nobody looked")
    assert again.state == "pending"


def test_the_authority_hears_that_it_was_named(emergency):
    message = Message.objects.filter(kind="change_authorised").earliest("pk")
    assert emergency.reference in message.title


def test_a_rollback_that_would_end_after_the_window_is_warned_of_while_there_is_time():
    change = make_started()
    sweep_changes(at=TOMORROW + timedelta(minutes=49))
    assert "late_rollback" not in kinds(change)
    sweep_changes(at=TOMORROW + timedelta(minutes=50))
    assert "late_rollback" in kinds(change)


def test_an_overrun_shouts_and_a_change_that_is_done_does_not():
    late, done = make_started(), make_started()
    verify(done, by=done.implementer, at=TOMORROW + HOUR / 2)
    sweep_changes(at=TOMORROW + HOUR)
    assert "overrun" in kinds(late)
    assert "overrun" not in kinds(done)


def write(system, *, origin="admin", at=NOON, by="Mallory"):
    with acting(by=by, origin=origin, at=at, reason="Because", alone=True):
        system.description = f"{at} {by}"
        system.save()


def test_a_write_to_a_system_outside_of_any_slot_is_found_once():
    from changes.models import Finding  # noqa: PLC0415

    system = make_system()
    write(system)
    sweep_changes(at=NOON + timedelta(minutes=1))
    sweep_changes(at=NOON + timedelta(minutes=3))
    (found,) = Finding.objects.all()
    assert (found.system, found.made_by) == (system, "Mallory")


def test_a_write_within_a_slot_and_one_of_the_portal_itself_are_not_found():
    from changes.models import Finding  # noqa: PLC0415

    system, other = make_system(), make_system()
    make_started(systems=[system])
    write(system, at=TOMORROW + HOUR / 2)
    write(other, origin="task", at=TOMORROW + HOUR / 2)
    sweep_changes(at=TOMORROW + HOUR / 2 + timedelta(minutes=1))
    assert not Finding.objects.exists()


def test_whoever_answers_for_a_write_is_of_the_change_authority_and_did_not_make_it():
    from changes.models import Finding  # noqa: PLC0415
    from changes.policy import NotYours, Refused  # noqa: PLC0415

    system = make_system()
    author = make_person("Amara Okafor", "change-approver", "manager")
    write(system, by=author)
    sweep_changes(at=NOON + timedelta(minutes=1))
    finding = Finding.objects.get()
    with pytest.raises(NotYours, match="yourself"):
        services.accept(finding, by=author, at=NOON, reason="Fine")
    with pytest.raises(NotYours, match="Only the change authority"):
        services.accept(finding, by=make_person("Al", "responder"), at=NOON, reason="Fine")
    ruth = make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refused, match="why it is accepted"):
        services.accept(finding, by=ruth, at=NOON, reason=" ")
    change = services.turn(finding, by=ruth, at=NOON)
    assert (change.type, list(change.systems.all())) == ("emergency", [system])
    with pytest.raises(Refused, match="answered it already"):
        services.accept(finding, by=ruth, at=NOON, reason="Fine")
