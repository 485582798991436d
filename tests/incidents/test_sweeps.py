"""What the engine says about clocks, and the demands it answers."""

from datetime import timedelta
from functools import partial

import pytest

from incidents import clocks, services
from incidents.models import Incident
from incidents.sweeps import OPEN_TOPIC, sweep_incidents
from portal.deadlines.models import DeadlineState
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Demand
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def kinds(incident):
    return list(records.timeline(incident).order_by("id").values_list("kind", flat=True))


def test_a_warning_comes_at_three_quarters_of_the_way_and_a_miss_at_the_end():
    incident = make_incident(severity=3)
    sweep_incidents(at=after(179))
    assert "at_risk" not in kinds(incident)
    sweep_incidents(at=after(180))
    assert "at_risk" in kinds(incident)
    assert "missed" not in kinds(incident)
    sweep_incidents(at=after(240))
    assert "missed" in kinds(incident)
    assert clocks.of(incident)["response"].state == DeadlineState.FIRED


def test_a_warning_that_comes_after_the_limit_is_left_out():
    incident = make_incident(severity=3)
    sweep_incidents(at=after(300))
    assert "at_risk" not in kinds(incident)


def test_leaders_are_told_of_a_clock_at_risk():
    amara = make_contact("Amara")
    incident = services.acknowledge(make_incident(severity=1), by=amara, at=after(1))
    sweep_incidents(at=after(12))
    message = Message.objects.get(kind="incident_at_risk", contact=amara, title__icontains="stakeholders")
    assert incident.reference in message.title


def test_a_missed_activation_pages_the_operations_lead_though_somebody_acknowledged():
    system, lead = make_system(), make_contact("Ines")
    make_emergency_contact(system, lead, role="operations_lead")
    incident = services.acknowledge(make_incident(severity=1, systems=[system]), by=make_contact(), at=after(1))
    sweep_incidents(at=after(5))
    assert Message.objects.filter(kind="incident_activation", contact=lead).exists()
    assert clocks.of(incident)["activation"].state == DeadlineState.FIRED


def test_a_demand_opens_one_incident_and_is_answered():
    system = make_system()
    facts = {"title": "Evidence does not match", "severity": "SEV-2", "type": "security", "dedup_key": "e1"}
    for number in (1, 2):
        records.ask(
            topic="incident.open", key=f"e1:{number}", system=system, payload=facts,
            by="system: evidence", at=NOON, answer_by=after(5),
        )  # fmt: skip
    sweep_incidents(at=after(1))
    incident = Incident.objects.get()
    assert (incident.severity.code, incident.type, incident.declared_by) == ("SEV-2", "security", "system: evidence")
    assert {demand.answer["incident"] for demand in Demand.objects.all()} == {incident.reference}


def test_sweeping_twice_does_nothing_twice():
    incident = make_incident(severity=1)
    sweep_incidents(at=after(61))
    before = kinds(incident), Message.objects.count()
    assert sweep_incidents(at=after(61)) == 0
    assert (kinds(incident), Message.objects.count()) == before


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({}, "KeyError"),
        ({"title": "x", "severity": "SEV-9"}, "Severity matching query does not exist"),
        ({"title": "x", "level": "bad"}, "ValueError"),
        ({"title": " "}, "Give it a title"),
    ],
)
def test_a_demand_with_a_bad_payload_is_given_up_and_stops_nobody(payload, error):
    ask = partial(records.ask, topic=OPEN_TOPIC, by="system: tests", answer_by=NOON)
    ask(key="bad", payload=payload, at=NOON)
    ask(key="good", payload={"title": "Disk of db1 is full"}, at=NOON + timedelta(seconds=1))
    at = NOON
    for _ in range(30):
        sweep_incidents(at=at)
        at += timedelta(minutes=15)
    bad = Demand.objects.get(key="bad")
    assert (bad.tries, bad.answered_at) == (records.MOST_TRIES, None)
    assert bad.given_up_at is not None
    assert error in bad.error
    assert Incident.objects.get().title == "Disk of db1 is full"


def test_a_demand_may_name_a_level_instead_of_a_code():
    for number, (level, wanted) in enumerate([(2, 2), (1, 1), (7, 4)]):
        payload = {"title": "x", "level": level, "dedup_key": str(number)}
        records.ask(topic=OPEN_TOPIC, key=str(number), payload=payload, by="x", at=NOON, answer_by=NOON)
        sweep_incidents(at=NOON)
        assert Incident.objects.latest("id").severity.level == wanted
