"""Pages that come again: to the same people, after a reopening, by hand. None is lost, and none is sent twice over."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.sweeps import sweep_incidents
from portal.directory.models import Contact
from portal.notify import services as notify
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_system
from tests.factories.incidents import make_incident, make_policy
from tests.factories.notify import Clock

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def mails(incident, name):
    return Message.objects.filter(about_id=incident.pk, lane="email", contact__name=name)


def secured(lead="Sec"):
    system = make_system()
    make_emergency_contact(system, make_contact(lead), role="security_lead")
    return system


def test_the_security_lead_is_paged_each_time_that_it_becomes_a_security_incident():
    incident = make_incident(severity=3, systems=[secured()])
    for minute, kind in enumerate(("security", "operational", "security")):
        services.set_type(incident, type=kind, by=BY, at=after(minute * 60))
    assert records.timeline(incident).filter(text="paged Sec (Security Lead)").count() == 2
    assert mails(incident, "Sec").count() == 2


def test_a_security_incident_that_its_source_opens_again_pages_the_security_lead_again():
    incident = make_incident(severity=3, systems=[secured()], type="security", dedup_key="k")
    services.resolve_by_source(incident, by=BY, at=after(60))
    services.reopen_by_source(incident, by=BY, at=after(120))
    assert records.timeline(incident).filter(text="paged Sec (Security Lead)").count() == 2
    assert mails(incident, "Sec").filter(state="pending").count() == 1


def test_steps_without_a_wait_between_them_are_one_step_by_hand():
    make_policy(
        default=True, steps=[make_contact("Ada"), make_contact("Bo"), (0, make_contact("Cy")), make_contact("Di")]
    )
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    services.acknowledge(incident, by=BY, at=after(10))
    services.escalate(incident, by=BY, at=after(20))
    assert [mails(incident, name).count() for name in ("Ada", "Bo", "Cy", "Di")] == [1, 1, 1, 0]
    services.escalate(incident, by=BY, at=after(30))
    assert [mails(incident, name).count() for name in ("Ada", "Bo", "Cy", "Di")] == [1, 1, 1, 1]


def test_a_page_by_name_and_a_step_by_hand_at_the_same_moment_are_two_pages():
    make_policy(default=True, steps=[make_contact("Bo"), make_contact("Ada")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    services.page_person(incident, contact=Contact.objects.get(name="Ada"), by=BY, at=after(10))
    services.escalate(incident, by=BY, at=after(10))
    assert mails(incident, "Ada").count() == 2


def test_a_zone_that_this_machine_does_not_know_keeps_nobody_from_being_paged():
    make_policy(default=True, steps=[[make_contact("Ada", time_zone="Mars/Olympus_Mons"), make_contact("Bo")]])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    assert [mails(incident, name).count() for name in ("Ada", "Bo")] == [1, 1]


def test_a_deadline_is_told_to_somebody_whose_zone_is_not_known():
    incident = make_incident(severity=1)
    services.acknowledge(incident, by=make_contact("Ada", time_zone="Mars/Olympus_Mons"), at=NOON)
    sweep_incidents(at=after(301))
    assert mails(incident, "Ada").filter(kind="incident_missed").count() == 1


def test_somebody_paged_in_every_round_gets_one_repeating_page_and_not_one_for_each():
    make_policy(default=True, repeat=3, final_wait_seconds=300, steps=[make_contact("Ada")])
    incident = make_incident(severity=3)
    delivered = []
    for seconds in range(0, 1800, 60):
        clock = Clock(after(seconds))
        sweep_incidents(at=after(seconds))
        waiting = mails(incident, "Ada").filter(state="pending", next_attempt_at__lte=after(seconds))
        delivered += [(seconds, message.pk) for message in waiting]
        notify.send_lane("email", now=clock)
    moments = [seconds for seconds, _ in delivered]
    assert moments == sorted(set(moments))
