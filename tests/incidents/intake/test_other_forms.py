"""Grafana, PagerDuty, Uptime Kuma and any JSON become the same kind of report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.enums import PayloadField, Stance
from incidents.intake import alertmanager, generic, grafana, pagerduty, presets, reading, uptimekuma
from incidents.intake.generic import Form, Line
from tests.factories.payloads import payload
from tests.incidents.intake.test_forms_of_alerts import anything, parsed_or_refused, refusal

objects = anything.filter(lambda data: isinstance(data, dict))


def unified(**changes):
    return {**payload("v4_firing"), "orgId": 1, "title": "[FIRING:1] Disk", "state": "alerting", **changes}


def beat(status=0, **changes):
    return {
        "heartbeat": {
            "monitorID": 7,
            "status": status,
            "msg": "connect ECONNREFUSED",
            "time": "2026-11-17 11:59:00.123",
        },
        "monitor": {"id": 7, "name": "Ticket store", "url": "https://tickets.example.org", "type": "http", "tags": []},
        "msg": "[Ticket store] [Down] connect ECONNREFUSED",
    } | changes


def event(action="trigger", **changes):
    said = {"summary": "Queue is full", "source": "mq-1", "severity": "error", "component": "mail-gateway"}
    return {"routing_key": "k", "event_action": action, "dedup_key": "mq", "payload": said} | changes


@settings(max_examples=60, deadline=None)
@given(
    objects | st.fixed_dictionaries({"alerts": anything, "orgId": anything, "groupKey": anything, "status": anything})
)
def test_any_object_is_grafanas_or_refused(data):
    parsed_or_refused(grafana.parse, data)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries({"ruleId": anything, "state": st.sampled_from(["alerting", "ok"]), "evalMatches": anything})
)
def test_any_legacy_rule_is_read_or_refused(data):
    parsed_or_refused(grafana.parse, data)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({"heartbeat": anything, "monitor": anything, "msg": anything}))
def test_any_object_is_uptime_kumas_or_refused(data):
    parsed_or_refused(uptimekuma.parse, data)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "event_action": st.sampled_from(["trigger", "resolve"]) | anything,
            "payload": st.fixed_dictionaries({"summary": anything, "source": anything}) | anything,
        },
        optional={"dedup_key": anything, "links": anything},
    )
)
def test_any_object_is_an_event_or_refused(data):
    try:
        report = pagerduty.parse(data)
    except reading.Unreadable:
        return
    assert report.key.strip()
    assert report.title or not report.firing


@settings(max_examples=100, deadline=None)
@given(objects)
def test_any_object_is_read_by_common_names_or_refused(data):
    parsed_or_refused(lambda found: generic.read(found, presets.COMMON.form())[0], data)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30) | st.integers(0, 10**15).map(str) | st.datetimes().map(str))
def test_any_text_is_a_moment_or_none(text):
    found = generic.moment(text)
    assert found is None or found.tzinfo is not None


def test_a_group_of_grafana_is_that_of_alertmanager_with_its_links():
    alert = payload("v4_firing")["alerts"][0] | {
        "valueString": "[ var='A' value=97 ]", "panelURL": "https://grafana.example.org/d/1?viewPanel=2",
    }  # fmt: skip
    report = grafana.parse(unified(alerts=[alert]))
    assert (report.title, report.stance) == ("Disk of the ticket store is almost full", Stance.FIRING)
    assert "Values: [ var='A' value=97 ]" in report.description
    assert "Panel: https://grafana.example.org/d/1?viewPanel=2" in report.description


def test_a_group_without_a_key_is_known_by_its_first_fingerprint():
    alerts = [{"fingerprint": "c6eadffa33fcdf37", "status": "firing", "labels": {}}]
    report = grafana.parse({"orgId": 1, "status": "firing", "title": "[FIRING:1]", "alerts": alerts})
    assert (report.key, report.title) == ("c6eadffa33fcdf37", "[FIRING:1]")


def test_an_address_of_grafana_takes_no_group_of_alertmanager():
    assert "orgId, title and state are missing" in refusal(grafana.parse, payload("v4_firing"))


@pytest.mark.parametrize(
    ("state", "stance", "title"),
    [
        ("alerting", "firing", "CPU"),
        ("ok", "resolved", "CPU"),
        ("no_data", "firing", "No data: CPU"),
        ("paused", "nothing", "CPU"),
        ("pending", "nothing", "CPU"),
    ],
)
def test_states_of_a_legacy_rule(state, stance, title):
    report = grafana.parse({"ruleId": 7, "orgId": 2, "ruleName": "CPU", "state": state, "evalMatches": []})
    assert (report.stance, report.title, report.key) == (stance, title, "rule:2:7")


def test_a_trigger_says_what_hurts_and_names_its_component_as_the_service():
    report = pagerduty.parse(event(links=[{"href": "https://mq.example.org", "text": "Queue"}]))
    assert (report.title, report.key, report.stance) == ("Queue is full", "mq", Stance.FIRING)
    assert report.label_sets[0]["service"] == "mail-gateway"
    assert report.labels["severity"] == "error"
    assert "Queue: https://mq.example.org" in report.description


def test_an_event_without_a_key_has_the_same_one_each_time():
    first, second = (pagerduty.parse(event(dedup_key=None)) for _ in range(2))
    assert first.key == second.key
    assert pagerduty.parse(event(dedup_key="", payload={"summary": "Other"})).key != first.key


@pytest.mark.parametrize(("action", "stance"), [("acknowledge", Stance.ACKNOWLEDGED), ("resolve", Stance.RESOLVED)])
def test_an_event_acknowledges_or_resolves_by_its_key(action, stance):
    assert pagerduty.parse({"event_action": action, "dedup_key": "mq"}).stance == stance
    assert refusal(pagerduty.parse, {"event_action": action}).startswith("dedup_key")


def test_a_change_event_is_refused_politely():
    assert refusal(pagerduty.parse, {"routing_key": "k", "payload": {"summary": "Deployed"}}) == pagerduty.CHANGE_EVENT


@pytest.mark.parametrize(
    ("status", "stance"), [(0, "firing"), (1, "resolved"), (2, "nothing"), (3, "nothing")], ids=str
)
def test_states_of_a_monitor(status, stance):
    report = uptimekuma.parse(beat(status))
    assert (report.stance, report.key) == (stance, "monitor:7")


def test_a_monitor_that_is_down_says_since_when_and_where():
    report = uptimekuma.parse(beat())
    assert report.title == "Ticket store is down"
    assert report.started_at == datetime(2026, 11, 17, 11, 59, 0, 123000, tzinfo=UTC)
    assert "https://tickets.example.org" in report.description


def test_a_test_of_uptime_kuma_opens_nothing_and_a_certificate_one_incident():
    assert uptimekuma.parse(beat(heartbeat=None, monitor=None, msg="Watchbook Testing")).stance == Stance.NOTHING
    said = "[Ticket store][https://tickets.example.org] server certificate will expire in {} days"
    reports = [uptimekuma.parse(beat(heartbeat=None, monitor=None, msg=said.format(days))) for days in (14, 7)]
    assert len({report.key for report in reports}) == 1
    assert reports[0].stance == Stance.FIRING


def test_lines_say_where_the_fields_stand_and_the_first_that_finds_wins():
    lines = (
        Line(PayloadField.TITLE, "nowhere"), Line(PayloadField.TITLE, "what"), Line(PayloadField.TITLE, "why"),
        Line(PayloadField.KEY, "host + check"), Line(PayloadField.STATUS, "state"),
        Line(PayloadField.SYSTEM, "parts[*].name"), Line(PayloadField.STARTED_AT, "since"),
    )  # fmt: skip
    data = {
        "what": "Full", "why": "Logs", "host": "a", "check": "disk", "state": "Kaputt",
        "parts": [{"name": "x"}, {"name": "y"}], "since": 1499368214,
    }  # fmt: skip
    report, matches = generic.read(data, Form("Mine", lines, {"kaputt": Stance.FIRING}))
    assert (report.title, report.key, report.stance) == ("Full", "a disk", Stance.FIRING)
    assert [labels["system"] for labels in report.label_sets] == ["x", "y"]
    assert report.labels["state"] == "Kaputt"
    assert report.started_at == datetime(2017, 7, 6, 19, 10, 14, tzinfo=UTC)
    assert [match.line.path for match in matches if match.line.field == PayloadField.TITLE] == ["what"]


def test_a_status_word_that_nobody_mapped_fires_and_is_said():
    report, _ = generic.read({"title": "t", "status": "wobbly"}, presets.COMMON.form())
    assert report.stance == Stance.FIRING
    assert "“wobbly” is not mapped" in report.hints[0]


def test_a_link_of_grafana_is_called_so_and_a_rule_that_it_could_not_ask_is_named():
    labels = {"alertname": "DatasourceNoData", "rulename": "High latency"}
    report = grafana.parse(unified(alerts=[{"labels": labels}], commonLabels=labels, commonAnnotations={}))
    assert report.title == "High latency: no data"
    assert "Alertmanager" not in report.description


def test_a_certificate_of_uptime_kuma_is_told_of_its_monitor():
    said = "[Ticket store][https://tickets.example.org] server certificate will expire in 7 days"
    report = uptimekuma.parse(beat(heartbeat=None, monitor=None, msg=said))
    assert report.title == "Ticket store: server certificate will expire in 7 days"
    assert report.description == "server certificate will expire in 7 days\n\nhttps://tickets.example.org"
    assert [labels["service"] for labels in report.label_sets] == ["Ticket store"]


def test_an_alert_of_splunk_without_a_title_is_called_after_its_rule():
    data = {"detectorUrl": "https://x.example.org", "incidentId": "1", "rule": "logs", "statusExtended": "anomalous"}
    report, _ = generic.read(data, presets.form_of(data))
    assert (report.title, report.key, report.stance) == ("logs", "1", Stance.FIRING)


def test_a_payload_of_no_known_tool_is_told_that_the_generic_kind_would_read_it():
    for kind in ("alertmanager", "grafana", "pagerduty", "sns", "uptime-kuma", "json"):
        refused = presets.advised(reading.Unreadable(422, "No."), {"summary": "Disk full"}, kind)
        assert refused.sentence == "No. An address of the kind generic would read it."
    own = {"summary": "Disk full", "groupKey": "k"}
    assert presets.advised(reading.Unreadable(422, "No."), own, "alertmanager").sentence == "No."
    assert presets.advised(reading.Unreadable(422, "No."), {"a": 1}, "alertmanager").sentence == "No."


@pytest.mark.parametrize(
    ("data", "form", "said"),
    [
        (
            {"data": {"essentials": {"alertRule": "CPU", "alertId": "/a/1", "monitorCondition": "Resolved"}}},
            "Azure Monitor",
            ("CPU", "/a/1", Stance.RESOLVED),
        ),
        (
            {
                "data": {
                    "id": "2",
                    "type": "incident",
                    "attributes": {"name": "Home", "cause": "404", "status": "Started"},
                }
            },
            "Better Stack",
            ("Home 404", "2", Stance.FIRING),
        ),
        (
            {"ProblemID": "P-1", "ProblemTitle": "Slow", "State": "RESOLVED"},
            "Dynatrace",
            ("Slow", "P-1", Stance.RESOLVED),
        ),
        (
            {"event_definition_id": "d", "event_definition_title": "Sign-ins", "event": {"key": "ada"}},
            "Graylog",
            ("Sign-ins", "d ada", Stance.FIRING),
        ),
        (
            {"stream": {"id": "5", "title": "Errors"}, "check_result": {"result_description": "2 messages"}},
            "Graylog's streams",
            ("Errors", "5", Stance.FIRING),
        ),
        (
            {"issueUrl": "u", "id": "i", "title": "Memory", "state": "CLOSED"},
            "New Relic's workflows",
            ("Memory", "i", Stance.RESOLVED),
        ),
        (
            {"action": "Acknowledge", "alert": {"alertId": "a", "message": "Full"}},
            "Opsgenie",
            ("Full", "a", Stance.ACKNOWLEDGED),
        ),
        (
            {"action": "resolved", "data": {"issue": {"id": "7", "title": "TypeError"}}},
            "Sentry",
            ("TypeError", "7", Stance.RESOLVED),
        ),
        ({"search_name": "Errors", "results_link": "http://splunk/x"}, "Splunk", ("Errors", "Errors", Stance.FIRING)),
        (
            {"monitorID": "1", "monitorFriendlyName": "Home", "alertTypeFriendlyName": "Up"},
            "UptimeRobot",
            ("Home", "1", Stance.RESOLVED),
        ),
        ({"message_type": "RECOVERY", "entity_id": "disk"}, "Splunk On-Call", ("disk", "disk", Stance.RESOLVED)),
    ],
)
def test_payloads_of_more_tools_are_recognised(data, form, said):
    found = presets.form_of(data)
    report, _ = generic.read(data, found)
    assert (found.name, (report.title, report.key, report.stance)) == (form, said)


def test_a_word_of_the_tool_for_a_severity_is_said_as_everybody_says_it():
    data = {"data": {"essentials": {"alertRule": "CPU", "monitorCondition": "Fired", "severity": "Sev1"}}}
    report, _ = generic.read(data, presets.form_of(data))
    assert [labels["severity"] for labels in report.label_sets] == ["error"]


def test_an_alarm_of_cloudwatch_without_its_topic_is_told_where_it_belongs():
    assert "of the kind sns" in refusal(presets.form_of, {"AlarmName": "a", "NewStateValue": "ALARM"})


def of_the_button(**changes):
    """What Grafana sends for the button Test of a contact point."""
    one = {
        "status": "firing",
        "labels": {"alertname": "TestAlert", "instance": "Grafana"},
        "annotations": {"summary": "Notification test"},
        "startsAt": "2026-11-17T11:59:00Z",
        "fingerprint": "57c6d9296de2ad39",
        "values": None,
        "valueString": "[ metric='foo' labels={instance=bar} value=10 ]",
    } | changes
    group = {"groupKey": "webhook-57c6d9296de2ad39-1763380740", "status": "firing", "alerts": [one]}
    return {**group, "orgId": 1, "title": "[FIRING:1] TestAlert Grafana", "state": "alerting"}


@pytest.mark.parametrize(
    "data",
    [
        of_the_button(),
        of_the_button(labels={"alertname": "Ours", "severity": "critical"}, annotations={"summary": "Try"}),
    ],
)
def test_the_test_of_a_contact_point_asks_for_nothing_whatever_labels_it_has(data):
    for parse in (grafana.parse, alertmanager.parse):
        report = parse(data)
        assert report.stance == Stance.NOTHING
        assert report.sentence.startswith("The test of Grafana came in. Nothing was opened")


def test_what_only_looks_like_a_test_of_grafana_fires():
    named = of_the_button(valueString="[ var='A' labels={instance=bar} value=10 ]", values={"A": 10})
    beside = of_the_button()
    beside["alerts"].append({**beside["alerts"][0], "valueString": "[ var='A' labels={} value=1 ]"})
    for data in (named, beside, of_the_button(values={"A": 10})):
        assert grafana.parse(data).firing


def test_the_test_of_a_legacy_channel_asks_for_nothing_and_a_rule_of_that_name_fires():
    data = {
        "ruleId": 0,
        "ruleName": "Test notification",
        "state": "alerting",
        "message": "Someone is testing the alert notification within Grafana.",
        "evalMatches": [{"value": 100, "metric": "High value", "tags": None}],
    }
    assert grafana.parse(data).stance == Stance.NOTHING
    assert grafana.parse({**data, "message": "The queue grows."}).firing
    assert grafana.parse({**data, "ruleName": "Queue"}).firing


def of_grafana(firing):
    said = {"summary": "[FIRING:1] TestAlert Grafana", "source": "grafana-1", "severity": "critical"}
    return event(client="Grafana", payload={**said, "custom_details": {"firing": firing, "num_firing": "1"}})


TEST_LINES = """
Value: [no value]
Labels:
 - alertname = TestAlert
 - instance = Grafana
Annotations:
 - summary = Notification test
"""


def test_an_event_that_a_tool_sends_to_be_tested_asks_for_nothing():
    kuma = event(payload={"summary": "[Uptime Kuma Alert] Ours Testing", "source": "Uptime Kuma Test Button"})
    assert pagerduty.parse(kuma).sentence == "The test of Uptime Kuma came in. Nothing was opened."
    assert pagerduty.parse(of_grafana(TEST_LINES)).sentence == "The test of Grafana came in. Nothing was opened."
    for data in (
        of_grafana(TEST_LINES + TEST_LINES.replace("TestAlert", "Disk")),
        of_grafana(TEST_LINES.replace("Notification test", "The disk is full")),
        event(payload={"summary": "Ours Testing", "source": "mq-1"}),
    ):
        assert pagerduty.parse(data).firing
