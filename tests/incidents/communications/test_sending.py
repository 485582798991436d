"""A message goes out once, to the list that was shown, approved where the data says so; so it meets the clock."""

from datetime import timedelta

import pytest

from incidents import clocks, services
from incidents.communications import drafting, sending
from incidents.communications.settling import settle_all
from incidents.policy import Refused
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import Refused as NotApproved
from portal.deadlines.models import DeadlineState
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.communications import list_member, make_draft, set_rule
from tests.factories.directory import NOON, make_channel, make_contact, make_severity, make_system, make_team
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def incident():
    return make_incident(severity=1)


@pytest.fixture
def writer():
    return make_user("freya", roles=["responder"])


@pytest.fixture
def manager():
    return make_user("hannah", roles=["manager"])


def told(incident):
    return records.timeline(incident).filter(kind="update")


def mails():
    return Message.objects.filter(kind="communication").exclude(lane="inbox")


def approve(message, by, minutes=3):
    request = ApprovalRequest.objects.live().get(subject_id=message.pk, kind="communication")
    return approvals.decide(
        request, stage=request.stages.get(), verdict="approve", digest=request.digest, confirmed=True, by=by,
        at=after(minutes),
    )  # fmt: skip


def test_what_goes_out_is_recorded_and_meets_the_clock_by_the_moment_of_recording(incident):
    list_member("customers", make_channel("Customer mail"))
    list_member("customers", make_contact("Olga"))
    message = sending.send(make_draft(incident), by=BY, at=after(10))
    note = told(incident).get()
    clock = clocks.of(incident)["customers"]
    assert (message.state, message.sent_at, message.sent_by) == ("sent", after(10), BY)
    assert (clock.state, clock.met_at) == (DeadlineState.MET, after(10))
    assert (note.detail, note.audience, note.data["subject"]) == (message.text, "customers", "Mail is late")
    assert note.data["to"] == "Sent to Customer mail, Olga."
    assert {row.title for row in mails()} == {"Mail is late"}
    assert mails().count() == 2
    assert clocks.of(incident)["customers.2"].due_at == after(40)


def test_a_draft_sent_twice_goes_out_once(incident):
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident)
    sending.send(message, by=BY, at=after(1))
    with pytest.raises(Refused, match="It went out already, and is not sent again"):
        sending.send(message, by=BY, at=after(2))
    assert mails().count() == 1
    assert told(incident).count() == 1


def test_a_message_that_reaches_nobody_meets_no_clock(incident):
    list_member("customers", make_contact("Olga", reachable=False))
    with pytest.raises(Refused, match="Nobody on the list of customers can be reached"):
        sending.send(make_draft(incident), by=BY, at=after(1))
    assert clocks.of(incident)["customers"].state == DeadlineState.PENDING
    assert not told(incident)


def test_who_cannot_be_reached_is_named_in_the_record(incident):
    gone = make_contact("Gone")
    list_member("executives", gone)
    list_member("executives", make_contact("Mute", reachable=False))
    list_member("executives", make_team("board", members=[make_contact("Ada"), make_contact("Ben")]))
    message = make_draft(incident, audience="executives")
    gone.active = False
    gone.save()
    sending.send(message, by=BY, at=after(1))
    assert told(incident).get().data["to"] == "Sent to Ada, Ben. Gone has left. Mute has no verified contact method."


def test_the_list_of_a_system_is_told_of_its_incidents_alone():
    mail, desk = make_system("mail"), make_system("desk")
    list_member("customers", make_contact("Of mail"), system=mail)
    list_member("customers", make_contact("Of desk"), system=desk)
    message = make_draft(make_incident(severity=1, systems=[mail]))
    assert [one["name"] for one in message.recipients] == ["Of mail"]


def test_what_was_sent_stays_as_it_was_sent(incident):
    list_member("customers", make_contact("Olga"))
    message = sending.send(make_draft(incident), by=BY, at=after(1))
    with pytest.raises(Refused, match="its words stay as they were sent"):
        drafting.edit(message, subject="Other", text="Other", by=BY, at=after(2))


def test_a_resolved_incident_takes_back_no_message_to_an_audience(incident):
    list_member("customers", make_contact("Olga"))
    services.acknowledge(incident, by=BY, at=after(1))
    sending.send(make_draft(incident), by=BY, at=after(2))
    services.resolve(incident, by=BY, at=after(3))
    assert mails().get().state == "pending"


def test_nobody_is_told_of_an_incident_that_is_over(incident):
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident)
    services.cancel(incident, by=BY, at=after(1), reason="A test")
    with pytest.raises(Refused, match="The incident is over"):
        sending.send(message, by=BY, at=after(2))


def test_the_rule_of_a_severity_goes_before_the_rule_for_all(incident):
    set_rule("customers", needs_approval=True)
    assert sending.needs_approval(incident, "customers")
    set_rule("customers", needs_approval=False, severity=make_severity(1))
    assert not sending.needs_approval(incident, "customers")
    assert not sending.needs_approval(incident, "executives")


def test_without_its_approval_nothing_goes_out(incident, writer, manager):
    set_rule("customers", needs_approval=True)
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    with pytest.raises(Refused, match="Messages to customers need an approval at SEV-1"):
        sending.send(message, by=writer, at=after(1))
    sending.ask(message, by=writer, at=after(2), reason="First message")
    with pytest.raises(Refused, match="It waits for its approval"):
        sending.send(message, by=writer, at=after(3))
    assert not mails()


def test_nobody_approves_their_own_message(incident, manager):
    make_user("another", roles=["manager"])
    set_rule("customers", needs_approval=True)
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=manager)
    sending.ask(message, by=manager, at=after(2), reason="First message")
    with pytest.raises(NotApproved):
        approve(message, manager)


def test_an_approved_message_goes_out_by_itself_and_its_approval_is_final(incident, writer, manager):
    set_rule("customers", needs_approval=True)
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    request = sending.ask(message, by=writer, at=after(2), reason="First message")
    assert settle_all(at=after(2)) == 0
    approve(message, manager)
    assert settle_all(at=after(4)) == 1
    message.refresh_from_db()
    request.refresh_from_db()
    assert (message.state, message.sent_by, request.state) == ("sent", "system: communications", "final")
    assert clocks.of(incident)["customers"].met_at == after(4)
    assert mails().count() == 1
    assert settle_all(at=after(5)) == 0


def test_an_approved_message_that_is_not_to_go_by_itself_waits_for_a_person(incident, writer, manager):
    set_rule("customers", needs_approval=True)
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    sending.ask(message, by=writer, at=after(2), reason="First message", send_when_approved=False)
    approve(message, manager)
    settle_all(at=after(4))
    message.refresh_from_db()
    assert message.state == "approved"
    assert sending.send(message, by=writer, at=after(5)).state == "sent"


def test_an_edit_voids_the_approval(incident, writer, manager):
    set_rule("customers", needs_approval=True)
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    request = sending.ask(message, by=writer, at=after(2), reason="First message")
    approve(message, manager)
    message = drafting.edit(message, subject="Mail is lost", text="All of it.", by=writer, at=after(4))
    request.refresh_from_db()
    assert (message.state, request.state) == ("drafted", "voided")
    settle_all(at=after(5))
    assert not mails()


def test_a_denied_message_is_a_draft_again_and_a_withdrawn_one_ends_its_request(incident, writer, manager):
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    request = sending.ask(message, by=writer, at=after(2), reason="First message")
    approvals.decide(
        request, stage=request.stages.get(), verdict="deny", digest=request.digest, confirmed=True, by=manager,
        at=after(3), reason="Too early",
    )  # fmt: skip
    settle_all(at=after(4))
    message.refresh_from_db()
    assert message.state == "drafted"
    request = sending.ask(message, by=writer, at=after(5), reason="Once more")
    drafting.withdraw(message, by=writer, at=after(6), reason="It is over already")
    request.refresh_from_db()
    assert request.state == "voided"


def test_a_message_that_waits_keeps_an_incident_from_being_closed(incident, writer, manager):
    list_member("customers", make_contact("Olga"))
    services.acknowledge(incident, by=BY, at=after(1))
    for audience in ("stakeholders", "customers", "executives"):
        services.record_update(incident, audience=audience, text="Known.", by=BY, at=after(2))
    incident = services.resolve(incident, by=BY, at=after(3))
    sending.ask(make_draft(incident, by=writer), by=writer, at=after(4), reason="The end")
    with pytest.raises(Refused, match=r"A message to customers is not sent yet\. Send or withdraw it."):
        services.close(incident, by=BY, at=after(5))


def test_a_message_of_a_cancelled_incident_is_withdrawn_by_the_engine(incident, writer, manager):
    list_member("customers", make_contact("Olga"))
    message = make_draft(incident, by=writer)
    sending.ask(message, by=writer, at=after(2), reason="First message")
    services.cancel(incident, by=BY, at=after(3), reason="A test")
    settle_all(at=after(4))
    message.refresh_from_db()
    assert message.state == "withdrawn"


def test_what_waits_for_approval_does_not_go_out_about_an_incident_that_was_merged(incident, writer, manager):
    set_rule("executives", needs_approval=True)
    list_member("executives", make_contact("Ada"))
    message = make_draft(incident, audience="executives", by=writer)
    sending.ask(message, by=writer, at=after(1), reason="They ask")
    approve(message, manager)
    services.merge(incident, into=make_incident(severity=1), by="test", at=after(4), reason="The same disk")
    settle_all(at=after(5))
    message.refresh_from_db()
    assert message.state == "withdrawn"
    assert not mails().exists()
    with pytest.raises(Refused, match="merged into another incident"):
        make_draft(incident, audience="executives", by=writer)


def test_a_message_is_asked_for_by_its_own_verb_so_that_it_goes_out(incident, writer, manager):
    list_member("executives", make_contact("Ada"))
    message = make_draft(incident, audience="executives", by=writer)
    with pytest.raises(NotApproved, match="Open the message and ask there"):
        approvals.ask(message, by=writer, at=after(1), reason="They ask")


def test_nobody_is_named_to_carry_out_a_message(incident, writer, manager):
    list_member("executives", make_contact("Ada"))
    request = sending.ask(
        make_draft(incident, audience="executives", by=writer), by=writer, at=after(1), reason="They ask"
    )
    with pytest.raises(NotApproved, match="Nobody carries this out"):
        approvals.reassign(request, implementer=manager, by=writer, at=after(2), reason="To keep them from deciding")


def test_nobody_approves_words_of_their_own_whoever_asks(incident, writer, manager):
    other = make_user("arjun", roles=["manager"])
    list_member("executives", make_contact("Ada"))
    message = make_draft(incident, audience="executives", by=writer)
    drafting.edit(message, subject="As I say it", text="Mine.", by=manager, at=after(1))
    request = sending.ask(message, by=writer, at=after(2), reason="They ask")
    with pytest.raises(NotApproved):
        approve(message, manager)
    assert approve(message, other, 4).pk
    request.refresh_from_db()
    assert request.state == "approved"
