"""How a CI system reports a gate: by POST, with its token, and an answer that says what to do."""

import json

import pytest
from django.db import OperationalError

from changes import services
from changes.gatecall import NO_COMMIT
from changes.models import Gate, GateReport
from tests.factories.approvals import make_person
from tests.factories.changes import make_approved, make_change, make_started
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db
GOOD = {"commit": "5d1e0a4", "result": "passed", "url": "https://ci.example.org/runs/7"}


@pytest.fixture
def secret():
    administrator = make_person("Kwame Mensah", "administrator")
    return services.hand_out_token("CI", by=administrator, at=NOON, reason="Gates")[1]


@pytest.fixture
def post(client, secret):
    def send(change, body=GOOD, *, gate="tests", token=secret, **extra):
        data = body if isinstance(body, bytes) else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"/changes/{getattr(change, 'reference', change)}/gates/{gate}/"
        return client.post(address, data, content_type="application/json", headers=headers, **extra)

    return send


def test_a_report_is_kept_with_what_shows_it_and_who_sent_it(post):
    change = make_change()
    answer = post(change)
    assert (answer.status_code, answer.json()["ok"]) == (201, True)
    report = GateReport.objects.get(change=change)
    assert (report.commit, report.url, report.reported_by, report.origin) == (
        GOOD["commit"], GOOD["url"], "token: CI", "api",
    )  # fmt: skip


def test_the_same_report_again_is_told_so(post):
    change = make_change()
    post(change)
    answer = post(change)
    assert answer.status_code == 409
    assert "reported so already" in answer.json()["message"]
    assert GateReport.objects.count() == 1


def test_the_approval_is_never_ticked_by_a_token(post):
    answer = post(make_approved(), gate="approval")
    assert answer.status_code == 409
    assert "portal alone" in answer.json()["message"]


def test_a_change_that_is_under_way_keeps_its_gates(post):
    assert post(make_started(), {**GOOD, "result": "failed"}).status_code == 409


@pytest.mark.parametrize("token", ["", "wrong", "wb-\N{SNOWMAN}"])
def test_without_a_token_that_counts_nothing_is_taken(post, token):
    answer = post(make_change(), token=token.encode("ascii", "ignore").decode())
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert not GateReport.objects.exists()


def test_a_token_that_was_revoked_counts_no_more(post, secret):
    token = services.token_of(secret)
    services.revoke_token(token, by=make_person("Kwame", "administrator"), at=NOON, reason="Lost")
    assert post(make_change()).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff", b"[]", b'"x"', b"[" * 4000, {}, {"result": "perhaps", "commit": "5d1e0a4"}, {"commit": "5d1e0a4"},
        {**GOOD, "result": 1}, {**GOOD, "extra": "x"}, {**GOOD, "commit": "not hexadecimal"}, {**GOOD, "commit": "5"},
        {**GOOD, "url": "javascript:alert(1)"}, {**GOOD, "url": "x" * 600}, {**GOOD, "note": "a\0b"},
        {"result": "passed"}, {**GOOD, "commit": {"a": 1}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_sentence(post, body):
    answer = post(make_change(), body)
    assert answer.status_code in {409, 422}
    assert answer.json()["message"].endswith((".", "}."))
    assert not GateReport.objects.exists()


def test_a_machine_names_the_commit_that_it_speaks_of(post):
    answer = post(make_change(), {"result": "passed", "url": GOOD["url"]})
    assert (answer.status_code, answer.json()["message"]) == (422, NO_COMMIT)
    assert not GateReport.objects.exists()


def test_too_much_is_refused(post):
    assert post(make_change(), b" " * 20_000).status_code == 413


def test_what_is_not_there_is_named(post):
    change = make_change()
    assert post("CHG-999999").status_code == 404
    answer = post(change, gate="luck")
    assert answer.status_code == 404
    assert "code-review, tests, security-scan" in answer.json()["message"]


def test_there_is_nothing_to_read(client):
    answer = client.get(f"/changes/{make_change().reference}/gates/tests/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_gate_that_is_asked_no_more_is_not_reported(post):
    gate = Gate.objects.get(slug="tests")
    gate.active = False
    gate.save()
    assert "asked no more" in post(make_change()).json()["message"]


def test_a_database_out_of_reach_asks_for_the_report_again(post, monkeypatch):
    def away(_secret):
        raise OperationalError

    monkeypatch.setattr(services, "token_of", away)
    answer = post(make_change())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
