"""Any one field of a payload that tools send may hold anything: it is read, or refused with a sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from incidents.enums import IntakeKind
from incidents.intake import kinds, presets, reading, receiving
from incidents.intake.generic import read as read_by
from incidents.models import IntakeDelivery
from tests.factories.directory import NOON
from tests.factories.incidents import make_token
from tests.factories.payloads import OWN, payload, real_payloads
from tests.incidents.intake.test_other_forms import beat, event, unified

ODD = (
    None, True, 0, -1, 1.5, float("inf"), 10**400, "", " ", "\x00", "\u200b", "\ud800", "x" * 5000, "2026-99-99",
    "javascript:alert(1)", [], [[]], [{}], ["\ud800"], {}, {"": None}, {"a": [1]}, {"\ud800": "\x00"},
)  # fmt: skip
ALARM = {
    "AlarmName": "Disk", "AlarmDescription": "d", "AWSAccountId": "1", "NewStateValue": "ALARM", "NewStateReason": "r",
    "StateChangeTime": "2026-11-17T11:00:00.000+0000",
    "Trigger": {"MetricName": "m", "Namespace": "n", "Dimensions": [{"name": "x", "value": "y"}]},
}  # fmt: skip
LEGACY = {
    "ruleId": 7, "orgId": 2, "ruleName": "CPU", "state": "alerting", "message": "m", "ruleUrl": "https://a",
    "evalMatches": [{"metric": "m", "value": 1, "tags": {"a": "b"}}],
}  # fmt: skip


def envelope(alarm: Any) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": json.dumps(alarm)}


WELL_FORMED: dict[str, tuple[str, Any]] = {
    **{path.stem: ("alertmanager", payload(path.stem)) for path in OWN.glob("v*.json")},
    **{path.stem: ("json", payload(path.stem)) for path in OWN.glob("plain*.json")},
    "grafana": ("grafana", unified()), "grafana_legacy": ("grafana", LEGACY), "uptime_kuma": ("uptime-kuma", beat()),
    "certificate": ("uptime-kuma", beat(heartbeat=None, monitor=None, msg="It will expire in 7 days")),
    "event": ("pagerduty", event(links=[{"href": "https://a", "text": "b"}], client_url="https://a")),
    "event_details": ("pagerduty", event(payload={"summary": "s", "custom_details": {"a": {"b": [1]}}})),
    "sns": ("sns", envelope(ALARM)),
}  # fmt: skip


def places(found: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value within: of lists the first two items."""
    if way:
        yield way
    inside = found.items() if isinstance(found, dict) else enumerate(found[:2]) if isinstance(found, list) else ()
    for name, value in inside:
        yield from places(value, (*way, name))


def changed(found: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Return a copy in which another value stands at the end of the way."""
    if not way:
        return value
    copy = found.copy()
    copy[way[0]] = changed(found[way[0]], way[1:], value)
    return copy


def refusal_or_report(parse: Any, data: Any) -> Any:
    try:
        return parse(data)
    except reading.Unreadable as refusal:
        return refusal


def read_or_refused(parse: Any, data: Any) -> None:
    report = refusal_or_report(parse, data)
    if isinstance(report, reading.Unreadable):
        assert (report.status, report.sentence[-1]) == (422, ".")
        return
    assert report.key.strip()
    assert report.title or not report.firing
    assert report.digest()
    shown = [report.title, report.description, dict(report.labels), report.ignored, report.sentence, report.hints]
    stored = json.dumps(shown, ensure_ascii=False)
    stored.encode()  # no half of a surrogate pair
    assert "\x00" not in "".join([report.title, report.description, *report.labels, *report.labels.values()])


@pytest.mark.parametrize("name", WELL_FORMED)
def test_one_odd_field_is_read_or_refused(name):
    kind, data = WELL_FORMED[name]
    for way in places(data):
        for value in ODD:
            read_or_refused(kinds.PARSERS[kind], changed(data, way, value))


def test_one_odd_field_of_an_alarm_of_cloudwatch_is_read_or_refused():
    for way in places(ALARM):
        for value in ODD:
            read_or_refused(kinds.PARSERS["sns"], envelope(changed(ALARM, way, value)))


@pytest.mark.parametrize("path", real_payloads(), ids=lambda path: path.stem)
def test_one_odd_field_of_a_sample_is_read_by_its_form_or_refused(path):
    data = json.loads(path.read_text())
    form = presets.preset_of(data).form()
    for way in list(places(data))[:25]:
        for value in ODD:
            read_or_refused(lambda found: read_by(found, form)[0], changed(data, way, value))


def nested(depth: int, kind: str) -> bytes:
    deep = b'{"a": ' * depth + b"1" + b"}" * depth
    if kind == "pagerduty":
        return b'{"event_action": "trigger", "payload": {"summary": "s", "custom_details": {"a": ' + deep + b"}}}"
    return b'{"title": "t", "key": "k", "labels": ' + deep + b"}"


@pytest.mark.django_db
@pytest.mark.parametrize("depth", [50, 300, 900, 960, 20_000])
def test_however_deep_a_body_is_nested_it_is_answered_and_kept(depth):
    for kind in ("pagerduty", "generic", "json", "alertmanager"):
        token, secret = make_token(kind=kind)
        answer = receiving.receive(secret, nested(depth, kind), content_type="", address="", at=NOON)
        assert answer.status_code in {200, 400, 422}
        assert answer.sentence.endswith(".")
        assert IntakeDelivery.objects.filter(token=token).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (gzip.compress(b'{"key": "k"}', mtime=0), "compressed"),
        (b'--x1\r\nContent-Disposition: form-data; name="data"\r\n\r\n{}\r\n--x1--\r\n', "a form"),
        (b"payload=%7B%22key%22%3A1%7D", "a form"),
        (b"<?xml version='1.0'?><alert/>", "XML"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": NaN}', "NaN"),
        ("{}".encode("utf-16-le") + b"\x00", "not JSON"),
    ],
)
def test_what_is_no_json_is_told_apart(body, words):
    for kind in set(IntakeKind.values) - {"heartbeat", "email"}:
        answer = receiving.receive(make_token(kind=kind)[1], body, content_type="", address="", at=NOON)
        assert answer.status_code == 400
        assert words in answer.sentence
