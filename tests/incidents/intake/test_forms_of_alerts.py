"""Alertmanager's groups and the plain form become the same kind of report."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.intake import alertmanager, plain, reading
from tests.factories.payloads import SAMPLES_ABSENT, payload, real_payloads

real = pytest.mark.skipif(not real_payloads(), reason=SAMPLES_ABSENT)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters())
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
near_alert = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["firing", "resolved"]) | anything,
        "labels": st.dictionaries(st.text(), scalars, max_size=4) | anything,
        "annotations": st.dictionaries(st.sampled_from(["summary", "description"]), scalars) | anything,
        "startsAt": st.datetimes().map(lambda moment: moment.isoformat() + "Z") | anything,
        "generatorURL": anything,
    },
)
near_group = st.fixed_dictionaries(
    {
        "groupKey": st.text(min_size=1) | st.integers() | anything,
        "status": st.sampled_from(["firing", "resolved"]) | anything,
        "alerts": st.lists(near_alert, max_size=4) | anything,
    },
    optional={
        "commonLabels": anything,
        "groupLabels": anything,
        "commonAnnotations": anything,
        "truncatedAlerts": anything,
        "externalURL": anything,
    },
)
near_plain = st.fixed_dictionaries(
    {"key": st.text(min_size=1) | anything, "title": st.text(min_size=1) | anything},
    optional=dict.fromkeys(plain.FIELDS - {"key", "title"}, anything),
)


def refusal(parse, data) -> str:
    with pytest.raises(reading.Unreadable) as caught:
        parse(data)
    assert caught.value.status == 422
    return caught.value.sentence


def parsed_or_refused(parse, data) -> None:
    try:
        report = parse(data)
    except reading.Unreadable:
        return
    assert report.key.strip()
    assert report.title or not report.firing
    assert len(report.title) <= 200
    assert len(report.description) <= 8000
    stored = json.dumps([report.title, report.description, dict(report.labels), report.ignored], ensure_ascii=False)
    stored.encode()
    assert "\\u0000" not in stored


@settings(max_examples=100, deadline=None)
@given(near_group | anything.filter(lambda data: isinstance(data, dict)))
def test_any_object_is_a_group_or_refused(data):
    parsed_or_refused(alertmanager.parse, data)


@settings(max_examples=100, deadline=None)
@given(near_plain | anything.filter(lambda data: isinstance(data, dict)))
def test_any_object_is_a_plain_alert_or_refused(data):
    parsed_or_refused(plain.parse, data)


def test_a_group_of_version_4_is_read():
    report = alertmanager.parse(payload("v4_firing"))
    assert report.key == '{}/{team="platform"}:{alertname="DiskAlmostFull"}'
    assert report.firing
    assert report.title == "Disk of the ticket store is almost full"
    assert report.description.startswith("db-1 has 3 % left.")
    assert "https://prometheus.example.org/graph?g0.expr=disk_free" in report.description
    assert report.started_at == datetime(2026, 11, 17, 11, 56, 30, 123456, tzinfo=UTC)
    assert report.numbers() == {"firing": 1, "resolved": 0, "truncated": 0}


def test_a_group_of_version_3_has_a_number_as_its_key():
    report = alertmanager.parse(payload("v3_firing"))
    assert report.key == "12034567890123456789"
    assert report.title == "MailQueueGrows on mx-2"


def test_a_group_fires_while_one_alert_in_it_fires():
    partly = payload("v4_partly", status="resolved")
    report = alertmanager.parse(partly)
    assert report.firing
    assert report.numbers() == {"firing": 1, "resolved": 1, "truncated": 7}
    assert [labels["instance"] for labels in report.label_sets] == ["db-2"]
    assert "The source left out 7 more." in report.description


def test_a_group_whose_firing_alerts_were_left_out_still_fires():
    resolved = payload("v4_resolved", status="firing", truncatedAlerts=3)
    assert alertmanager.parse(resolved).firing


def test_a_resolved_group_resolves():
    assert not alertmanager.parse(payload("v4_resolved")).firing


def test_a_nameless_group_still_gets_a_title():
    report = alertmanager.parse({"groupKey": "k", "status": "firing", "alerts": [{}]})
    assert report.title == "An alert without a name"


def test_ten_thousand_alerts_are_one_group():
    report = alertmanager.parse({"groupKey": "k", "status": "firing", "alerts": [{"labels": {}}] * 10_000})
    assert report.firing_count == 10_000
    assert len(report.label_sets) == 1
    assert "… and 9980 more" in report.description


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("groupKey", None),
        ("status", "pending"),
        ("alerts", {}),
        ("alerts", []),
        ("alerts", ["text"]),
        ("alerts", [{"labels": []}]),
        ("alerts", [{"status": 1}]),
        ("commonLabels", []),
        ("commonAnnotations", "text"),
        ("truncatedAlerts", "7"),
    ],
)
def test_a_wrong_field_of_a_group_is_named(field, value):
    assert refusal(alertmanager.parse, payload("v4_firing", **{field: value})).startswith(field)


def test_a_plain_alert_is_read():
    report = plain.parse(payload("plain_firing"))
    assert report.key == "backup-nightly"
    assert report.firing
    assert report.labels["attempt"] == "2"
    assert {labels["system"] for labels in report.label_sets} == {"ticket-store", "mail-gateway"}
    assert {labels["severity"] for labels in report.label_sets} == {"high"}
    assert report.description.endswith("https://backup.example.org/runs/81")
    assert report.started_at == datetime(2026, 11, 17, 11, 30, tzinfo=UTC)


def test_a_plain_alert_is_resolved_by_its_key_alone():
    assert not plain.parse(payload("plain_resolved")).firing


def test_a_field_that_the_plain_form_does_not_know_is_named_and_costs_no_alert():
    assert plain.parse(payload("plain_firing", severty="high", zone=1)).ignored == ("severty", "zone")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", ""),
        ("title", ""),
        ("title", ["a"]),
        ("status", "ok"),
        ("severity", {}),
        ("systems", "ticket-store"),
        ("systems", [["a"]]),
        ("systems", ["a"] * 60),
        ("labels", "a"),
        ("url", "javascript:alert(1)"),
        ("started_at", "yesterday"),
        ("description", {}),
    ],
)
def test_a_wrong_field_of_a_plain_alert_is_named(field, value):
    assert refusal(plain.parse, payload("plain_firing", **{field: value})).startswith(field)


@real
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("alerta_prometheus_v3_alert", "Connect fail"),
        ("alerta_prometheus_v4_alert", "No things for over 10 minutes"),
    ],
)
def test_real_alertmanager_payloads_are_understood(name, title):
    path = next(path for path in real_payloads() if path.stem == name)
    report = alertmanager.parse(json.loads(path.read_text()))
    assert report.firing
    assert report.title == title
    assert {labels["severity"] for labels in report.label_sets} == {"critical"}


def group(*alerts: dict[str, object], **changes: object) -> dict[str, object]:
    return {"groupKey": "k", "status": "firing", "alerts": list(alerts), **changes}


def host(name: str) -> dict[str, object]:
    labels = {"alertname": "HostDown", "severity": "critical", "instance": name}
    return {"labels": labels, "annotations": {"summary": f"{name} is down"}}


def test_a_group_of_several_is_called_after_the_first_and_how_many_more_there_are():
    assert alertmanager.parse(group(host("a"), host("b"), host("c"))).title == "a is down and 2 more"
    assert alertmanager.parse(group(host("a"), host("b"), truncatedAlerts=5)).title == "a is down and 6 more"
    shared = group(host("a"), host("b"), commonAnnotations={"summary": "Hosts are down"})
    assert alertmanager.parse(shared).title == "Hosts are down"
    assert alertmanager.parse(group(host("a" * 300), host("b"))).title.endswith("… and 1 more")
    assert len(alertmanager.parse(group(host("a" * 300), host("b"))).title) == 200


def test_what_all_alerts_of_a_group_share_is_said_once():
    said = alertmanager.parse(group(host("a"), host("b"))).description
    assert said == "All: alertname=HostDown, severity=critical\n\n- instance=a\n- instance=b"
    assert alertmanager.parse(group(host("a"))).description == "- alertname=HostDown, instance=a, severity=critical"
