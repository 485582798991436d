"""One incident out of two and two out of one: what follows, what stops, and what is refused."""

from datetime import timedelta

import pytest

from incidents import clocks, services
from incidents.enums import Status
from incidents.intake.receiving import receive
from incidents.models import Alert, Incident, Responder
from incidents.policy import Refused
from incidents.selectors.related import related_to, words_of
from incidents.sweeps import sweep_incidents
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Period
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.incidents import make_incident, make_policy, make_token

pytestmark = pytest.mark.django_db
WHY = {"by": "test", "at": NOON, "reason": "The same disk"}


def post(secret, key, status="firing", at=NOON):
    body = f'{{"key": "{key}", "status": "{status}", "title": "{key} fires", "severity": "high"}}'
    return receive(secret, body.encode(), content_type="application/json", address="192.0.2.1", at=at)


@pytest.fixture
def source():
    return make_token("prometheus", kind="json")


def test_what_follows_and_what_stops():
    ada, mail, desk = make_contact("Ada"), make_system("mail"), make_system("desk")
    make_policy(steps=[[ada]], default=True)
    survivor, twin = make_incident(systems=[mail]), make_incident(systems=[desk])
    services.add_responder(twin, contact=ada, by="test", at=NOON)
    services.add_note(twin, text="The disk is full", by="test", at=NOON)
    services.merge(twin, into=survivor, **WHY)
    twin = Incident.objects.get(pk=twin.pk)
    assert (twin.status, twin.merged_into, twin.merged_by) == (Status.MERGED, survivor, "test")
    assert Responder.objects.filter(incident=survivor, contact=ada).exists()
    assert set(survivor.systems.all()) == {mail, desk}
    assert {row.state for row in clocks.of(twin).values()} == {"cancelled"}
    assert not Message.objects.filter(about_id=twin.pk, state="pending").exists()
    assert not Period.objects.filter(record_id=twin.pk, ends=None).exists()
    assert Period.objects.filter(record_id=survivor.pk, ends=None).count() == 2
    assert records.timeline(twin).filter(kind="note").count() == 1  # a line is never moved


def test_the_survivor_shows_both_timelines_and_the_other_one_points_to_it(client):
    user = make_user("amara", roles=["responder"])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    survivor, twin = make_incident(title="Mail stands"), make_incident(title="Mail is slow")
    services.add_note(twin, text="The disk is full", by=user, at=NOON)
    sent = {"once": "8f6c9f0e-6b5e-4b8b-9a39-0d3b1a4f5a11", "into": "INC-999999", "reason": "The same disk"}
    address = f"{twin.get_absolute_url()}merge/"
    assert "no such incident" in client.post(address, sent).content.decode()
    assert client.post(address, {**sent, "into": survivor.reference}).status_code == 302
    room = client.get(survivor.get_absolute_url()).content.decode()
    assert "The disk is full" in room
    assert twin.reference in room
    assert survivor.get_absolute_url() in client.get(twin.get_absolute_url()).content.decode()
    refused = client.post(f"{twin.get_absolute_url()}acknowledge/", {"once": "8f6c9f0e-6b5e-4b8b-9a39-0d3b1a4f5a12"})
    assert refused.status_code == 422


def test_a_chain_leads_to_the_last_one():
    first, second, third = make_incident(), make_incident(), make_incident()
    services.merge(first, into=second, **WHY)
    services.merge(third, into=Incident.objects.get(pk=first.pk), **WHY)
    last = make_incident()
    services.merge(second, into=last, **WHY)
    assert {row.merged_into for row in Incident.objects.filter(status=Status.MERGED)} == {last}


def test_what_is_refused():
    one, other, over = make_incident(), make_incident(), make_incident()
    services.cancel(over, by="test", at=NOON, reason="Twice")
    secret = services.restrict(make_incident(), by="test", at=NOON, reason="Personal")
    for duplicate, into, sentence in (
        (one, one, "the same incident"),
        (one, over, "is cancelled"),
        (over, one, "cannot merge"),
        (secret, one, "restricted"),
    ):
        with pytest.raises(Refused, match=sentence):
            services.merge(Incident.objects.get(pk=duplicate.pk), into=into, **WHY)
    with pytest.raises(Refused, match="how you know"):
        services.merge(one, into=other, by="test", at=NOON)
    services.merge(one, into=other, **WHY)
    with pytest.raises(Refused, match="the same incident"):  # what one was merged into
        services.merge(other, into=one, **WHY)


def test_what_the_source_says_later_reaches_the_survivor(source):
    _, secret = source
    survivor, twin = (post(secret, key).incident for key in ("disk", "mail"))
    services.merge(twin, into=survivor, **WHY)
    assert post(secret, "mail").incident == survivor
    assert Alert.objects.filter(incident=survivor, firing=True).count() == 2
    assert post(secret, "mail", "resolved").status == "noted"
    assert Incident.objects.get(pk=survivor.pk).is_open
    assert post(secret, "disk", "resolved").status == "resolved"
    later = NOON + timedelta(minutes=5)
    assert post(secret, "mail", at=later).status == "reopened"
    assert Incident.objects.count() == 2


def test_what_people_declared_is_not_resolved_by_a_source(source):
    _, secret = source
    twin, survivor = post(secret, "disk").incident, make_incident()
    services.merge(twin, into=survivor, **WHY)
    found = post(secret, "disk", "resolved")
    assert (found.status, found.incident) == ("noted", survivor)


def test_an_alert_that_is_split_off_takes_its_key_along(source):
    _, secret = source
    old = post(secret, "disk").incident
    note = services.add_note(old, text="Another matter", by="test", at=NOON)
    alert = old.alerts.get()
    made = services.split_off(
        old, title="The disk", severity=old.severity, notes=[note], alerts=[alert], by="test", at=NOON, reason="Apart"
    )
    assert post(secret, "disk").incident == made
    assert "Another matter" in made.description
    assert records.timeline(old).get(kind="split").detail == "Quoted there: 1 line. Handed over: 1 alert."
    assert [linked.record for linked in records.links_of(made, user=make_user(roles=["responder"]))] == [old]
    with pytest.raises(Refused, match="at least one"):
        services.split_off(old, title="x", severity=old.severity, by="test", at=NOON, reason="Apart")


def test_what_is_split_off_a_restricted_incident_is_restricted():
    old = services.restrict(make_incident(), by="test", at=NOON, reason="Personal")
    note = services.add_note(old, text="Another matter", by="test", at=NOON)
    made = services.split_off(old, title="x", severity=old.severity, notes=[note], by="test", at=NOON, reason="Apart")
    assert made.restricted


def test_related_is_what_shares_a_system_or_words_within_a_week_and_may_be_seen():
    mail, user = make_system("mail"), make_user(roles=["responder"])
    about = make_incident(title="Attachments fail for everybody", systems=[mail])
    same = make_incident(title="Attachments fail again", systems=[mail])
    words = make_incident(title="Attachments fail elsewhere")
    make_incident(title="Nothing alike")
    make_incident(title="Attachments fail long ago", systems=[mail], at=NOON - timedelta(days=9))
    services.restrict(make_incident(title="Attachments fail", systems=[mail]), by="test", at=NOON, reason="Personal")
    assert [found.incident for found in related_to(about, user=user)] == [same, words]
    assert words_of("The mail is at a stop, mail!") == ["mail", "stop"]


def test_an_alert_that_may_be_split_off_is_offered_with_its_source_and_whether_it_fires(client, source):
    _, secret = source
    incident = post(secret, "disk").incident
    client.force_login(make_user("amara", roles=["responder"]), backend="django.contrib.auth.backends.ModelBackend")
    assert "disk fires (prometheus, firing)" in client.get(f"{incident.get_absolute_url()}split/").content.decode()


def merged(*, severity=2, into=2, by="test", ack="", **fields):
    """Ada has a duplicate of an incident that pages Bo; return both after merging, and Ada."""
    ada, bo = make_contact("Ada", user=make_user("ada")), make_contact("Bo")
    make_policy(steps=[[bo], [bo]], default=True, acknowledgement_minutes=30)
    survivor, twin = make_incident(severity=into, **fields), make_incident(severity=severity)
    sweep_incidents(at=NOON)
    services.acknowledge(twin, by=ada, at=NOON)
    if ack:
        services.acknowledge(survivor, by=bo, at=NOON)
    later = NOON + timedelta(minutes=2)
    services.merge(twin, into=survivor, by=ada if by == "ada" else by, at=later, reason="The same disk")
    sweep_incidents(at=NOON + timedelta(minutes=6))
    return Incident.objects.get(pk=twin.pk), Incident.objects.get(pk=survivor.pk), ada


def pages_of(incident, at=NOON + timedelta(minutes=6)):
    return Message.objects.filter(about_id=incident.pk, kind="incident_page", lane="email", created_at=at).count()


@pytest.mark.parametrize("into", [2, 3])
def test_whoever_has_the_duplicate_has_the_survivor_and_nobody_is_paged_on(into):
    twin, survivor, ada = merged(into=into)
    assert (survivor.status, survivor.acknowledged_by) == (Status.ACKNOWLEDGED, f"Ada, for {twin.reference}")
    assert survivor.acknowledged_at == NOON + timedelta(minutes=2)
    assert clocks.of(survivor)["response"].state == "met"
    assert pages_of(survivor) == 0
    assert not Message.objects.filter(about_id=survivor.pk, kind="incident_page", state="pending").exists()
    line = records.timeline(survivor).get(kind="acknowledged")
    assert (line.actor_name, line.text) == ("test", f"counted it as acknowledged by Ada, who has {twin.reference}")
    assert line.detail.startswith("Escalation stopped.")
    assert Responder.objects.filter(incident=survivor, contact=ada).exists()
    told = Message.objects.get(kind="incident_merged", lane="email")
    assert (told.contact, told.about_id) == (ada, survivor.pk)
    assert "counts as acknowledged by you: nobody else is paged for it" in told.body
    sweep_incidents(at=NOON + timedelta(minutes=22))
    assert Message.objects.filter(kind="incident_expiring", lane="email", contact=ada, about_id=survivor.pk).exists()


@pytest.mark.parametrize("fields", [{"into": 1}, {"type": "security"}])
def test_people_are_paged_on_for_a_graver_survivor_that_nobody_has_seen(fields):
    twin, survivor, ada = merged(**fields)
    assert (survivor.status, survivor.acknowledged_at) == (Status.DECLARED, None)
    if "into" in fields:
        assert pages_of(survivor) == 1
    assert Responder.objects.filter(incident=survivor, contact=ada).exists()
    assert not Message.objects.filter(kind="incident_merged").exists()
    assert (
        records.timeline(survivor)
        .get(kind="merged")
        .detail.endswith(
            f"Ada acknowledged {twin.reference}, which is less grave than this one, and is a responder here. "
            "Nobody has acknowledged this one, so its escalation goes on."
        )
    )


def test_whoever_merges_what_they_acknowledged_has_seen_both_and_is_told_nothing():
    _, survivor, _ = merged(into=1, by="ada")
    assert survivor.status == Status.ACKNOWLEDGED
    assert not Message.objects.filter(kind="incident_merged").exists()


def test_an_acknowledged_survivor_stays_with_whoever_has_it():
    _, survivor, _ = merged(ack="Bo")
    assert survivor.acknowledged_by == "Bo"
    assert not Message.objects.filter(kind="incident_merged").exists()


def test_a_carried_acknowledgement_is_carried_on():
    _, survivor, _ = merged()
    last = make_incident(severity=2)
    services.merge(survivor, into=last, **WHY)
    assert Incident.objects.get(pk=last.pk).acknowledged_by == f"Ada, for {survivor.reference}"


def test_what_a_source_or_somebody_who_left_acknowledged_leaves_the_escalation_running():
    ada = make_contact("Ada")
    for by in ("source: Events", ada):
        twin, survivor = make_incident(), make_incident()
        services.acknowledge(twin, by=by, at=NOON)
        if by == ada:
            ada.active = False
            ada.save()
        services.merge(twin, into=survivor, **WHY)
        assert Incident.objects.get(pk=survivor.pk).status == Status.DECLARED


def test_whoever_has_the_survivor_is_told_that_nobody_is_paged_for_the_duplicate_any_more():
    ada = make_contact("Ada", user=make_user("ada"))
    make_policy(steps=[[make_contact("Bo")]], default=True)
    survivor, twin = make_incident(severity=3), make_incident(severity=1)
    services.acknowledge(survivor, by=ada, at=NOON)
    services.merge(twin, into=survivor, **WHY)
    told = Message.objects.get(kind="incident_merged", lane="email")
    assert told.contact == ada
    assert f"people were being paged for {twin.reference} (SEV-1" in told.body
    assert (
        records.timeline(survivor)
        .get(kind="merged")
        .detail.endswith(
            "It was SEV-1: raise the severity of this one if it is as bad. "
            f"People were being paged for {twin.reference} and are no more: Ada has acknowledged this one."
        )
    )


def test_the_title_of_a_restricted_duplicate_is_told_to_nobody_who_may_not_read_it():
    ada = make_contact("Ada", user=make_user("ada"))
    make_policy(steps=[[make_contact("Bo")]], default=True)
    survivor, twin = make_incident(), make_incident(title="Somebody took the payroll")
    services.acknowledge(survivor, by=ada, at=NOON)
    for row in (survivor, twin):
        services.restrict(row, by="test", at=NOON, reason="Personal")
    services.merge(twin, into=Incident.objects.get(pk=survivor.pk), **WHY)
    told = Message.objects.get(kind="incident_merged", lane="email")
    assert twin.reference in told.body
    assert "payroll" not in told.body + told.title
