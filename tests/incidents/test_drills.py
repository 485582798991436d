"""A drill runs as a real incident does, is marked wherever it is told, and counts nowhere."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, IntegrityError, connection, transaction

from incidents import clocks, services
from incidents.communications import drafting, sending, subscribing
from incidents.enums import Audience
from incidents.intake import settling
from incidents.models import Escalation, Incident
from incidents.policy import Refused
from incidents.selectors.drills import lines_of, report_of
from incidents.sweeps import sweep_incidents
from portal.approvals import services as approvals
from portal.notify.models import Message, MessageState
from portal.records import services as records
from portal.records.models import Period
from tests.factories.accounts import make_user
from tests.factories.communications import list_member, make_draft, set_rule
from tests.factories.directory import (
    NOON,
    make_channel,
    make_contact,
    make_emergency_contact,
    make_severity,
    make_system,
    make_team,
)
from tests.factories.incidents import make_incident, make_policy, make_token
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def make_drill(**fields):
    return make_incident(is_drill=True, **fields)


@pytest.fixture
def amara():
    return make_contact("Amara", user=make_user("amara", roles=["responder"]))


def test_it_has_the_clocks_and_the_escalation_of_a_real_incident(amara):
    system = make_system(rto=60)
    make_policy(steps=[amara], default=True)
    real, drill = make_incident(severity=1, systems=[system]), make_drill(severity=1, systems=[system])
    assert set(clocks.of(drill)) == set(clocks.of(real))
    assert Escalation.objects.get(incident=drill).snapshot == Escalation.objects.get(incident=real).snapshot
    sweep_incidents(at=after(1))
    assert records.timeline(drill).filter(kind="paged").get().text == records.timeline(real).get(kind="paged").text
    sweep_incidents(at=after(16))
    assert clocks.of(drill)["response"].state == "fired"


def test_it_says_so_wherever_it_is_named():
    drill = make_drill(title="Mail stands still")
    assert str(drill) == f"{drill.reference} (drill) Mail stands still"
    assert records.timeline(drill).earliest("pk").text == "started a drill at SEV-2"


def test_no_system_suffers_from_it(amara):
    system, other = make_system(), make_system()
    drill = make_drill(severity=2, systems=[system])
    services.set_systems(drill, systems=[other], by=amara, at=after(1))
    services.reclassify(drill, severity=make_severity(1), by=amara, at=after(2))
    services.acknowledge(drill, by=amara, at=after(3))
    services.resolve(drill, by=amara, at=after(4))
    services.reopen(drill, by=amara, at=after(5), reason="Once more")
    assert not Period.objects.exists()


def test_a_source_starts_none():
    with pytest.raises(Refused, match="source"):
        make_drill(source="Prometheus")
    drill = make_drill()
    drill.source = "Prometheus"
    with pytest.raises(IntegrityError), transaction.atomic():
        drill.save()


@pytest.mark.parametrize(("before", "then"), [(True, False), (False, True)])
def test_it_never_becomes_real_nor_a_real_one_a_drill(before, then):
    incident = make_incident(is_drill=before)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE incidents_incident SET is_drill = %s WHERE id = %s", [then, incident.pk])


def test_alerts_never_join_a_drill():
    token, _ = make_token()
    key = settling.dedup_key(token, "disk")
    make_drill(dedup_key=key)
    assert not settling.standing(token, key, at=NOON).exists()


def about(incident):
    kind = ContentType.objects.get_for_model(Incident)
    return Message.objects.filter(about_type=kind, about_id=incident.pk)


def test_every_message_on_its_account_begins_with_the_word(amara):
    system = make_system(owner=make_team())
    lead = make_contact("Ines")
    make_emergency_contact(system, lead, role="operations_lead")
    make_emergency_contact(system, lead, role="security_lead")
    make_policy(steps=[amara, make_channel("Ops")], security=True, acknowledgement_minutes=30)
    follower = make_contact("Fay", user=make_user("fay", roles=["security-lead"]))
    subscribing.follow(system, by=follower.user, at=NOON)
    list_member(Audience.STAKEHOLDERS, follower)
    drill = make_drill(severity=1, systems=[system], type="security")
    sweep_incidents(at=after(1))
    sweep_incidents(at=after(8))
    services.page_person(drill, contact=make_contact("Jonas"), by=amara, at=after(8))
    drill = services.acknowledge(drill, by=amara, at=after(9))
    sending.send(make_draft(drill, audience=Audience.STAKEHOLDERS), by=amara.user, at=after(10))
    for minutes in (12, 16, 25, 35, 41, 60, 90):
        sweep_incidents(at=after(minutes))
    kinds = set(about(drill).values_list("kind", flat=True))
    assert kinds >= {
        "incident_page", "incident_security", "incident_activation", "incident_at_risk", "incident_missed",
        "incident_expiring", "communication", "incident_followed",
    }  # fmt: skip
    assert not about(drill).exclude(title__startswith="DRILL: ").exists()
    assert not about(drill).exclude(is_drill=True).exists()


def test_messages_about_its_approval_begin_with_the_word():
    set_rule(Audience.CUSTOMERS, needs_approval=True)
    make_contact("Hannah", user=make_user("hannah", roles=["manager"]))
    freya = make_user("freya", roles=["responder"])
    make_contact("Freya", user=freya)
    request = sending.ask(make_draft(make_drill(severity=1), by=freya), by=freya, at=after(1), reason="They ask")
    assert request.title.endswith(" (drill)")
    assert "Drill" in request.shown
    approvals.withdraw(request, by=freya, at=after(2), reason="Never mind")
    told = Message.objects.filter(kind__startswith="approval")
    assert told.exists()
    assert not told.exclude(title__startswith="DRILL: ").exists()


def test_messages_of_a_real_incident_do_not(amara):
    make_policy(steps=[amara], default=True)
    incident = make_incident(severity=1)
    sweep_incidents(at=after(1))
    assert about(incident).exists()
    assert not about(incident).filter(title__contains="DRILL").exists()


class TestCommunications:
    def test_no_customer_is_told_and_those_who_take_part_get_a_copy(self, amara):
        list_member(Audience.CUSTOMERS, make_contact("Customer"))
        list_member(Audience.CUSTOMERS, make_channel("Status page"))
        drill = services.acknowledge(make_drill(severity=1), by=amara, at=after(1))
        sending.send(make_draft(drill), by=amara.user, at=after(2))
        told = Message.objects.filter(kind="communication")
        assert {row.contact for row in told} == {amara}
        assert not told.filter(channel__isnull=False).exists()
        assert clocks.of(drill)["customers"].state == "met"
        assert "no customer is told" in records.timeline(drill).get(kind="update").data["to"]

    def test_it_is_recorded_though_nobody_takes_part(self):
        drill = make_drill(severity=1)
        sending.send(make_draft(drill), by="system: tests", at=after(2))
        assert not Message.objects.filter(kind="communication").exists()
        assert records.timeline(drill).get(kind="update").data["to"].startswith("Sent to nobody")

    def test_of_other_audiences_people_without_an_account_are_left_out(self, amara):
        list_member(Audience.EXECUTIVES, amara)
        list_member(Audience.EXECUTIVES, make_contact("Counsel"))
        drill = make_drill(severity=1)
        sending.send(make_draft(drill, audience=Audience.EXECUTIVES), by="system: tests", at=after(2))
        assert {row.contact for row in Message.objects.filter(kind="communication")} == {amara}
        assert "Counsel has no account" in records.timeline(drill).get(kind="update").data["to"]

    def test_an_approval_is_needed_as_for_a_real_one(self):
        set_rule(Audience.CUSTOMERS, needs_approval=True)
        with pytest.raises(Refused, match="approval"):
            sending.send(make_draft(make_drill(severity=1)), by="system: tests", at=after(2))

    def test_the_list_of_a_real_incident_stands(self):
        customer = make_contact("Customer")
        list_member(Audience.CUSTOMERS, customer)
        sending.send(make_draft(make_incident(severity=1)), by="system: tests", at=after(2))
        assert {row.contact for row in Message.objects.filter(kind="communication")} == {customer}


class TestTurningReal:
    def test_the_real_one_begins_anew_and_the_drill_ends(self, amara):
        system = make_system()
        drill = make_drill(title="Mail stands still", severity=1, systems=[system])
        real = services.turn_real(drill, by=amara, at=after(3), reason="Mail stands still indeed")
        drill.refresh_from_db()
        assert (real.is_drill, real.title, real.severity.level, real.declared_at) == (
            False, "Mail stands still", 1, after(3),
        )  # fmt: skip
        assert list(real.systems.all()) == [system]
        assert Period.objects.get().record_id == real.pk
        assert (drill.is_drill, drill.status) == (True, "cancelled")
        assert services.became(drill).get() == real
        assert services.came_from(real).get() == drill
        assert drill.reference in records.timeline(real).get(kind="note").detail

    def test_one_that_is_over_stays_as_it_ended(self, amara):
        drill = services.acknowledge(make_drill(), by=amara, at=after(1))
        services.resolve(drill, by=amara, at=after(2))
        services.turn_real(drill, by=amara, at=after(3), reason="It was real all along")
        drill.refresh_from_db()
        assert drill.status == "resolved"

    def test_it_becomes_real_once(self, amara):
        drill = make_drill()
        services.turn_real(drill, by=amara, at=after(1), reason="Real")
        with pytest.raises(Refused, match="before"):
            services.turn_real(drill, by=amara, at=after(2), reason="Real")

    def test_a_real_one_cannot(self, amara):
        with pytest.raises(Refused, match="no drill"):
            services.turn_real(make_incident(), by=amara, at=after(1), reason="Real")

    def test_it_needs_a_reason(self, amara):
        with pytest.raises(Refused, match="really wrong"):
            services.turn_real(make_drill(), by=amara, at=after(1), reason=" ")


class TestLookingBack:
    def test_the_report_tells_what_was_done_which_clocks_were_kept_and_who_was_told(self, amara):
        make_policy(steps=[amara], default=True)
        drill = make_drill(severity=1)
        sweep_incidents(at=after(1))
        drill = services.acknowledge(drill, by=amara, at=after(2))
        sweep_incidents(at=after(6))
        about(drill).filter(state=MessageState.PENDING).update(state=MessageState.SENT, settled_at=after(6))
        report = report_of(drill, user=amara.user, at=after(6))
        done = {moment.label: moment.after for moment in report.moments}
        assert done == {"Acknowledged": timedelta(minutes=2), "Commander named": None, "Resolved": None}
        assert (report.clocks["met"], report.clocks["missed"]) == (1, 1)
        assert [(one.name, one.failed) for one in report.reached] == [("Amara", 0)]
        assert report.sent[0].label == "Pages"

    def test_the_report_counts_what_the_list_counts(self, amara):
        drill = make_drill(severity=1)
        for minute in (1, 5):
            services.record_update(drill, audience="stakeholders", text="We look.", by=amara, at=after(minute))
        services.acknowledge(drill, by=amara, at=after(6))
        drill = services.resolve(drill, by=amara, at=after(7))
        [line] = lines_of(amara.user, [drill.pk], at=after(8))
        report = report_of(drill, user=amara.user, at=after(8))
        assert report.clocks == line.clocks
        assert (report.clocks["met"], report.clocks["running"]) == (3, 2)  # first messages that are owed stay owed
        assert [card.state for card in report.cards if card.name == "Stakeholders"] == ["met", "met"]

    def test_whoever_was_not_told_yet_or_no_more_was_not_told(self, amara):
        make_policy(steps=[amara, make_contact("Bo")], default=True)
        drill = make_drill(severity=1)
        sweep_incidents(at=NOON)
        about(drill).exclude(lane="inbox").filter(contact=amara, repeat_number=0).update(
            state=MessageState.SENT, settled_at=after(1)
        )
        sweep_incidents(at=after(5))
        services.acknowledge(drill, by=amara, at=after(6))
        report = report_of(drill, user=amara.user, at=after(7))
        assert [(one.name, one.messages, one.first_at) for one in report.reached] == [("Amara", 1, after(1))]

    def test_the_list_counts_clocks_and_messages_that_leave(self, amara):
        make_policy(steps=[amara], default=True)
        drill = make_drill(severity=1)
        sweep_incidents(at=after(1))
        [line] = lines_of(amara.user, [drill.pk], at=after(20))
        assert line.clocks["missed"] >= 1
        assert sum(line.messages.values()) == about(drill).exclude(lane="inbox").count()
        assert line.acknowledged_after is None


def test_a_draft_is_written_as_for_a_real_one():
    drill = make_drill()
    drafting.draft(drill, audience=Audience.CUSTOMERS, subject="Late", text="Late.", by="system: tests", at=NOON)
    make_message(about=drill, is_drill=True)
    assert about(drill).get().title == "DRILL: Disk full"
