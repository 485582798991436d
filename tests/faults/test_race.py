"""Acknowledging races the sweep and the senders: no deadlock, and nothing that pages is decided afterwards."""

import itertools
from datetime import timedelta

import pytest
from django.db import connection

from incidents import escalation, services, sweeps
from incidents.models import Incident
from portal.deadlines.models import Deadline
from portal.notify.channels import CHANNELS
from portal.notify.models import Message
from portal.notify.services import send_lane
from portal.records.models import Note
from tests.bench import seed
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.incidents import make_incident, make_policy
from tests.factories.notify import FakeChannel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 500 if connection.vendor == "postgresql" else 100
SECOND = timedelta(seconds=1)


@pytest.fixture
def sent(monkeypatch):
    channel = FakeChannel()
    monkeypatch.setitem(CHANNELS, "email", channel)
    return channel


def test_nothing_is_decided_after_an_acknowledgement(together, sent):
    ada, system = make_contact("Ada"), make_system("bench-race")
    policy = make_policy(steps=[ada, ada, ada], systems=[system], delay=1, repeat=20)
    moments = [NOON + number * timedelta(hours=1) for number in range(ROUNDS)]
    ids = seed.incidents(ROUNDS, declared_at=NOON)
    seed.escalating(ids, policy, started_at=NOON, due=moments)
    paged_first = 0
    for at, pk in zip(moments, ids, strict=True):
        incident = Incident.objects.get(pk=pk)
        together(
            lambda at=at: sweeps.sweep_incidents(at=at),
            lambda at=at, incident=incident: services.acknowledge(incident, by=ada, at=at),
            lambda at=at: [send_lane("email", now=lambda: at) for _ in range(2)],
        )
        paged_first += check(incident)
    assert 0 < paged_first < ROUNDS


def check(incident):
    """Check that nothing of an acknowledged incident waits or follows; return whether a page came first."""
    notes = list(Note.objects.filter(subject_id=incident.pk, kind__in=["paged", "acknowledged"]).order_by("pk"))
    kinds = [note.kind for note in notes]
    assert kinds in (["acknowledged"], ["paged", "acknowledged"])
    assert not Deadline.objects.filter(subject_id=incident.pk, kind=escalation.ESCALATION, state="pending").exists()
    messages = list(Message.objects.filter(about_id=incident.pk).exclude(lane="inbox"))
    assert all(row.stopped_at is not None and row.state in {"cancelled", "sent", "sending"} for row in messages)
    assert all(row.generation == 1 for row in messages)
    return len(kinds) == 2


@pytest.mark.postgresql_only
def test_a_sweep_and_an_acknowledgement_of_many_incidents_never_deadlock(together, sent):
    ada, system = make_contact("Ada"), make_system()
    make_policy(steps=[ada, ada], systems=[system], delay=1)
    for round_number in range(10):
        at = NOON + round_number * timedelta(hours=1)
        incidents = [make_incident(systems=[system], at=at) for _ in range(20)]
        together(
            lambda at=at: [sweeps.sweep_incidents(at=at + n * SECOND) for n in range(1, 4)],
            lambda at=at, some=incidents: [services.acknowledge(one, by=ada, at=at + SECOND) for one in reversed(some)],
            lambda at=at: [send_lane("email", now=lambda: at + SECOND) for _ in range(5)],
        )
        for incident in incidents:
            check_quiet(incident)


def check_quiet(incident):
    notes = Note.objects.filter(subject_id=incident.pk).order_by("pk").values_list("kind", flat=True)
    assert "paged" not in list(itertools.dropwhile(lambda kind: kind != "acknowledged", notes))
    assert not Message.objects.filter(about_id=incident.pk, stopped_at=None).exclude(lane="inbox").exists()
