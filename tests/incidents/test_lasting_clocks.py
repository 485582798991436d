"""Clocks through changes: severity there and back, pauses, cancelling and reopening. What was missed stays missed."""

from datetime import timedelta

import pytest

from incidents import clocks, services
from incidents.policy import Refused
from incidents.sweeps import sweep_incidents
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import RecoveryObjective
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Period
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def reclassify(incident, level, minutes, **more):
    return services.reclassify(incident, severity=make_severity(level), by=BY, at=after(minutes), reason="x", **more)


def row(incident, key):
    return clocks.of(incident)[key]


def state(incident, key):
    return row(incident, key).state


def due_pages(incident):
    return Message.objects.filter(about_id=incident.pk, kind="incident_activation", lane="email").count()


def test_an_activation_stays_met_when_the_severity_goes_down_and_up_again():
    incident = make_incident(severity=1)
    incident = reclassify(incident, 3, 1)
    services.activate(incident, by=BY, at=after(2), commander=make_contact("Cleo"))
    incident = reclassify(incident, 1, 3)
    assert state(incident, "activation") == DeadlineState.MET
    sweep_incidents(at=after(10))
    assert state(incident, "activation") == DeadlineState.MET


def test_an_answer_counts_for_a_response_clock_that_comes_back():
    severity = make_severity(3)
    severity.clocks.get(clock="response").delete()
    incident = reclassify(make_incident(severity=1), 3, 1)
    services.acknowledge(incident, by=make_contact(), at=after(2))
    incident = reclassify(incident, 1, 3)
    assert (state(incident, "response"), row(incident, "response").met_at) == (DeadlineState.MET, after(2))


@pytest.mark.parametrize("first", [1, 3])
def test_a_message_told_while_no_clock_asked_for_it_counts_when_one_does(first):
    incident = make_incident(severity=first)
    incident = reclassify(incident, 3, 1) if first == 1 else incident
    services.record_update(incident, audience="customers", text="We know.", by=BY, at=after(10))
    incident = reclassify(incident, 1, 45)
    assert (state(incident, "customers"), row(incident, "customers").met_at) == (DeadlineState.MET, after(10))
    assert row(incident, "customers.2").due_at == after(75)


def test_a_message_told_too_late_is_no_kept_clock_after_a_higher_severity():
    incident = make_incident(severity=3)
    services.record_update(incident, audience="customers", text="We know.", by=BY, at=after(40))
    incident = reclassify(incident, 1, 45)
    assert (state(incident, "customers"), row(incident, "customers").met_at) == (DeadlineState.FIRED, after(40))


def test_a_limit_that_no_sweep_saw_pass_is_not_rescued_by_a_lower_severity():
    incident = reclassify(make_incident(severity=1), 3, 20)
    sweep_incidents(at=after(20))
    assert {key for key, one in clocks.of(incident).items() if one.state == DeadlineState.FIRED} == {
        "response",
        "activation",
        "stakeholders",
    }


def test_a_limit_that_no_sweep_saw_pass_stays_missed_when_the_source_resolves():
    incident = services.resolve_by_source(make_incident(severity=1), by=BY, at=after(20))
    assert (state(incident, "response"), row(incident, "response").met_at) == (DeadlineState.FIRED, None)
    assert state(incident, "activation") == DeadlineState.FIRED
    assert [note.text for note in records.timeline(incident).filter(kind="missed").order_by("id")] == [
        "saw the emergency activation deadline pass",
        "saw the response deadline pass",
    ]
    sweep_incidents(at=after(20))
    assert not Message.objects.filter(about_id=incident.pk, body__contains="took command").exists()


def test_a_clock_that_has_run_out_cannot_be_paused():
    incident = make_incident(severity=2, systems=[make_system(rto=10)])
    with pytest.raises(Refused):
        services.pause_clock(incident, by=BY, at=after(11), reason="Waits for the vendor.")


def test_a_paused_clock_is_kept_when_the_incident_is_resolved():
    incident = make_incident(severity=2, systems=[make_system(rto=60)])
    services.acknowledge(incident, by=BY, at=after(1))
    services.pause_clock(incident, by=BY, at=after(10), reason="Waits for the vendor.")
    incident = services.resolve(incident, by=BY, at=after(180))
    kept = row(incident, "resolve")
    assert (kept.state, kept.met_at, kept.due_at) == (DeadlineState.MET, after(180), after(230))
    assert "Waits for the vendor." in " ".join(clocks.explain(kept, at=after(181)))


def test_a_paused_clock_no_longer_stands_still_on_a_cancelled_incident():
    incident = make_incident(severity=2, systems=[make_system(rto=60)])
    services.pause_clock(incident, by=BY, at=after(10), reason="Waits for the vendor.")
    incident = services.cancel(incident, by=BY, at=after(20), reason="a test")
    assert [card.state for card in clocks.clock_cards(incident, at=after(21))] == []


def test_a_tighter_objective_that_comes_while_a_clock_is_paused_counts_when_it_runs_on():
    slow, fast = make_system(rto=120), make_system(rto=60)
    incident = make_incident(severity=2, systems=[slow])
    services.pause_clock(incident, by=BY, at=after(10), reason="Waits for the vendor.")
    services.set_systems(incident, systems=[slow, fast], by=BY, at=after(15))
    services.resume_clock(incident, by=BY, at=after(30))
    assert row(incident, "resolve").due_at == after(80)


def test_a_paused_clock_goes_when_nothing_asks_for_it_any_more():
    system, other = make_system(rto=120), make_system()
    incident = make_incident(severity=2, systems=[system])
    services.pause_clock(incident, by=BY, at=after(10), reason="Waits for the vendor.")
    services.set_systems(incident, systems=[other], by=BY, at=after(15))
    with pytest.raises(Refused):
        services.resume_clock(incident, by=BY, at=after(30))
    RecoveryObjective.objects.create(system=other, rto_minutes=90)
    reclassify(incident, 3, 40)
    assert row(incident, "resolve").due_at == after(90 + 5)


def test_what_was_cancelled_by_mistake_and_reopened_owes_its_first_messages_again():
    incident = services.cancel(make_incident(severity=1), by=BY, at=after(1), reason="a test")
    incident = services.reopen(incident, by=make_contact(), at=after(5), reason="it was none")
    told = {key: one.due_at for key, one in clocks.of(incident).items() if one.state == DeadlineState.PENDING}
    assert told == {
        "activation.2": after(10),
        "stakeholders": after(20),
        "customers": after(35),
        "executives": after(65),
    }
    services.resolve(incident, by=BY, at=after(6))
    assert len(services.open_ends(incident)) == 3


def test_nobody_in_command_after_a_second_opening_is_paged_again():
    system = make_system()
    make_emergency_contact(system, make_contact("Lead"), role="operations_lead")
    incident = make_incident(severity=1, systems=[system])
    sweep_incidents(at=after(5))
    before = due_pages(incident)
    incident = services.resolve_by_source(incident, by=BY, at=after(10))
    incident = services.reopen_by_source(incident, by=BY, at=after(20))
    sweep_incidents(at=after(25))
    assert records.timeline(incident).filter(text="paged Lead (Operations Lead)").count() == 2
    assert due_pages(incident) == before + 1


def test_the_executives_are_told_of_major_incidents_and_of_no_others():
    called = reclassify(make_incident(severity=3), 3, 1, is_major=True)
    assert row(called, "executives").due_at == after(60)
    spared = reclassify(make_incident(severity=2), 2, 1, is_major=False)
    assert state(spared, "executives") == DeadlineState.CANCELLED
    again = reclassify(spared, 2, 2, is_major=True)
    assert (state(again, "executives"), row(again, "executives").due_at) == (DeadlineState.PENDING, after(60))


def test_the_period_of_an_incident_bears_its_present_severity():
    system = make_system()
    incident = make_incident(severity=3, systems=[system])
    reclassify(incident, 1, 10)
    rows = Period.objects.filter(system=system).order_by("starts").values_list("weight", "starts", "ends")
    assert list(rows) == [(3, NOON, after(10)), (1, after(10), None)]
    reclassify(incident, 2, 10)
    assert [one.weight for one in Period.objects.filter(system=system, ends=None)] == [2]


def test_every_clock_has_at_most_one_running_deadline():
    incident = make_incident(severity=1, systems=[make_system(rto=60)])
    for minutes, level in enumerate((3, 1, 2, 1, 4, 1), start=1):
        incident = reclassify(incident, level, minutes)
    keys = list(Deadline.objects.filter(kind="incident.clock", state="pending").values_list("key", flat=True))
    assert sorted(keys) == sorted(set(keys))
    assert set(keys) == {"response", "activation", "stakeholders", "customers", "executives", "resolve"}
