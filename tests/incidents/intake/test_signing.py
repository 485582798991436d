"""Signed addresses take in what is signed, lately, and once."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from incidents.intake import receiving, signing
from incidents.intake.posts import Post
from incidents.models import Incident, IntakeDelivery, IntakeSecret, SeenSignature
from incidents.policy import Refused
from tests.factories.directory import NOON
from tests.factories.sources import REASON, make_signed, signature

pytestmark = pytest.mark.django_db
BODY = json.dumps({"key": "k", "title": "It hurts"}).encode()


def take(token, body=BODY, headers=None, *, at=NOON):
    return receiving.take(Post(token, body, content_type="", address="192.0.2.7", at=at, headers=headers or {}))


def mac(secret, body):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_what_is_signed_comes_in_and_nothing_else():
    token, _, secret = make_signed()
    assert take(token, headers=signature(secret, BODY)).status == "opened"
    other = signature(secret, b"another body")
    for headers, status in (({}, 401), ({signing.HEADER: "t=1"}, 401), ({signing.HEADER: "x"}, 401), (other, 403)):
        answer = take(token, headers=headers)
        assert answer.status_code == status
        assert answer.sentence.endswith((".", "HMAC."))
    assert Incident.objects.count() == 1
    assert IntakeDelivery.objects.filter(result="rejected").count() == 4


def test_both_of_two_secrets_are_good_until_the_old_one_is_retired():
    token, _, old = make_signed()
    new = signing.add_secret(token, by="system: tests", at=NOON, reason=REASON)
    with pytest.raises(Refused, match="Two secrets are in use already"):
        signing.add_secret(token, by="system: tests", at=NOON, reason=REASON)
    assert take(token, headers=signature(old, BODY)).status == "opened"
    assert take(token, headers=signature(new, BODY, at=NOON + timedelta(seconds=1))).status == "joined"
    rows = list(IntakeSecret.objects.order_by("id"))
    signing.retire_secret(rows[0], by="system: tests", at=NOON, reason=REASON)
    assert take(token, headers=signature(old, BODY, at=NOON + timedelta(seconds=2))).status_code == 403
    with pytest.raises(Refused, match="only secret"):
        signing.retire_secret(rows[1], by="system: tests", at=NOON, reason=REASON)
    with pytest.raises(Refused, match="retired already"):
        signing.retire_secret(rows[0], by="system: tests", at=NOON, reason=REASON)
    kept = str([*IntakeSecret.objects.values(), *IntakeSecret.history.values()])
    assert old not in kept
    assert new not in kept


@pytest.mark.parametrize(("seconds", "word"), [(301, "old"), (-301, "ahead")])
def test_a_signature_outside_of_the_window_is_refused(seconds, word):
    token, _, secret = make_signed()
    answer = take(token, headers=signature(secret, BODY, at=NOON - timedelta(seconds=seconds)))
    assert answer.status_code == 403
    assert word in answer.sentence
    assert take(token, headers=signature(secret, BODY, at=NOON - timedelta(seconds=300))).status == "opened"


def test_a_replayed_delivery_is_refused_and_pages_nobody_twice():
    token, _, secret = make_signed()
    headers = signature(secret, BODY)
    take(token, headers=headers)
    answer = take(token, headers=headers, at=NOON + timedelta(seconds=9))
    assert (answer.status_code, answer.status) == (409, "refused")
    assert "came in already" in answer.sentence
    assert IntakeDelivery.objects.filter(status_code=409).count() == 1
    assert Incident.objects.get().alerts.get().count == 1


def test_what_could_not_be_taken_in_may_be_sent_again(monkeypatch):
    token, _, secret = make_signed()
    headers = signature(secret, BODY)
    with monkeypatch.context() as broken:
        broken.setattr(receiving.settling.services, "declare", lambda **_: 1 / 0)
        assert take(token, headers=headers).status_code == 503
    assert take(token, headers=headers).status == "opened"


def test_signatures_are_forgotten_when_their_time_refuses_them():
    token, _, secret = make_signed()
    take(token, headers=signature(secret, BODY))
    later = NOON + timedelta(seconds=400)
    assert SeenSignature.objects.count() == 1
    assert take(token, headers=signature(secret, BODY)).status_code == 409
    assert take(token, headers=signature(secret, BODY, at=later), at=later).status == "joined"
    assert SeenSignature.objects.get().expires_at > later
    assert take(token, headers=signature(secret, BODY), at=later).status_code == 403


def test_grafanas_own_header_is_good_with_a_time_and_alone_only_where_that_is_allowed():
    token, _, secret = make_signed()
    time = str(int(NOON.timestamp()))
    timed = {signing.GRAFANA_HEADER: mac(secret, f"{time}:".encode() + BODY), signing.TIME_HEADER: time}
    assert take(token, headers=timed).status == "opened"
    assert take(token, headers=timed).status_code == 409
    assert "does not say when" in take(token, headers={"x-hub-signature-256": f"sha256={mac(secret, BODY)}"}).sentence
    lax, _, other = make_signed(signing_="body")
    for _ in range(2):
        assert take(lax, headers={"x-hub-signature-256": f"sha256={mac(other, BODY)}"}).status_code == 200
    assert take(lax, headers={signing.GRAFANA_HEADER: mac(secret, BODY)}).status_code == 403
    assert take(lax, headers={**timed, signing.TIME_HEADER: "soon"}).status_code == 401


def test_an_address_whose_secrets_cannot_be_read_says_so(settings):
    token, _, secret = make_signed()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "y" * 50 + "abcde"
    assert "no secret that could be read" in take(token, headers=signature(secret, BODY)).sentence
    settings.SECRET_KEY_FALLBACKS = [old]
    assert take(token, headers=signature(secret, BODY)).status == "opened"
