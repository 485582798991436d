"""What other tools really send becomes an incident at the right address, and a 4xx with a sentence elsewhere."""

from __future__ import annotations

import json

import pytest

from incidents.enums import IntakeKind
from incidents.intake import receiving
from incidents.models import Incident, IntakeDelivery
from tests.factories.directory import NOON
from tests.factories.incidents import make_token
from tests.factories.payloads import SAMPLES_ABSENT, real_payloads

pytestmark = pytest.mark.django_db

# File: the kind of address that reads it, what comes of it, and the title or a part of the sentence.
EXPECTED = {
    "alerta_cloudwatch_insufficient_data": ("", "refused", "kind sns"),
    "alerta_cloudwatch_subscription_confirmation": ("", "refused", "kind sns"),
    "alerta_grafana_alert_alerting": ("grafana", "opened", "Zeta CPU alert"),
    "alerta_grafana_example": ("grafana", "opened", "Load peaking!"),
    "alerta_new_relic_notification": ("generic", "opened", "New Relic Alert - Test Condition"),
    "alerta_pingdom_down": ("generic", "opened", "Alerta API on OpenShift"),
    "alerta_prometheus_v3_alert": ("alertmanager", "opened", "Connect fail"),
    "alerta_prometheus_v4_alert": ("alertmanager", "opened", "No things for over 10 minutes"),
    "alerta_riemann_alert": ("generic", "kept", "nothing to resolve"),
    "alerta_stackdriver_open": ("generic", "opened", "CPU (agent) for webserver-85 is above"),
    "alerta_telegram_close": ("generic", "refused", "Neither a title nor a key was found"),
    "keep_axiom_alerts": ("generic", "opened", "Triggered: New monitor"),
    "keep_checkmk_alerts": ("generic", "kept", "nothing to resolve"),
    "keep_coralogix_alerts": ("generic", "opened", "Keep"),
    "keep_datadog_alerts": ("generic", "refused", "Neither a title nor a key was found"),
    "keep_grafana_alerts": ("generic", "refused", "Neither a title nor a key was found"),
    "keep_libre_nms_alerts": ("generic", "kept", "nothing to resolve"),
    "keep_prometheus_alerts": ("generic", "refused", "Neither a title nor a key was found"),
    "keep_signalfx_alerts": ("generic", "refused", "Neither a title nor a key was found"),
    "keep_wazuh_alerts": ("generic", "opened", "New dpkg (Debian Package) installed."),
}


def test_the_samples_are_there():
    """Without them the tests below say nothing."""
    if not real_payloads():
        pytest.skip(SAMPLES_ABSENT)
    assert EXPECTED.keys() <= {path.stem for path in real_payloads()}


@pytest.mark.parametrize("path", real_payloads(), ids=lambda path: path.stem)
def test_every_sample_is_answered_at_every_kind_of_address_and_kept(path):
    right, wanted, words = EXPECTED.get(path.stem, ("", "", ""))
    body = path.read_bytes()
    for number, kind in enumerate(IntakeKind.values):
        token, secret = make_token(kind=kind)
        answer = receiving.receive(secret, body, content_type="application/json", address="192.0.2.7", at=NOON)
        kept = IntakeDelivery.objects.get(token=token)
        assert (bytes(kept.body), kept.sentence) == (body, answer.sentence)
        assert IntakeDelivery.objects.count() == number + 1
        assert answer.sentence.endswith(".")
        assert answer.status_code == 200 or 400 <= answer.status_code < 500
        if answer.incident is not None:
            assert answer.incident.title
        if kind == right:
            assert answer.status == wanted, answer.sentence
            assert words in (answer.incident.title if answer.incident else answer.sentence)
        elif kind in {"pagerduty", "uptime-kuma", "json"}:
            assert answer.status_code == 422


@pytest.mark.parametrize("path", real_payloads(), ids=lambda path: path.stem)
def test_a_sample_at_the_wrong_address_is_told_which_kind_reads_it(path):
    right, wanted, _ = EXPECTED.get(path.stem, ("", "", ""))
    if wanted in {"", "refused"}:
        return
    secret = make_token(kind="pagerduty")[1]
    answer = receiving.receive(secret, path.read_bytes(), content_type="", address="", at=NOON)
    assert answer.status_code == 422
    if path.stem != "keep_wazuh_alerts":  # a shape that many tools share
        assert f"of the kind {right}." in answer.sentence
    assert not Incident.objects.exists()


@pytest.mark.parametrize("path", real_payloads(), ids=lambda path: path.stem)
def test_a_sample_that_comes_twice_opens_one_incident(path):
    secret = make_token(kind=EXPECTED.get(path.stem, ("generic",))[0] or "generic")[1]
    for _ in range(2):
        receiving.receive(secret, path.read_bytes(), content_type="", address="", at=NOON)
    assert Incident.objects.count() <= 1


def test_garbage_is_refused_at_every_kind_of_address():
    for kind in set(IntakeKind.values) - {"heartbeat"}:  # any request is a ping
        secret = make_token(kind=kind)[1]
        for body in (b"", b"{", b"[]", b"{}", b"\xff\xfe", json.dumps({"a": [1]}).encode()):
            answer = receiving.receive(secret, body, content_type="", address="", at=NOON)
            assert 400 <= answer.status_code < 500
            assert answer.sentence.endswith(".")
