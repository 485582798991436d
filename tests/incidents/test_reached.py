"""Being reached: each by their own rules, quiet hours that SEV-1 ignores, and nobody left unheard."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.sweeps import sweep_incidents
from portal.directory import reaching
from portal.notify import sending
from portal.notify import services as notify
from portal.notify.channels import DeliveryError
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_channel, make_contact, make_method, make_system, make_team
from tests.factories.incidents import make_incident, make_policy
from tests.factories.notify import Clock, FakeChannel

pytestmark = pytest.mark.django_db
WHO = {"by": "test", "at": NOON, "reason": "A test"}
ASLEEP = {"quiet_from": "11:00", "quiet_until": "15:00", "time_zone": "UTC"}


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def pages(incident):
    rows = Message.objects.filter(about_id=incident.pk).exclude(lane="inbox").order_by("due_at", "id")
    return [(str(row.contact or row.channel), row.lane, (row.due_at - NOON).total_seconds()) for row in rows]


def person(name, **fields):
    contact = make_contact(name, **fields)
    sms = make_method(contact, kind="sms")
    mail = contact.methods.get(kind="email")
    reaching.set_rules(contact, "usual", [(mail.pk, 0), (sms.pk, 600)], **WHO)
    reaching.set_rules(contact, "loud", [(sms.pk, 0), (mail.pk, 0)], **WHO)
    return contact


def lines(incident, kind):
    return list(records.timeline(incident).filter(kind=kind).values_list("text", "detail"))


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        (1, [("Ada", "sms", 0), ("Ada", "email", 0)]),
        (2, [("Ada", "sms", 0), ("Ada", "email", 0)]),
        (3, [("Ada", "email", 0), ("Ada", "sms", 600)]),
    ],
)
def test_the_severity_chooses_between_the_usual_and_the_loud_rules(severity, expected):
    make_policy(default=True, steps=[person("Ada")])
    incident = make_incident(severity=severity)
    sweep_incidents(at=NOON)
    assert pages(incident) == expected


def test_acknowledging_cancels_the_ways_that_were_still_to_come():
    make_policy(default=True, steps=[person("Ada")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    assert notify.oldest_unsent_seconds(at=after(500)) == 500.0  # the mail; the text message is not due
    services.acknowledge(incident, by=make_contact(), at=after(60))
    assert set(Message.objects.exclude(lane="inbox").values_list("state", flat=True)) == {"cancelled"}


def test_a_further_round_does_not_put_off_the_way_that_waits():
    make_policy(default=True, repeat=5, final_wait_seconds=240, steps=[person("Ada")])
    incident = make_incident(severity=3)
    for seconds in range(0, 600, 240):
        sweep_incidents(at=after(seconds))
    texted = Message.objects.filter(about_id=incident.pk, lane="sms").exclude(state="cancelled")
    assert [row.due_at for row in texted] == [after(600)]


def test_a_way_that_fails_brings_the_next_one_forward(monkeypatch):
    mail, text = FakeChannel(), FakeChannel()
    mail.fail = DeliveryError("Later.")
    monkeypatch.setattr(sending, "CHANNELS", {"email": mail, "sms": text})
    make_policy(default=True, steps=[person("Ada")])
    make_incident(severity=3)
    sweep_incidents(at=NOON)
    for lane in ("email", "sms"):
        notify.send_lane(lane, now=Clock(after(1)))
    assert len(text.parcels) == 1


def test_quiet_hours_hold_the_page_and_not_the_escalation_and_the_timeline_says_so():
    make_policy(default=True, steps=[make_contact("Ada", **ASLEEP), (300, make_contact("Bo"))])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    sweep_incidents(at=after(300))
    ((_, first), _) = sorted(lines(incident, "paged"))
    assert "Ada has quiet hours: the page waits until Tue 17 Nov 2026, 15:00:00 UTC, the escalation does not." in first
    notify.send_lane("email", now=Clock(after(301)))
    states = dict(Message.objects.filter(about_id=incident.pk, lane="email").values_list("contact__name", "state"))
    assert states == {"Ada": "pending", "Bo": "sent"}


@pytest.mark.parametrize(("severity", "state"), [(1, "sent"), (2, "pending")])
def test_what_is_severest_ignores_quiet_hours(severity, state):
    make_policy(default=True, steps=[make_contact("Ada", **ASLEEP)])
    incident = make_incident(severity=severity)
    sweep_incidents(at=NOON)
    notify.send_lane("email", now=Clock(after(1)))
    assert Message.objects.get(about_id=incident.pk, lane="email", kind="incident_page", repeat_number=0).state == state


def test_the_last_resort_is_woken():
    make_contact("Root", user=make_user("root", is_superuser=True), **ASLEEP)
    make_policy(default=True)
    make_incident(severity=4)
    sweep_incidents(at=NOON)
    notify.send_lane("email", now=Clock(after(1)))
    assert Message.objects.get(contact__name="Root", lane="email", repeat_number=0).state == "sent"


def test_somebody_on_call_whom_nothing_reaches_is_not_waited_for_and_that_is_said_loudly():
    team = make_team("night", on_call=make_contact("Ada", reachable=False))
    make_policy(default=True, steps=[[team, make_channel("#ops")], make_contact("Bo"), make_contact("Cy")])
    incident = make_incident(severity=3)
    sweep_incidents(at=NOON)
    assert {name for name, _, _ in pages(incident)} == {"#ops", "Bo"}
    ((text, detail),) = lines(incident, "unreached")
    assert text == "could not reach Ada: no verified contact method"
    assert "paged at once" in detail
    sweep_incidents(at=after(300))
    assert ("Cy", "email", 300) in pages(incident)


def test_when_no_step_of_the_round_reaches_a_person_the_administrators_are_paged_at_once():
    make_contact("Root", user=make_user("root", is_superuser=True))
    make_policy(default=True, steps=[make_contact("Ada", reachable=False), (300, make_contact("Bo", reachable=False))])
    incident = make_incident(severity=3, systems=[make_system()])
    sweep_incidents(at=NOON)
    assert {name for name, _, _ in pages(incident)} == {"Root"}
    assert lines(incident, "unreached")[0][0] == "could not reach Ada and Bo: no verified contact method"
