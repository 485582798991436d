"""CloudWatch over SNS: nothing is fetched before an administrator says so, and only what is signed comes in."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from incidents.enums import Status, TopicState
from incidents.intake import certificates, reading, receiving, sns, subscriptions
from incidents.intake.posts import Post
from incidents.models import Incident, TopicSubscription
from incidents.policy import Refused
from tests.factories.directory import NOON
from tests.factories.incidents import make_token
from tests.factories.sources import (
    CERTIFICATE_URL,
    REASON,
    TOPIC,
    alarm,
    asking,
    certificate,
    envelope,
    event,
    make_topic,
)

BY = {"by": "system: tests", "at": NOON, "reason": REASON}


@pytest.fixture(autouse=True)
def fetched(monkeypatch):
    """What is asked of AWS; the certificate of the tests is what stands there."""
    asked = []
    monkeypatch.setattr(certificates, "_kept", {})
    monkeypatch.setattr(certificates, "fetch", lambda url: asked.append(url) or certificate().encode())
    return asked


@pytest.fixture
def token(db):
    return make_token("CloudWatch", kind="sns")[0]


def take(token, sent, *, at=NOON):
    return receiving.take(Post(token, json.dumps(sent).encode(), content_type="text/plain", address="", at=at))


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        (CERTIFICATE_URL, True),
        ("https://sns.us-gov-west-1.amazonaws.com/x.pem", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/x.pem", True),
        ("http://sns.eu-west-1.amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com/x.pem?y", True),
        ("https://sns.eu-west-1.amazonaws.com/x.txt", False),
        ("https://sns.eu-west-1.amazonaws.com:444/x.pem", False),
        ("https://a@sns.eu-west-1.amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com.evil.org/x.pem", False),
        ("https://evil.org/sns.eu-west-1.amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.org/x.pem", False),
        ("https://xsns.eu-west-1.amazonaws.com/x.pem", False),
        ("https://sns.eu-west-1.amazonaws.com\\@evil.org/x.pem", False),
        ("https://[::1/x.pem", False),
        (None, False),
    ],
)
def test_only_addresses_of_sns_itself_are_believed(address, fits):
    assert certificates.is_of_aws(address, ending=".pem") is fits


def test_a_topic_asks_and_waits_and_nothing_is_fetched(token, fetched):
    answer = take(token, asking())
    row = TopicSubscription.objects.get()
    assert (answer.status_code, answer.status) == (200, "nothing")
    assert "An administrator confirms it" in answer.sentence
    assert (row.topic, row.state, fetched) == (TOPIC, TopicState.WAITING, [])
    refused = take(token, envelope())
    assert refused.status_code == 403
    assert "is not confirmed at this address" in refused.sentence
    assert fetched == []


def test_an_administrator_confirms_and_then_alarms_come_in(token, fetched):
    take(token, asking())
    subscriptions.confirm(TopicSubscription.objects.get(), **BY)
    assert fetched == [CERTIFICATE_URL, asking()["SubscribeURL"]]
    for version in ("2", "1"):
        take(token, envelope(version=version))
    incident = Incident.objects.get()
    assert incident.title == "queue-too-long"
    assert incident.alerts.get().labels["QueueName"] == "mail"
    assert take(token, envelope(alarm("INSUFFICIENT_DATA"))).status == "nothing"
    assert take(token, envelope(alarm("OK"))).status == "resolved"
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED
    assert len(fetched) == 2, "the certificate is kept"


def test_eventbridge_tells_the_same_alarm_and_means_the_same_incident(token):
    assert sns.parse(envelope(event())) == sns.parse(envelope(alarm()))
    make_topic(token)
    assert take(token, envelope(event())).status == "opened"
    incident = Incident.objects.get()
    assert (incident.title, incident.alerts.get().labels["QueueName"]) == ("queue-too-long", "mail")
    assert take(token, envelope(event("INSUFFICIENT_DATA"))).status == "nothing"
    assert take(token, envelope(alarm("OK"))).status == "resolved"


def test_an_event_of_an_alarm_made_of_others_names_no_metric():
    report = sns.parse(envelope(event(detail={"alarmName": "all", "state": {"value": "ALARM"}, "configuration": {}})))
    assert (report.title, report.firing, report.started_at) == ("all", True, None)
    assert set(report.labels) == {"alarm", "account", "region"}


def test_what_is_not_signed_by_the_topic_is_refused(token):
    topic = make_topic(token)
    for sent in (
        envelope() | {"Message": json.dumps(alarm("OK"))},
        envelope() | {"Signature": "AAAA"},
        envelope() | {"Signature": None},
        envelope() | {"SignatureVersion": "3"},
    ):
        assert take(token, sent).status_code == 403
    assert take(token, envelope(), at=NOON + timedelta(days=999)).status_code == 403
    subscriptions.pin(topic, "", **BY)
    assert take(token, envelope(SigningCertURL="https://evil.org/x.pem")).status_code == 403
    assert not Incident.objects.exists()


def test_a_certificate_that_cannot_be_fetched_lets_the_topic_send_again(token, monkeypatch):
    def away(_url):
        raise certificates.OutOfReach("TimeoutError")

    monkeypatch.setattr(certificates, "fetch", away)
    topic = make_topic(token, pinned=False, envelope=asking())
    answer = take(token, envelope())
    assert (answer.status_code, answer.status) == (503, "failed")
    with pytest.raises(Refused, match="AWS could not be reached"):
        subscriptions.confirm(topic, **BY)
    subscriptions.pin(topic, certificate(), **BY)
    assert take(token, envelope()).status == "opened"
    with pytest.raises(Refused, match="This is no certificate"):
        subscriptions.pin(topic, "-----BEGIN", **BY)
    with pytest.raises(Refused, match="changes nothing"):
        subscriptions.pin(topic, certificate(), **BY)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.org/?Action=ConfirmSubscription",
        f"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&TopicArn={TOPIC}",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:other",
        "http://169.254.169.254/latest/meta-data",
        "",
    ],
)
def test_an_address_that_confirms_nothing_is_never_opened(token, fetched, url):
    topic = make_topic(token, state=TopicState.WAITING, envelope=asking(SubscribeURL=url))
    with pytest.raises(Refused, match="was not opened"):
        subscriptions.confirm(topic, **BY)
    assert fetched == []


def test_a_topic_confirmed_by_hand_is_believed_and_one_that_ends_is_not(token):
    topic = make_topic(token, state=TopicState.WAITING)
    subscriptions.mark_confirmed(topic, **BY)
    assert take(token, envelope()).status == "opened"
    take(token, envelope("Bye", Type="UnsubscribeConfirmation", Token="t", SubscribeURL="u"))
    topic.refresh_from_db()
    assert topic.state == TopicState.ENDED
    assert take(token, envelope()).status_code == 403
    take(token, asking())
    topic.refresh_from_db()
    assert topic.state == TopicState.WAITING


def test_only_so_many_topics_ask(token, monkeypatch):
    monkeypatch.setattr(subscriptions, "MOST_TOPICS", 1)
    take(token, asking())
    assert take(token, asking(TopicArn=f"{TOPIC}-2")).status_code == 409


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Type must be"),
        (alarm(), "raw messages"),
        ({"Type": "Notification"}, "TopicArn is missing"),
        ({"Type": "Notification", "TopicArn": "arn:x"}, "is no topic"),
        ({"Type": "Notification", "TopicArn": TOPIC, "Message": "Hello"}, "no alarm of CloudWatch"),
        ({"Type": "Notification", "TopicArn": TOPIC, "Message": json.dumps(alarm("ODD"))}, "NewStateValue must be"),
        ({"Type": "Notification", "TopicArn": TOPIC, "Message": json.dumps(event(detail=[]))}, "alarmName is missing"),
        ({"Type": "Notification", "TopicArn": TOPIC, "Message": json.dumps(event("ODD"))}, "NewStateValue must be"),
    ],
)
def test_what_is_no_alarm_is_refused_by_its_field(sent, words):
    with pytest.raises(reading.Unreadable, match=words):
        sns.parse(sent)


def test_what_another_tool_sends_is_told_where_it_belongs(token):
    for sent, kind in (({"event_action": "trigger"}, "pagerduty"), ({"summary": "Disk full"}, "generic")):
        answer = take(token, sent)
        assert answer.status_code == 422
        assert f"of the kind {kind}" in answer.sentence


def test_an_alarm_leads_to_where_aws_shows_it():
    there = "#alarmsV2:alarm/"
    assert (
        f"https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1{there}" in sns.parse(envelope()).description
    )
    china = envelope(TopicArn=TOPIC.replace("arn:aws:", "arn:aws-cn:"))
    assert f"https://console.amazonaws.cn/cloudwatch/home?region=eu-west-1{there}" in sns.parse(china).description
