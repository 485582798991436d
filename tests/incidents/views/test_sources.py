"""Sources are listed with how they stand, tried without a trace, and changed by verbs that ask why."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from incidents.enums import TopicState
from incidents.intake import receiving, signing, subscriptions
from incidents.models import Heartbeat, Incident, IntakeDelivery, IntakeSecret, PayloadLine, TopicSubscription
from incidents.policy import Refused
from portal.audit.models import TrailRow
from tests.factories.accounts import confirm, make_user
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_mapping, make_token
from tests.factories.payloads import body
from tests.factories.sources import REASON, asking, certificate, make_topic

pytestmark = pytest.mark.django_db
LIST, TRY = "/sources/", "/sources/try/"


def signed_in(*roles):
    client = Client()
    client.force_login(make_user(roles=roles), backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def act(token, verb, part=None):
    address = reverse("incidents:act-on-source", args=[token.pk, verb])
    return address if part is None else f"{address}?of={part.pk}"


def stands():
    return [
        *(list(model.objects.order_by("pk").values()) for model in (Incident, IntakeDelivery, TopicSubscription)),
        TrailRow.objects.count(),
    ]


def test_the_list_says_how_each_source_stands():
    client = signed_in("responder")
    assert "No source yet" in page(client, LIST)
    make_token("Fresh")
    _, secret = make_token("Prometheus")
    receiving.receive(secret, b"{", content_type="", address="", at=NOON)
    beat = make_token("Backup", kind="heartbeat")[0]
    Heartbeat.objects.create(token=beat, last_at=NOON, silent_since=NOON)
    make_topic(make_token("CloudWatch", kind="sns")[0], state=TopicState.WAITING)
    make_token("Gone", revoked_at=NOON, revoked_by="Amara")
    shown = page(client, LIST)
    for words in ("Nothing came yet", "The body is not JSON", "Silent", "A topic waits"):
        assert words in shown
    assert "Gone" not in shown
    assert "Gone" in page(client, f"{LIST}?state=revoked")


def test_the_list_costs_the_same_however_long(django_assert_max_num_queries):
    client = signed_in("responder")
    make_token()
    page(client, LIST)
    with django_assert_max_num_queries(30) as short:
        page(client, LIST)
    for _ in range(5):
        receiving.receive(make_token()[1], b"{", content_type="", address="", at=NOON)
    with django_assert_max_num_queries(len(short)):
        page(client, LIST)


@pytest.mark.parametrize("kind", ["heartbeat", "sns", "generic", "json"])
def test_the_page_of_a_source_shows_what_it_has(kind):
    token, _ = make_token("Mine", kind=kind)
    signing.add_secret(token, by="system: tests", at=NOON, reason=REASON)
    PayloadLine.objects.create(token=token, field="title", path="what.hurts")
    topic = make_topic(token, state=TopicState.WAITING)
    shown = page(signed_in("administrator"), reverse("incidents:source", args=[token.pk]))
    assert act(token, "revoke") in shown
    assert (f"{act(token, 'confirm-topic')}?of={topic.pk}" in shown) == (kind == "sns")
    assert ("what.hurts" in shown) == (kind == "generic")
    assert (act(token, "pause") in shown) == (kind == "heartbeat")
    reader = page(signed_in("responder"), reverse("incidents:source", args=[token.pk]))
    assert act(token, "revoke") not in reader
    assert signed_in("responder").get("/sources/999/").status_code == 404


def tried(client, token, found):
    answer = client.post(TRY, {"source": token.pk, "payload": found})
    return answer.status_code, answer.content.decode()


def test_a_payload_is_tried_without_a_trace():
    store = make_system("ticket-store", name="Ticket store")
    make_mapping("alertname", "Disk*", system=store, position=7)
    token, secret = make_token("Prometheus")
    client = signed_in("manager")
    before = stands()
    status, shown = tried(client, token, body("v4_firing").decode())
    assert status == 200
    for words in ("It would declare a new incident at SEV-3", "Ticket store", "position 7", "Disk of the ticket store"):
        assert words in shown
    assert stands() == before
    incident = receiving.receive(secret, body("v4_firing"), content_type="", address="", at=NOON).incident
    assert f"It would join {incident.reference}" in tried(client, token, body("v4_firing").decode())[1]
    assert f"It would resolve {incident.reference}" in tried(client, token, body("v4_resolved").decode())[1]
    assert "nothing would change" in tried(client, token, body("v4_resolved", groupKey="other").decode())[1]


@pytest.mark.parametrize(
    ("kind", "found", "words"),
    [
        ("alertmanager", "{", "The body is not JSON"),
        ("json", body("v4_firing").decode(), "of the kind alertmanager"),
        ("heartbeat", "{}", "A ping has no payload"),
        ("pagerduty", '{"event_action": "acknowledge", "dedup_key": "k"}', "nothing would change"),
        ("sns", json.dumps(asking()), "An administrator confirms it"),
        ("generic", '{"title": "Hot", "status": "odd"}', "“odd” is not mapped"),
        ("generic", '{"title": "Hot", "status": "test"}', "asks for nothing"),
        ("json", '{"key": "k", "title": "t", "odd": 1}', "Not read"),
        ("json", '{"key": "k", "title": "t", "started_at": "2020-01-01T00:00:00Z"}', "more than 7 days ago"),
    ],
)
def test_every_kind_is_tried_and_a_refusal_says_its_sentence(kind, found, words):
    token, _ = make_token("Mine", kind=kind)
    client = signed_in("administrator")
    before = stands()
    status, shown = tried(client, token, found)
    assert status == 200
    assert words in shown
    assert stands() == before


def test_only_those_who_keep_sources_try_payloads():
    token, _ = make_token()
    assert signed_in("responder").get(TRY).status_code == 403
    client = signed_in("manager")
    assert client.post(TRY, {"source": 999, "payload": ""}).status_code == 422
    assert f'value="{token.pk}" selected' in page(client, f"{TRY}?source={token.pk}")


def test_a_secret_is_made_after_a_confirmation_and_shown_once():
    token, _ = make_token("Script", kind="json")
    client = signed_in("administrator")
    assert client.get(act(token, "add-secret"))["Location"].startswith("/confirm/")
    confirm(client)
    assert "It is shown once" in page(client, act(token, "add-secret"))
    assert client.post(act(token, "add-secret"), {"change_reason": ""}).status_code == 422
    answer = client.post(act(token, "add-secret"), {"change_reason": "It signs now"})
    row = IntakeSecret.objects.get()
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"{row.ending}</code>" in answer.content.decode()
    assert row.history.get().history_change_reason == "It signs now"
    shown = page(client, reverse("admin:incidents_intakesecret_change", args=[row.pk]))
    assert act(token, "retire-secret", row) in shown
    assert row.sealed not in shown
    assert client.post(act(token, "retire-secret", row), {"change_reason": "Old"}).status_code == 302
    assert client.get(act(make_token()[0], "retire-secret", row)).status_code == 404


def test_a_topic_is_confirmed_or_pinned_by_an_administrator_alone():
    token, _ = make_token("CloudWatch", kind="sns")
    topic = make_topic(token, state=TopicState.WAITING, pinned=False, envelope=asking(SubscribeURL="http://evil.org/"))
    assert signed_in("manager").post(act(token, "confirm-topic", topic)).status_code == 403
    client = signed_in("administrator")
    confirm(client)
    refused = client.post(act(token, "confirm-topic", topic), {"change_reason": "Ours"})
    assert "was not opened" in refused.content.decode()
    pinned = {"certificate": certificate(), "change_reason": "No way out"}
    assert client.post(act(token, "pin-certificate", topic), pinned).status_code == 302
    assert client.post(act(token, "mark-confirmed", topic), {"change_reason": "Done in AWS"}).status_code == 302
    topic.refresh_from_db()
    assert (topic.state, bool(topic.certificate)) == (TopicState.CONFIRMED, True)
    assert "Confirm subscription" not in page(
        client, reverse("admin:incidents_topicsubscription_change", args=[topic.pk])
    )


def test_a_topic_that_is_not_ours_is_turned_away_and_waits_anew_when_it_asks_again():
    token, _ = make_token("CloudWatch", kind="sns")
    topic = make_topic(token, state=TopicState.WAITING, pinned=False, envelope=asking())
    client = signed_in("administrator")
    assert act(token, "end-topic", topic) in page(client, reverse("incidents:source", args=[token.pk]))
    assert client.post(act(token, "end-topic", topic), {"change_reason": "Not ours"}).status_code == 302
    topic.refresh_from_db()
    assert topic.state == TopicState.ENDED
    assert act(token, "end-topic", topic) not in page(client, reverse("incidents:source", args=[token.pk]))
    with pytest.raises(Refused, match="ended already"):
        subscriptions.end(topic, by="test", at=NOON, reason="Twice")


def test_a_heartbeat_is_paused_and_resumed():
    token, secret = make_token("Backup", kind="heartbeat")
    client = signed_in("administrator")
    assert client.post(act(token, "pause"), {"change_reason": "Moves"}).status_code == 302
    assert "Paused" in page(client, reverse("incidents:source", args=[token.pk]))
    assert client.post(act(token, "pause"), {"change_reason": "Moves"}).status_code == 422
    assert Client().get(f"/intake/{secret}/").json()["status"] == "paused"
    assert client.post(act(token, "resume"), {"change_reason": "Moved"}).status_code == 302


def test_signatures_are_asked_for_only_once_there_is_a_secret():
    token, _ = make_token("Script", kind="json")
    client = signed_in("administrator")
    address = reverse("admin:incidents_intaketoken_change", args=[token.pk])
    sent = {"name": "Script", "reopen_minutes": 30, "signing": "timed", "window_seconds": 300, "change_reason": "Safer"}
    assert "Make a signing secret first" in client.post(address, sent).content.decode()
    signing.add_secret(token, by="system: tests", at=NOON, reason=REASON)
    assert client.post(address, sent).status_code == 302
    token.refresh_from_db()
    assert token.signing == "timed"
