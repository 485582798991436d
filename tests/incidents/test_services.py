"""The verbs of an incident: what they write, what they stop, what they refuse."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from incidents import clocks, services
from incidents.enums import Status
from incidents.models import Alert, Escalation, Incident
from incidents.policy import Refused
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Contact
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Period
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_severity, make_system, make_team
from tests.factories.incidents import make_incident, make_token

pytestmark = pytest.mark.django_db


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def lines(incident):
    return [(note.actor_name, note.text) for note in records.timeline(incident).order_by("id")]


def state(incident, key):
    return clocks.of(incident)[key].state


def test_declaring_starts_the_clocks_the_escalation_and_the_period():
    system = make_system(rto=60)
    incident = make_incident(severity=1, systems=[system], by=make_contact("Amara"))
    assert incident.reference == "INC-000001"
    assert set(clocks.of(incident)) == {"response", "activation", "stakeholders", "customers", "executives", "resolve"}
    assert clocks.of(incident)["resolve"].due_at == after(60)
    assert Escalation.objects.get(incident=incident).state == "running"
    assert Period.objects.get(system=system).ends is None
    assert lines(incident) == [
        ("Amara", "declared SEV-1"),
        ("system: checklists", "started the checklist “Incident response”, 80 steps"),
    ]


def test_references_count_on():
    assert [make_incident().reference for _ in range(3)] == ["INC-000001", "INC-000002", "INC-000003"]


def test_an_incident_needs_a_title():
    with pytest.raises(Refused, match="title"):
        services.declare(title="  ", severity=make_severity(3), systems=[], by="system: test", at=NOON)


def test_the_database_allows_one_open_incident_per_alert():
    make_incident(dedup_key="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_incident(dedup_key="a")


def test_acknowledging_in_time_keeps_the_response_clock_and_stops_the_escalation():
    amara = make_contact("Amara")
    incident = services.acknowledge(make_incident(severity=1), by=amara, at=after(4))
    assert (incident.status, incident.acknowledged_by, incident.acknowledged_at) == ("acknowledged", "Amara", after(4))
    assert state(incident, "response") == DeadlineState.MET
    assert Escalation.objects.get(incident=incident).state == "stopped"
    assert not Deadline.objects.filter(kind="incident.escalation", state="pending").exists()
    assert [responder.contact for responder in incident.responders.all()] == [amara]


def test_an_answer_after_the_limit_leaves_the_clock_missed_though_no_sweep_saw_it():
    incident = services.acknowledge(make_incident(severity=1), by=make_contact(), at=after(16))
    row = clocks.of(incident)["response"]
    assert (row.state, row.met_at, row.lateness) == (DeadlineState.FIRED, after(16), 60.0)


def test_the_other_clocks_run_on_after_an_acknowledgement():
    incident = services.acknowledge(make_incident(severity=1), by=make_contact(), at=after(1))
    assert {row.key for row in clocks.running(incident)} == {"activation", "stakeholders", "customers", "executives"}


def test_nobody_acknowledges_twice():
    incident = services.acknowledge(make_incident(), by=make_contact(), at=after(1))
    with pytest.raises(Refused, match="acknowledged already"):
        services.acknowledge(incident, by=make_contact(), at=after(2))


def test_answering_a_page_later_joins_as_a_responder():
    first, second = make_contact(), make_contact("Mei")
    incident = services.answer_page(make_incident(), by=first, at=after(1))
    services.answer_page(incident, by=second, at=after(2))
    assert {responder.contact for responder in incident.responders.all()} == {first, second}
    assert incident.acknowledged_by == first.name


def test_taking_command_is_the_activation():
    amara = make_contact("Amara")
    incident = services.activate(make_incident(severity=1), by=amara, at=after(3))
    assert incident.commander == amara
    assert state(incident, "activation") == DeadlineState.MET


def test_a_user_without_a_directory_entry_gets_one_when_taking_command():
    user = make_user("olu")
    incident = services.activate(make_incident(severity=1), by=user, at=after(3))
    assert incident.commander == Contact.objects.get(user=user)


def test_a_commander_who_has_left_is_refused():
    with pytest.raises(Refused, match="has left"):
        services.activate(make_incident(), by=make_contact(), at=NOON, commander=make_contact(active=False))


def test_only_a_recorded_message_meets_a_communication_clock_and_the_next_one_starts():
    incident = services.record_update(
        make_incident(severity=1), audience="customers", text="We know.", by=make_contact(), at=after(20)
    )
    assert state(incident, "customers") == DeadlineState.MET
    assert clocks.of(incident)["customers.2"].due_at == after(50)


def test_a_late_message_leaves_its_clock_missed_and_says_so():
    incident = services.record_update(
        make_incident(severity=1), audience="customers", text="We know.", by=make_contact(), at=after(33)
    )
    assert state(incident, "customers") == DeadlineState.FIRED
    note = records.timeline(incident).get(kind="update")
    assert note.data["result"] == "The customers deadline was missed by 3 min. It stays missed."


@pytest.mark.parametrize(("audience", "text"), [("nobody", "Hello"), ("customers", " "), ("customers", "x" * 5001)])
def test_an_update_without_audience_or_words_is_refused(audience, text):
    with pytest.raises(Refused):
        services.record_update(make_incident(), audience=audience, text=text, by=make_contact(), at=after(1))


def test_a_severity_change_computes_open_clocks_anew_from_the_start_and_keeps_what_was_missed():
    incident = make_incident(severity=make_severity(1, clocks={"stakeholders": 3}))
    services.record_update(incident, audience="stakeholders", text="Late.", by=make_contact(), at=after(3.5))
    incident = services.reclassify(incident, severity=make_severity(2), by=make_contact(), at=after(4))
    found = clocks.of(incident)
    assert found["response"].due_at == after(60)
    assert found["stakeholders"].state == DeadlineState.FIRED
    assert found["activation"].state == DeadlineState.CANCELLED
    assert found["customers"].due_at == after(30)
    assert not incident.is_major or make_severity(2).is_major


def test_raising_the_severity_starts_the_clocks_it_lacked_from_the_declaration():
    incident = services.reclassify(
        make_incident(severity=3), severity=make_severity(1), by=make_contact(), at=after(10)
    )
    assert clocks.of(incident)["stakeholders"].due_at == after(15)
    assert clocks.of(incident)["response"].due_at == after(15)


def test_a_clock_that_a_lower_severity_dropped_comes_back_with_its_old_start():
    incident = make_incident(severity=1)
    for level, minute in ((3, 2), (1, 4)):
        incident = services.reclassify(incident, severity=make_severity(level), by=make_contact(), at=after(minute))
    row = clocks.of(incident)["customers"]
    assert (row.state, row.started_at, row.due_at) == (DeadlineState.PENDING, NOON, after(30))


def test_a_major_incident_against_the_table_needs_a_reason():
    with pytest.raises(Refused, match="why"):
        services.reclassify(
            make_incident(severity=3), severity=make_severity(3), is_major=True, by=make_contact(), at=NOON
        )


def test_resolving_stops_everything_but_the_first_messages_that_are_owed():
    incident = make_incident(severity=1, systems=[make_system(rto=60)])
    amara = make_contact()
    services.acknowledge(incident, by=amara, at=after(1))
    services.record_update(incident, audience="customers", text="We know.", by=amara, at=after(2))
    incident = services.resolve(incident, by=amara, at=after(10))
    assert {row.key for row in clocks.running(incident)} == {"stakeholders", "executives"}
    assert state(incident, "resolve") == DeadlineState.MET
    assert Period.objects.get().ends == after(10)


def test_closing_names_what_is_still_open_and_refuses():
    amara = make_contact()
    incident = make_incident(severity=1)
    services.acknowledge(incident, by=amara, at=after(1))
    services.resolve(incident, by=amara, at=after(10))
    with pytest.raises(Refused, match=r"Stakeholders were never told.*Customers.*Executives"):
        services.close(incident, by=amara, at=after(11))
    for audience in ("stakeholders", "customers", "executives"):
        services.record_update(incident, audience=audience, text="It is over.", by=amara, at=after(12))
    assert services.close(incident, by=amara, at=after(13)).status == Status.CLOSED


def test_an_open_incident_cannot_be_closed():
    with pytest.raises(Refused, match="Resolve it first"):
        services.close(services.acknowledge(make_incident(), by=make_contact(), at=NOON), by=make_contact(), at=NOON)


def test_a_source_that_resolves_does_not_count_as_an_answer():
    incident = services.resolve_by_source(make_incident(severity=1), by="system: intake", at=after(3))
    assert incident.acknowledged_at is None
    assert state(incident, "response") == DeadlineState.CANCELLED


def test_reopening_by_hand_needs_a_reason_and_counts_as_acknowledged():
    amara = make_contact("Amara")
    incident = services.acknowledge(make_incident(systems=[make_system(rto=60)]), by=amara, at=after(1))
    services.resolve(incident, by=amara, at=after(70))
    with pytest.raises(Refused, match="why"):
        services.reopen(incident, by=amara, at=after(80))
    incident = services.reopen(incident, by=amara, at=after(80), reason="It came back.")
    assert (incident.status, incident.resolved_at, incident.acknowledged_at) == ("acknowledged", None, after(80))
    assert state(incident, "resolve") == DeadlineState.FIRED
    assert clocks.of(incident)["resolve.2"].due_at == after(140)
    assert Period.objects.filter(ends=None).count() == 1


def test_reopened_by_its_source_it_is_declared_again_and_escalates_again():
    incident = services.resolve_by_source(make_incident(severity=2), by="system: intake", at=after(3))
    incident = services.reopen_by_source(incident, by="system: intake", at=after(10))
    assert incident.status == Status.DECLARED
    assert Escalation.objects.filter(incident=incident, state="running").count() == 1
    assert clocks.of(incident)["response.2"].due_at == after(70)


def test_reopening_is_refused_while_the_alert_has_another_open_incident():
    first = services.resolve_by_source(make_incident(dedup_key="a"), by="system: intake", at=after(3))
    make_incident(dedup_key="a", at=after(60))
    with pytest.raises(Refused, match="another incident"):
        services.reopen(first, by=make_contact(), at=after(61), reason="Why not.")


def test_cancelling_stops_all_clocks_and_the_escalation():
    incident = services.cancel(make_incident(severity=1), by=make_contact(), at=after(2), reason="A test.")
    assert clocks.running(incident) == []
    assert incident.status == Status.CANCELLED


def test_the_resolve_clock_stands_still_for_a_reason_and_runs_on_with_what_was_left():
    incident = make_incident(systems=[make_system(rto=60)])
    amara = make_contact()
    with pytest.raises(Refused):
        services.pause_clock(incident, by=amara, at=after(20), reason=" ")
    services.pause_clock(incident, by=amara, at=after(20), reason="Waits for the vendor.")
    services.resume_clock(incident, by=amara, at=after(50))
    row = clocks.current(incident, "resolve")
    assert row.due_at == after(90)
    assert any("Waits for the vendor." in sentence for sentence in clocks.explain(row, at=after(51)))


def test_a_pause_survives_a_change_of_severity():
    incident = make_incident(severity=2, systems=[make_system(rto=60)])
    services.pause_clock(incident, by=make_contact(), at=after(10), reason="Waits.")
    services.resume_clock(incident, by=make_contact(), at=after(40))
    incident = services.reclassify(incident, severity=make_severity(1), by=make_contact(), at=after(45))
    assert clocks.current(incident, "resolve").due_at == after(90)


def test_the_response_clock_never_pauses():
    with pytest.raises(Refused, match="Only the resolve clock"):
        services.pause_clock(make_incident(), clock="response", by=make_contact(), at=NOON, reason="Because.")


def test_a_note_may_tell_of_earlier_but_not_of_the_future():
    incident = make_incident()
    note = services.add_note(incident, text="Saw it.", by=make_contact(), at=after(9), event_at=after(2))
    assert (note.event_at, note.recorded_at) == (after(2), after(9))
    with pytest.raises(Refused, match="future"):
        services.add_note(incident, text="Will see it.", by=make_contact(), at=after(9), event_at=after(10))


def test_a_correction_is_a_new_note_of_the_same_incident():
    incident, other = make_incident(), make_incident()
    wrong = services.add_note(incident, text="Disk full.", by=make_contact(), at=after(1))
    right = services.add_note(incident, text="Inodes full.", by=make_contact(), at=after(2), corrects=wrong)
    assert right.corrects == wrong
    with pytest.raises(Refused, match="another incident"):
        services.add_note(other, text="No.", by=make_contact(), at=after(2), corrects=wrong)


def test_a_security_incident_pages_the_security_lead_at_once():
    lead, system = make_contact("Leila"), make_system()
    make_emergency_contact(system, lead, role="security_lead")
    incident = make_incident(systems=[system], type="security")
    assert list(Message.objects.filter(kind="incident_security").values_list("contact__name", flat=True)) == ["Leila"]
    assert ("system: security", "paged Leila (Security Lead)") in lines(incident)


def test_paging_one_more_person_reaches_them_or_says_why_not():
    incident, mei = make_incident(), make_contact("Mei")
    services.page_person(incident, contact=mei, by=make_contact("Amara"), at=after(2), reason="Knows the broker.")
    assert Message.objects.get(contact=mei).urgent
    with pytest.raises(Refused, match="no verified contact method"):
        services.page_person(incident, contact=make_contact(reachable=False), by=mei, at=after(3))


def test_every_verb_leaves_history_with_its_actor():
    amara = make_contact("Amara")
    incident = services.acknowledge(make_incident(by=amara), by=amara, at=after(1))
    services.mitigate(incident, by=amara, at=after(2))
    services.resolve(incident, by=amara, at=after(3))
    rows = list(incident.history.values_list("status", "actor_name"))
    assert {name for _, name in rows} == {"Amara"}
    assert [status for status, _ in dict.fromkeys(rows)] == ["resolved", "mitigated", "acknowledged", "declared"]


def test_a_team_that_cannot_act_is_not_needed_to_declare():
    make_team("oncall")
    assert Incident.objects.open().filter(pk=make_incident().pk).exists()


def test_naming_another_system_moves_the_resolve_clock_and_the_periods():
    slow, fast = make_system(rto=240), make_system("fast", rto=30)
    incident = services.set_systems(make_incident(systems=[slow]), systems=[slow, fast], by=make_contact(), at=after(5))
    assert clocks.current(incident, "resolve").due_at == after(30)
    assert Period.objects.get(system=fast).starts == after(5)
    incident = services.set_systems(incident, systems=[slow], by=make_contact(), at=after(6))
    assert clocks.current(incident, "resolve").due_at == after(240)
    assert Period.objects.get(system=fast).ends == after(6)
    with pytest.raises(Refused, match="already"):
        services.set_systems(incident, systems=[slow], by=make_contact(), at=after(7))


def test_clocks_that_no_system_moves_stay_as_they_are():
    incident = services.set_systems(make_incident(), systems=[make_system()], by=make_contact(), at=after(5))
    assert {row.generation for row in clocks.of(incident).values()} == {1}


def test_calling_it_a_security_incident_later_pages_the_security_lead_then():
    lead, system = make_contact("Leila"), make_system()
    make_emergency_contact(system, lead, role="security_lead")
    incident = services.set_type(make_incident(systems=[system]), type="security", by=make_contact(), at=after(9))
    assert Message.objects.filter(kind="incident_security", contact=lead, created_at=after(9)).exists()
    with pytest.raises(Refused, match="security already"):
        services.set_type(incident, type="security", by=make_contact(), at=after(10))


def test_an_acknowledgement_takes_back_pages_of_the_escalation_but_not_that_of_the_security_lead():
    lead, system = make_contact("Leila"), make_system()
    make_emergency_contact(system, lead, role="security_lead")
    incident = make_incident(systems=[system], type="security")
    services.page_person(incident, contact=make_contact("Mei"), by=make_contact(), at=after(1))
    services.acknowledge(incident, by=make_contact(), at=after(2))
    states = dict(Message.objects.exclude(lane="inbox").values_list("contact__name", "state"))
    assert states == {"Leila": "pending", "Mei": "cancelled"}
    assert Message.objects.get(contact=lead).repeat_seconds is None
    services.resolve(incident, by=lead, at=after(3))
    assert Message.objects.get(contact=lead).state == "cancelled"


def test_alerts_whose_source_fell_silent_are_called_over_by_hand_with_a_reason():
    amara = make_contact()
    token, _ = make_token()
    incident = services.acknowledge(make_incident(severity=3), by=amara, at=after(1))
    Alert.objects.create(token=token, key="k", incident=incident, title="Disk full", first_at=NOON, last_at=NOON)
    services.resolve(incident, by=amara, at=after(2))
    with pytest.raises(Refused, match="“Disk full” still fires"):
        services.close(incident, by=amara, at=after(3))
    with pytest.raises(Refused, match="how you know"):
        services.end_alerts(incident, by=amara, at=after(3))
    services.end_alerts(incident, by=amara, at=after(3), reason="The exporter is gone.")
    assert services.close(incident, by=amara, at=after(4)).status == Status.CLOSED
