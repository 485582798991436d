"""An acknowledgement that shows no sign of work is taken back, after a warning, and the incident escalates anew."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.models import Incident
from incidents.sweeps import sweep_incidents
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON, make_contact
from tests.factories.incidents import make_incident, make_policy

pytestmark = pytest.mark.django_db


def after(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def ada():
    return make_contact("Ada")


@pytest.fixture
def acknowledged(ada):
    make_policy(default=True, steps=[make_contact("Bo"), make_contact("Cy")], acknowledgement_minutes=30)
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    return services.acknowledge(incident, by=ada, at=after(1))


def mails(kind, **fields):
    return [str(row.contact) for row in Message.objects.filter(kind=kind, lane="email", **fields).order_by("id")]


def pending():
    return list(Deadline.objects.filter(kind="incident.acknowledgement", state="pending").values_list("due_at", "key"))


def test_whoever_acknowledged_is_warned_and_then_it_escalates_anew(acknowledged):
    sweep_incidents(at=after(20))
    assert mails("incident_expiring") == []
    sweep_incidents(at=after(21))
    assert mails("incident_expiring") == ["Ada"]
    assert "before Tue 17 Nov 2026, 12:31:00" in Message.objects.get(kind="incident_expiring", lane="email").body
    sweep_incidents(at=after(31))
    incident = Incident.objects.get(pk=acknowledged.pk)
    assert (incident.status, incident.acknowledged_at, incident.acknowledged_by) == ("declared", None, "")
    assert incident.generation == acknowledged.generation + 1
    sweep_incidents(at=after(31))
    assert mails("incident_page", state="pending", repeat_number=0) == ["Bo"]
    note = records.timeline(incident).get(kind="expired")
    assert (note.actor_name, note.detail) == (
        "system: escalation",
        "Ada acknowledged, and no person wrote a line for 30 min. The escalation begins anew.",
    )
    assert pending() == []


def test_it_can_be_acknowledged_again_and_expires_again(acknowledged, ada):
    for minute in (21, 31):
        sweep_incidents(at=after(minute))
    services.acknowledge(acknowledged, by=ada, at=after(40))
    for minute in (60, 70):
        sweep_incidents(at=after(minute))
    assert records.timeline(acknowledged).filter(kind="expired").count() == 2


def test_a_line_of_a_person_is_a_sign_of_work_and_one_of_the_portal_is_none(acknowledged, ada):
    services.add_note(acknowledged, text="Looking.", by=ada, at=after(15))
    services.add_note(acknowledged, text="Still fires.", by="system: intake", at=after(18))
    sweep_incidents(at=after(21))
    assert mails("incident_expiring") == []
    assert pending() == [(after(35), "2.warn")]
    sweep_incidents(at=after(35))
    services.add_note(acknowledged, text="Found it.", by=ada, at=after(40))
    sweep_incidents(at=after(45))
    assert Incident.objects.get(pk=acknowledged.pk).status == "acknowledged"
    assert pending() == [(after(60), "3.warn")]


@pytest.mark.parametrize("verb", ["mitigate", "resolve", "cancel"])
def test_what_goes_on_or_is_over_does_not_expire(acknowledged, ada, verb):
    getattr(services, verb)(acknowledged, by=ada, at=after(10))
    for minute in (21, 31, 60, 90):
        sweep_incidents(at=after(minute))
    assert not records.timeline(acknowledged).filter(kind="expired").exists()
    assert pending() == []


def test_without_a_time_in_the_policy_it_holds_for_good_whatever_is_edited_later(ada):
    policy = make_policy(default=True, steps=[make_contact("Bo")])
    incident = make_incident(severity=3)
    policy.acknowledgement_minutes = 5
    policy.save()
    services.acknowledge(incident, by=ada, at=NOON)
    assert pending() == []


def test_reopened_by_hand_it_holds_as_an_acknowledgement_does(acknowledged, ada):
    services.resolve(acknowledged, by=ada, at=after(5))
    services.reopen(acknowledged, by=ada, at=after(10), reason="It hurts again")
    assert pending() == [(after(30), "1.warn")]


def test_a_warning_that_comes_late_leaves_its_time_to_answer(acknowledged):
    sweep_incidents(at=after(90))
    assert mails("incident_expiring") == ["Ada"]
    assert pending() == [(after(100), "1.expire")]
    sweep_incidents(at=after(100))
    assert records.timeline(acknowledged).filter(kind="expired").count() == 1
