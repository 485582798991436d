"""A source that falls silent opens one incident; its next ping resolves it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from incidents import sweeps
from incidents.enums import Status
from incidents.intake import heartbeats, receiving, tokens
from incidents.intake.posts import Post
from incidents.models import Heartbeat, Incident, IntakeDelivery
from incidents.policy import Refused
from portal.deadlines.models import Deadline
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_token
from tests.factories.sources import REASON

pytestmark = pytest.mark.django_db


def after(**span):
    return NOON + timedelta(**span)


@pytest.fixture
def token():
    make_system("nightly-backup", name="Backups")
    return make_token("nightly-backup", kind="heartbeat", every_minutes=10, grace_minutes=2)[0]


def ping(token, *, at=NOON):
    return receiving.take(Post(token, b"", content_type="", address="", at=at))


def pending():
    return list(Deadline.objects.filter(kind=heartbeats.SILENCE, state="pending").values_list("due_at", flat=True))


def test_each_ping_moves_the_one_deadline_on(token):
    assert ping(token).status == "first"
    assert ping(token, at=after(minutes=9)).status == "heard"
    assert pending() == [after(minutes=21)]
    assert Deadline.objects.filter(kind=heartbeats.SILENCE).count() == 1
    assert Heartbeat.objects.get().count == 2
    assert IntakeDelivery.objects.count() == 1
    assert sweeps.sweep_incidents(at=after(minutes=20)) == 0


def test_silence_opens_one_incident_and_the_next_ping_resolves_it(token):
    ping(token)
    for minute in (12, 13, 40):
        sweeps.sweep_incidents(at=after(minutes=minute))
    incident = Incident.objects.get()
    assert incident.title == "nightly-backup has fallen silent"
    assert incident.source == "nightly-backup"
    assert [system.name for system in incident.systems.all()] == ["Backups"]
    assert ping(token, at=after(minutes=50)).status == "resolved"
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_by) == (Status.RESOLVED, "source: nightly-backup")
    assert pending() == [after(minutes=62)]
    sweeps.sweep_incidents(at=after(minutes=63))
    incident.refresh_from_db()
    assert incident.status == Status.DECLARED
    assert Incident.objects.count() == 1


def test_nothing_is_expected_before_the_first_ping_nor_while_paused(token):
    assert sweeps.sweep_incidents(at=after(days=9)) == 0
    ping(token)
    heartbeats.pause(token, by="system: tests", at=after(minutes=1), reason=REASON)
    assert ping(token, at=after(minutes=2)).status == "paused"
    sweeps.sweep_incidents(at=after(days=1))
    assert not Incident.objects.exists()
    with pytest.raises(Refused, match="paused already"):
        heartbeats.pause(token, by="system: tests", at=after(minutes=3), reason=REASON)
    heartbeats.resume(token, by="system: tests", at=after(days=1), reason=REASON)
    assert pending() == [after(days=1, minutes=12)]
    with pytest.raises(Refused, match="is not paused"):
        heartbeats.resume(token, by="system: tests", at=after(days=1), reason=REASON)
    with pytest.raises(Refused, match="no heartbeat"):
        heartbeats.pause(make_token()[0], by="system: tests", at=NOON, reason=REASON)


def test_a_revoked_heartbeat_falls_silent_unheard(token):
    ping(token)
    tokens.revoke(token, by="system: tests", at=after(minutes=1), reason=REASON)
    sweeps.sweep_incidents(at=after(days=1))
    assert not Incident.objects.exists()


def test_another_rhythm_moves_the_deadline(token):
    ping(token)
    token.every_minutes = 30
    token.save()
    heartbeats.follow_rhythm(token)
    assert pending() == [after(minutes=32)]


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_cron_pings_with_whatever_it_has(method):
    secret = make_token("Cron", kind="heartbeat")[1]
    answer = getattr(Client(), method)(f"/intake/{secret}/")
    assert answer.status_code == 200
    assert Heartbeat.objects.get().last_at
