"""Whether the engine keeps time, as /healthz/ and the banner tell."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from portal.audit import anchors, sealing, trail, verifying
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import AnchorDelivery
from portal.dashboard import health
from portal.deadlines import services as deadlines
from portal.lib import clock
from portal.notify import services as notify
from tests.factories.deadlines import make_deadline
from tests.factories.directory import NOON
from tests.factories.notify import make_message

WELL = {"overdue": 0.0, "unsent": 0.0, "silent": 1.0, "offset": 0.0}


def test_an_engine_within_its_limits_is_well():
    found = health.judge(**WELL)
    assert found.status == "ok"
    assert found.is_well


@pytest.mark.parametrize(
    ("figure", "value", "words"),
    [
        ("overdue", 61.0, "overdue"),
        ("unsent", 901.0, "waits"),
        ("silent", 61.0, "last sweep"),
        ("silent", None, "No sweep has run yet"),
        ("offset", 11.0, "clock"),
        ("offset", -11.0, "clock"),
    ],
)
def test_each_figure_beyond_its_limit_is_named(figure, value, words):
    found = health.judge(**{**WELL, figure: value})
    assert found.status == "failing"
    assert words in found.problems[0]


@pytest.mark.parametrize(
    ("figure", "value"), [("overdue", 60.0), ("unsent", 900.0), ("silent", 60.0), ("offset", 10.0)]
)
def test_at_its_limit_a_figure_is_still_well(figure, value):
    assert health.judge(**{**WELL, figure: value}).is_well


@pytest.mark.django_db
def test_healthz_answers_200_with_every_figure_while_the_engine_keeps_time(client):
    deadlines.mark_sweep("deadlines", at=clock.database_now())

    answer = client.get("/healthz/")

    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert body["oldest_overdue_seconds"] == 0
    assert body["oldest_unsent_seconds"] == 0
    assert 0 <= body["last_sweep_age_seconds"] < 5
    assert abs(body["clock_offset_seconds"]) < 5


@pytest.mark.django_db
def test_healthz_answers_503_before_the_first_sweep(client):
    answer = client.get("/healthz/")
    assert answer.status_code == 503
    assert answer.json()["last_sweep_age_seconds"] is None


@pytest.mark.django_db
def test_healthz_answers_503_while_a_deadline_is_overdue(client):
    deadlines.mark_sweep("deadlines", at=clock.database_now())
    make_deadline(due_at=clock.now() - timedelta(minutes=5))

    answer = client.get("/healthz/")

    assert answer.status_code == 503
    assert 299 < answer.json()["oldest_overdue_seconds"] < 320


@pytest.mark.django_db
def test_healthz_answers_503_while_a_message_does_not_leave(client):
    deadlines.mark_sweep("deadlines", at=clock.database_now())
    make_message(at=clock.now() - timedelta(hours=1))

    answer = client.get("/healthz/")

    assert answer.status_code == 503
    assert 3599 < answer.json()["oldest_unsent_seconds"] < 3620


@pytest.mark.django_db
def test_healthz_answers_503_in_json_when_a_table_cannot_be_read(client, monkeypatch):
    def fail(**_):
        raise OperationalError("no such table: of a secret name")

    monkeypatch.setattr(notify, "oldest_unsent_seconds", fail)

    answer = client.get("/healthz/")

    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db
def test_the_banner_speaks_once_the_sweep_is_silent_for_more_than_a_minute():
    deadlines.mark_sweep("deadlines", at=NOON)

    assert health.engine_state(NOON + timedelta(seconds=60)).banner == ""
    assert "has not swept for 1 min 01 s" in health.engine_state(NOON + timedelta(seconds=61)).banner


@pytest.mark.django_db
def test_the_banner_speaks_before_the_first_sweep():
    assert "has not started" in health.engine_state(NOON).banner


@pytest.mark.django_db
def test_healthz_tells_how_the_seals_stand_and_does_not_fail_for_it(client):
    deadlines.mark_sweep("deadlines", at=clock.database_now())
    sealing.seal(at=clock.now())
    with acting(by="test", at=clock.now() - timedelta(hours=1)):
        trail.record(Action.EVENT, event="Looked around")

    body = client.get("/healthz/").json()

    assert body["status"] == "ok"
    assert body["oldest_unsealed_seconds"] >= 3599
    assert body["last_anchor_age_seconds"] is body["last_verification_age_seconds"] is None

    sealing.seal(at=clock.now())
    anchors.anchor(at=clock.now())
    AnchorDelivery.objects.update(delivered_at=clock.now() - timedelta(minutes=10))
    verifying.run(now=clock.now)
    body = client.get("/healthz/").json()
    assert body["oldest_unsealed_seconds"] < 10
    assert 599 < body["last_anchor_age_seconds"] < 620
    assert body["last_verification_age_seconds"] < 20
    assert body["last_verification_findings"] == 0
