"""Followers hear what happens, of what they may see, and of nothing else."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.communications import sending, subscribing
from incidents.models import Incident, Subscription
from incidents.policy import Refused
from incidents.sweeps import sweep_incidents
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.communications import list_member, make_draft
from tests.factories.directory import NOON, make_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def follower():
    user = make_user("petra", roles=["responder"])
    make_contact("Petra", user=user)
    return user


def heard():
    return list(
        Message.objects.filter(kind="incident_followed", lane="email").order_by("pk").values_list("title", flat=True)
    )


def test_a_follower_of_a_system_hears_of_its_incidents_from_the_declaration_to_the_end(follower):
    mail = make_system("mail")
    subscribing.follow(mail, by=follower, at=NOON)
    incident = make_incident(title="Slow", severity=2, systems=[mail], at=after(1))
    services.acknowledge(incident, by=BY, at=after(2))
    services.reclassify(incident, severity=make_severity(1), by=BY, at=after(3))
    services.record_update(incident, audience="stakeholders", text="Known.", by=BY, at=after(4))
    services.record_update(incident, audience="customers", text="Known.", by=BY, at=after(5))
    services.mitigate(incident, by=BY, at=after(6))
    services.resolve(incident, by=BY, at=after(7))
    sweep_incidents(at=after(8))
    words = [title.partition(", ")[2].partition(": Slow")[0] for title in heard()]
    assert words == [
        "declared SEV-2", "changed the severity from SEV-2 to SEV-1", "told stakeholders", "recorded the mitigation",
        "resolved",
    ]  # fmt: skip
    sweep_incidents(at=after(9))
    assert len(heard()) == 5


def test_an_ended_subscription_is_silent_and_stays_in_the_record(follower):
    incident = make_incident(severity=2)
    row = subscribing.follow(incident, by=follower, at=NOON)
    assert subscribing.follow(incident, by=follower, at=NOON) == row
    subscribing.stop(row, by=follower, at=after(1))
    services.acknowledge(incident, by=BY, at=after(2))
    services.mitigate(incident, by=BY, at=after(3))
    sweep_incidents(at=after(4))
    assert heard() == []
    assert Subscription.objects.get().ended_by == "petra"
    assert Subscription.history.count() == 2


def test_nobody_hears_of_what_they_did_or_were_sent_already(follower):
    incident = make_incident(severity=1)
    subscribing.follow(incident, by=follower, at=NOON)
    list_member("stakeholders", follower.contact)
    services.acknowledge(incident, by=follower, at=after(1))
    services.mitigate(incident, by=follower, at=after(2))
    sending.send(make_draft(incident, audience="stakeholders"), by=BY, at=after(3))
    sweep_incidents(at=after(4))
    assert heard() == []


def test_a_record_that_one_may_not_see_cannot_be_followed(monkeypatch):
    incident, system = make_incident(severity=2), make_system("mail")
    nobody = make_user("nora")
    with pytest.raises(Refused, match="There is no such incident that you may see"):
        subscribing.follow(incident, by=nobody, at=NOON)
    with pytest.raises(Refused, match="There is no such system that you may see"):
        subscribing.follow(system, by=nobody, at=NOON)
    responder = make_user("rita", roles=["responder"])
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda _cls, _user: [str(incident.pk)]), raising=False)
    with pytest.raises(Refused, match="There is no such incident that you may see"):
        subscribing.follow(incident, by=responder, at=NOON)
    assert not Subscription.objects.exists()


def test_a_restricted_incident_leaks_to_no_follower(follower, monkeypatch):
    mail = make_system("mail")
    subscribing.follow(mail, by=follower, at=NOON)
    shown, secret = make_incident(systems=[mail]), make_incident(title="Secret", systems=[mail])
    subscribing.follow(secret, by=follower, at=NOON)
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda _cls, _user: [str(secret.pk)]), raising=False)
    sweep_incidents(at=after(1))
    assert len(heard()) == 1
    assert shown.reference in heard()[0]
    assert [row.system for row in Subscription.objects.visible_to(follower)] == [mail]


@pytest.mark.parametrize("lost", ["is_active", "role"])
def test_whoever_lost_the_right_to_see_hears_no_more(follower, lost):
    mail = make_system("mail")
    subscribing.follow(mail, by=follower, at=NOON)
    make_incident(systems=[mail])
    if lost == "role":
        follower.groups.clear()
    else:
        follower.is_active = False
        follower.save()
    sweep_incidents(at=after(1))
    assert heard() == []


def test_only_its_owner_ends_a_subscription(follower):
    row = subscribing.follow(make_incident(), by=follower, at=NOON)
    with pytest.raises(Refused, match="Only its owner"):
        subscribing.stop(row, by=make_user("olaf", roles=["responder"]), at=NOON)
