"""Escalation: who is paged when, on a snapshot, until somebody answers or nobody is left."""

from datetime import timedelta

import pytest

from incidents import escalation, services
from incidents.models import Escalation
from incidents.policy import Refused
from incidents.sweeps import sweep_incidents
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_channel,
    make_contact,
    make_emergency_contact,
    make_system,
    make_team,
)
from tests.factories.incidents import make_incident, make_policy

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def paged(incident):
    rows = Message.objects.filter(about_id=incident.pk, kind="incident_page").exclude(lane="inbox").order_by("id")
    return [str(row.contact or row.channel) for row in rows]


def pages(incident):
    return records.timeline(incident).filter(kind="paged").order_by("id")


def test_step_two_is_due_from_step_one_and_not_from_the_sweep():
    make_policy(default=True, steps=[make_contact("Ada"), (300, make_contact("Bo"))])
    incident = make_incident(severity=3)
    sweep_incidents(at=after(20))
    assert Deadline.objects.get(kind="incident.escalation", state="pending").due_at == after(300)
    sweep_incidents(at=after(299))
    assert paged(incident) == ["Ada"]
    sweep_incidents(at=after(300))
    assert paged(incident) == ["Ada", "Bo"]


def test_nobody_is_paged_after_an_acknowledgement():
    make_policy(default=True, steps=[make_contact("Ada"), make_contact("Bo")])
    incident = make_incident(severity=3)
    sweep_incidents(at=after(1))
    services.acknowledge(incident, by=make_contact(), at=after(60))
    sweep_incidents(at=after(3600))
    assert paged(incident) == ["Ada"]
    assert not Message.objects.filter(about_id=incident.pk, state__in=["pending", "failed"]).exists()


def test_after_an_outage_missed_steps_page_once_and_not_as_a_storm():
    make_policy(default=True, repeat=2, steps=[make_contact("Ada"), make_contact("Bo"), make_contact("Cy")])
    incident = make_incident(severity=3)
    sweep_incidents(at=after(601))
    assert paged(incident) == ["Ada", "Bo", "Cy"]
    assert pages(incident).count() == 1
    assert Deadline.objects.get(kind="incident.escalation", state="pending").due_at == after(900)


def test_steps_repeat_and_then_the_administrators_are_the_last_resort():
    make_contact("Root", user=make_user("root", is_superuser=True))
    make_policy(default=True, repeat=1, final_wait_seconds=60, steps=[make_contact("Ada")])
    incident = make_incident(severity=3)
    for seconds in (0, 60, 120):
        sweep_incidents(at=after(seconds))
    assert paged(incident) == ["Ada", "Ada"]
    view = escalation.state_of(incident)
    assert view.exhausted
    assert Message.objects.filter(kind="incident_exhausted", contact__name="Root").exists()


def test_a_policy_without_steps_goes_to_the_administrators_at_once():
    make_contact("Root", user=make_user("root", is_superuser=True))
    make_policy(default=True)
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    assert escalation.state_of(incident).exhausted
    assert Message.objects.filter(contact__name="Root", lane="email").count() == 1


def test_a_step_that_reaches_nobody_reaches_the_administrators_and_says_why():
    make_contact("Root", user=make_user("root", is_superuser=True))
    gone, silent = make_contact("Gone"), make_contact("Silent", reachable=False)
    make_policy(default=True, steps=[[gone, silent, make_team("empty")]])
    gone.active = False
    gone.save()
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    note = pages(incident).get()
    assert note.text == "paged Root (administrator, the last resort)"
    assert "Gone has left." in note.detail
    assert "Silent has no verified contact method." in note.detail
    assert "Nobody is on call for Empty." in note.detail


def test_the_backup_of_a_role_is_paged_when_its_holder_cannot_be():
    system = make_system()
    make_emergency_contact(
        system, make_contact("Ada", reachable=False), role="primary_owner", backup=make_contact("Bo")
    )
    make_policy(default=True, steps=["primary_owner"])
    incident = make_incident(severity=3, systems=[system])
    sweep_incidents(at=NOON)
    assert paged(incident) == ["Bo"]


def test_a_channel_is_told_without_a_secret_link():
    make_policy(default=True, steps=[make_channel("#ops")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    message = Message.objects.get(channel__name="#ops")
    assert paged(incident) == ["#ops"]
    assert message.action_path == ""
    assert "{action_link}" not in message.body


def test_editing_a_policy_never_bends_an_escalation_that_runs():
    policy = make_policy(default=True, steps=[make_contact("Ada"), make_contact("Bo")])
    incident = make_incident(severity=3)
    target = policy.steps.get(position=2).targets.get()
    target.contact = make_contact("Cy")
    target.save()
    policy.version += 1
    policy.save()
    sweep_incidents(at=after(400))
    assert paged(incident) == ["Ada", "Bo"]
    assert escalation.state_of(incident).changed_since


def test_the_policy_of_a_system_goes_before_the_default_and_security_before_both():
    system = make_system()
    make_policy("default", default=True)
    own = make_policy("own", systems=[system])
    assert escalation.choose_policy([system], security=False) == own
    assert escalation.choose_policy([system], security=True).for_security
    assert escalation.choose_policy([], security=False).name == "default"


def test_escalating_by_hand_takes_the_next_step_and_moves_its_timer():
    make_policy(default=True, steps=[make_contact("Ada"), make_contact("Bo"), make_contact("Cy")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    services.escalate(incident, by=make_contact("Mei"), at=after(30))
    assert paged(incident) == ["Ada", "Bo"]
    assert Deadline.objects.get(kind="incident.escalation", state="pending").due_at == after(330)


def test_escalating_by_hand_after_an_acknowledgement_takes_one_step_and_arms_no_timer():
    make_policy(default=True, steps=[make_contact("Ada"), make_contact("Bo"), make_contact("Cy")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    services.acknowledge(incident, by=make_contact(), at=after(10))
    services.escalate(incident, by=make_contact(), at=after(20))
    services.escalate(incident, by=make_contact(), at=after(30))
    assert paged(incident) == ["Ada", "Bo", "Cy"]
    assert not Deadline.objects.filter(kind="incident.escalation", state="pending").exists()
    assert Escalation.objects.get(incident=incident).state == "stopped"


def test_a_closed_incident_is_not_escalated():
    incident = services.cancel(make_incident(), by=make_contact(), at=NOON)
    with pytest.raises(Refused, match="Reopen it"):
        services.escalate(incident, by=make_contact(), at=NOON)


def test_a_timer_of_an_older_generation_pages_nobody():
    make_policy(default=True, steps=[make_contact("Ada")])
    incident = make_incident(severity=3)
    incident.generation += 1
    incident.save()
    sweep_incidents(at=NOON)
    assert paged(incident) == []


def test_pages_repeat_until_acknowledged_but_not_when_somebody_has():
    make_policy(default=True, steps=[make_contact("Ada")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    assert Message.objects.get(contact__name="Ada").repeat_seconds == 300
    services.acknowledge(incident, by=make_contact(), at=after(5))
    services.page_person(incident, contact=make_contact("Bo"), by=make_contact(), at=after(6))
    assert Message.objects.get(contact__name="Bo").repeat_seconds is None


def test_a_hundred_escalations_need_no_more_queries_than_one(django_assert_max_num_queries):
    make_policy(
        default=True, steps=[[make_team("oncall", on_call=make_contact("Ada")), "primary_owner"], make_contact()]
    )
    for _ in range(100):
        make_incident(severity=3, systems=[make_system()])
    with django_assert_max_num_queries(60):
        sweep_incidents(at=NOON)
    assert Message.objects.filter(kind="incident_page").exclude(lane="inbox").count() == 100
