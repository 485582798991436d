"""POST /intake/<token>/ answers everybody with a sentence, never with a 500, and never writes the secret."""

from __future__ import annotations

import io
import json
import threading

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents import services
from incidents.enums import Status
from incidents.intake import settling, views
from incidents.models import Incident, IntakeDelivery
from tests.factories.directory import make_system
from tests.factories.incidents import make_token
from tests.factories.payloads import body

db = pytest.mark.django_db


@pytest.fixture
def secret():
    return make_token("Prometheus")[1]


def post(secret, found, **extra):
    return Client(enforce_csrf_checks=True).post(f"/intake/{secret}/", found, "application/json", **extra)


@db
def test_an_alert_needs_no_sign_in_and_no_csrf_token(secret):
    answer = post(secret, body("v4_firing"))
    incident = Incident.objects.get()
    assert answer.status_code == 200
    assert answer.json()["status"] == "opened"
    assert answer.json()["incident"] == incident.reference
    assert answer.json()["url"].endswith(f"/incidents/{incident.reference}/")


@db
def test_the_last_slash_may_be_missing(secret):
    assert Client().post(f"/intake/{secret}", body("v4_firing"), "application/json").status_code == 200


@db
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_the_content_type_does_not_matter(secret, content_type):
    answer = Client().generic("POST", f"/intake/{secret}/", body("v4_firing"), content_type)
    assert answer.status_code == 200


@db
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_other_methods_are_answered_405_whatever_the_token(secret, method):
    for token in (secret, "unknown"):
        answer = getattr(Client(), method)(f"/intake/{token}/")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST"
        if method != "head":
            assert answer.json()["sentence"] == "Alerts come in by POST. There is nothing to read here."


@db
def test_an_unknown_and_a_revoked_address_are_answered_alike(secret):
    make_token(secret="gone", revoked_at="2026-11-01T00:00Z", revoked_by="Amara")
    unknown, revoked = post("never-made", body("v4_firing")), post("gone", body("v4_firing"))
    assert unknown.status_code == revoked.status_code == 404
    assert unknown.content == revoked.content
    assert not IntakeDelivery.objects.exists()


@db
@pytest.mark.parametrize("token", ["%00", "ü", "x" * 5000, "..", "%F0%9F%98%80"])
def test_an_odd_address_is_unknown(token):
    assert post(token, b"{}").status_code == 404


@db
@pytest.mark.parametrize(
    ("found", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 422), (b'{"status": "firing"}', 422), (b'"' + b"x" * 300_000 + b'"', 413)],
)
def test_a_bad_body_is_answered_with_a_sentence(secret, found, status):
    answer = post(secret, found)
    assert answer.status_code == status
    assert answer.json()["status"] == "refused"
    assert answer.json()["sentence"].endswith(".")


class Endless(io.RawIOBase):
    """A body without an end, which counts what is read of it."""

    taken = 0

    def read(self, size=-1):
        assert size >= 0, "a read without a limit"
        self.taken += size
        return b"x" * size


@db
@pytest.mark.parametrize("length", [str(10**12), str(256 * 1024 + 1)])
def test_no_more_than_the_limit_is_ever_read(secret, length):
    stream = Endless()
    factory = RequestFactory()
    environ = factory._base_environ(
        PATH_INFO=f"/intake/{secret}/", REQUEST_METHOD="POST", CONTENT_LENGTH=length, **{"wsgi.input": stream}
    )
    request = factory.request(**environ)
    answer = views.intake(request, secret)
    assert answer.status_code == 413
    assert stream.taken <= 256 * 1024 + 1
    assert len(bytes(IntakeDelivery.objects.get().body)) == 16 * 1024


@db
def test_a_body_shorter_than_its_length_says_is_refused(secret):
    factory = RequestFactory()
    environ = factory._base_environ(
        PATH_INFO="/", REQUEST_METHOD="POST", CONTENT_LENGTH="5000", **{"wsgi.input": io.BytesIO(b'{"groupKey": "a')}
    )
    assert views.intake(factory.request(**environ), secret).status_code == 400


@db
def test_a_chunked_body_is_read_where_the_server_ends_it(secret):
    factory = RequestFactory()
    chunked = {"PATH_INFO": "/", "REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    stream = {"wsgi.input": io.BytesIO(body("v4_firing"))}
    request = factory.request(**factory._base_environ(**chunked, **stream, **{"wsgi.input_terminated": True}))
    assert views.intake(request, secret).status_code == 200
    request = factory.request(**factory._base_environ(**chunked, **stream))
    assert views.intake(request, secret).status_code == 411


@db
def test_nothing_of_a_strangers_body_is_read():
    factory = RequestFactory()
    stream = Endless()
    environ = factory._base_environ(
        PATH_INFO="/", REQUEST_METHOD="POST", CONTENT_LENGTH="5000", **{"wsgi.input": stream}
    )
    assert views.intake(factory.request(**environ), "stranger").status_code == 404
    assert stream.taken == 0


@db
@pytest.mark.parametrize("problem", [OperationalError, InterfaceError])
@pytest.mark.parametrize("where", ["incidents.intake.tokens.find", "incidents.services.declare"])
def test_a_database_that_is_down_is_answered_503(secret, monkeypatch, problem, where):
    def down(*_, **__):
        raise problem("the connection is lost")

    monkeypatch.setattr(where, down)
    answer = post(secret, body("v4_firing"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "15"
    assert "Send it again" in answer.json()["sentence"]


@db
def test_the_secret_is_not_written_to_the_log(secret, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    post(secret, b"{")
    Client().get(f"/intake/{secret}/")
    post("another-secret", b"{}")
    monkeypatch.setattr(settling.services, "declare", lambda **_: 1 / 0)
    post(secret, body("v4_firing"))
    written = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert secret not in written
    assert "another-secret" not in written


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
groups = st.fixed_dictionaries(
    {
        "groupKey": st.text(min_size=1, alphabet=st.characters()),
        "status": st.sampled_from(["firing", "resolved"]),
        "alerts": st.lists(
            st.fixed_dictionaries({}, optional={"labels": st.dictionaries(st.text(), st.text(st.characters()))}),
            min_size=1,
            max_size=3,
        ),
    },
    optional={"commonLabels": st.dictionaries(st.text(st.characters()), st.text(st.characters()), max_size=3)},
)


@db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups | json_values)
def test_no_body_is_ever_answered_500(secret, value):
    assert post(secret, json.dumps(value).encode()).status_code in {200, 400, 422}


@db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_are_ever_answered_500(secret, value):
    assert post(secret, value).status_code in {400, 422}


def together(count, call):
    """Call it in several threads at the same moment, each with a connection of its own; return what came back."""
    start, found = threading.Barrier(count), []

    def one():
        try:
            start.wait(10)
            found.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.django_db(transaction=True)
def test_posts_of_one_new_key_at_the_same_moment_open_one_incident(monkeypatch):
    tries, declare = [], services.declare
    monkeypatch.setattr(services, "declare", lambda **words: tries.append(words) or declare(**words))
    make_system("ticket-store")
    secret = make_token()[1]
    answers = together(6, lambda: post(secret, body("v4_firing")).json()["status"])
    assert sorted(answers) == ["joined"] * 5 + ["opened"]
    assert Incident.objects.count() == 1
    assert Incident.objects.get().alerts.get().count == 6
    assert len(tries) == 1  # the others waited for it, instead of opening one in vain


@pytest.mark.django_db(transaction=True)
def test_posts_that_reopen_at_the_same_moment_reopen_once():
    secret = make_token()[1]
    post(secret, body("v4_firing"))
    post(secret, body("v4_resolved"))
    answers = together(4, lambda: post(secret, body("v4_firing")).json()["status"])
    assert sorted(answers) == ["joined"] * 3 + ["reopened"]
    assert Incident.objects.get().status == Status.DECLARED


@pytest.mark.django_db(transaction=True)
def test_firing_and_resolved_at_the_same_moment_leave_a_whole_record():
    secret = make_token()[1]
    posts = [body("v4_firing"), body("v4_resolved")] * 3
    lock = threading.Lock()

    def call():
        with lock:
            found = posts.pop()
        return post(secret, found).status_code

    assert together(6, call) == [200] * 6
    assert Incident.objects.count() == 1
    assert IntakeDelivery.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_what_is_answered_2xx_has_been_committed():
    secret = make_token()[1]
    post(secret, body("v4_firing"))
    seen = together(1, lambda: (Incident.objects.count(), IntakeDelivery.objects.count()))
    assert seen == [(1, 1)]


@db
def test_a_tool_that_knows_only_a_routing_key_posts_to_the_events_api():
    secret = make_token("Events", kind="pagerduty")[1]
    event = {"routing_key": secret, "event_action": "trigger", "payload": {"summary": "Queue is full"}}
    answer = Client(enforce_csrf_checks=True).post("/v2/enqueue", json.dumps(event), "application/json")
    assert answer.status_code == 202
    assert answer.json()["status"] == "success"
    assert answer.json()["dedup_key"]
    assert answer.json()["incident"] == Incident.objects.get().reference
    resolve = {"routing_key": secret, "event_action": "resolve", "dedup_key": answer.json()["dedup_key"]}
    assert Client().post("/v2/enqueue", json.dumps(resolve), "application/json").status_code == 202
    assert Incident.objects.get().status == Status.RESOLVED


@db
def test_a_change_event_is_kept_with_the_deliveries_and_opens_nothing():
    secret = make_token("Events", kind="pagerduty")[1]
    event = {"routing_key": secret, "payload": {"summary": "Build 88 was deployed.", "source": "ci"}, "links": []}
    for address in ("/v2/change/enqueue", "/v2/change/enqueue/"):
        answer = Client(enforce_csrf_checks=True).post(address, json.dumps(event), "application/json")
        assert (answer.status_code, answer.json()["status"]) == (202, "success")
        assert "dedup_key" not in answer.json()
        assert "Build 88 was deployed. It opens no incident" in answer.json()["sentence"]
    assert not Incident.objects.exists()
    assert set(IntakeDelivery.objects.values_list("result", "status_code")) == {("accepted", 200)}


@db
@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"payload": {"summary": "Deployed"}}, "routing_key is not known"),
        ({"routing_key": "KEY", "event_action": "trigger", "payload": {"summary": "Full"}}, "This is an alert"),
        ({"routing_key": "KEY"}, "payload is missing"),
        ({"routing_key": "KEY", "payload": {"summary": " "}}, "payload.summary is missing"),
        ({"routing_key": "KEY", "payload": {"summary": {"a": 1}}}, "payload.summary"),
    ],
)
def test_a_bad_change_event_is_answered_400_with_a_sentence(event, words):
    make_token("Events", kind="pagerduty", secret="KEY")
    answer = Client().post("/v2/change/enqueue", json.dumps(event), "application/json")
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert words in answer.json()["errors"][0]
    assert Client().get("/v2/change/enqueue").status_code == 405


@db
@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"event_action": "trigger"}, "routing_key is not known"),
        ({"routing_key": "never-made", "event_action": "trigger"}, "routing_key is not known"),
        ({"routing_key": [1]}, "routing_key is not known"),
        ({"routing_key": "KEY", "event_action": "trigger"}, "payload is missing"),
        ({"routing_key": "KEY", "payload": {"summary": "Deployed"}}, "This is a change event"),
    ],
)
def test_a_bad_event_is_answered_400_as_the_events_api_does(event, words):
    secret = make_token("Events", kind="pagerduty", secret="KEY")[1]
    make_token("Other", kind="json", secret="other")
    for found in (json.dumps(event), json.dumps({"routing_key": "other"}), "{"):
        answer = Client().post("/v2/enqueue", found, "application/json")
        assert answer.status_code == 400
        assert answer.json()["status"] == "invalid event"
    answer = Client().post("/v2/enqueue", json.dumps(event), "application/json")
    assert words in answer.json()["errors"][0]
    assert Client().get("/v2/enqueue").status_code == 405
    assert Client().post(f"/intake/{secret}/", "{}", "application/json").json()["status"] == "invalid event"
