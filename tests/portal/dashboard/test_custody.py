"""Whoever is handed evidence hears of it once."""

from datetime import timedelta

import pytest

from portal.dashboard import custody, sweeping
from portal.notify.models import Message
from portal.records.evidence import services
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.evidence import make_evidence
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def mei():
    return make_contact("Mei", user=make_user("mei", roles=["responder"]))


def hand_over(item, to, at=NOON):
    return services.hand_over(item, to=to, by=item.holder.user, at=at, reason="She knows the disk")


def test_the_receiver_is_told_once(mei):
    item = hand_over(make_evidence(), mei)
    assert custody.look(at=NOON + MINUTE) > 0
    assert custody.look(at=NOON + 2 * MINUTE) == 0
    told = Message.objects.filter(kind=custody.HANDED, lane="email").get()
    assert told.contact == mei
    assert told.about_reference == item.reference
    assert f"hands evidence {item.reference} over to you" in told.title
    assert "She knows the disk" in told.body


def test_a_second_handover_is_told_too(mei):
    item = hand_over(make_evidence(), mei)
    custody.look(at=NOON + MINUTE)
    services.end_handover(item, by=mei.user, at=NOON + 2 * MINUTE, reason="Not me")
    item.refresh_from_db()
    hand_over(item, mei, at=NOON + 3 * MINUTE)
    assert custody.look(at=NOON + 4 * MINUTE) > 0


def test_what_was_received_meanwhile_is_not_told(mei):
    item = hand_over(make_evidence(), mei)
    services.receive(item, by=mei.user, at=NOON)
    assert custody.look(at=NOON + MINUTE) == 0


def test_evidence_of_a_drill_says_so(mei):
    hand_over(make_evidence(subject=make_incident(is_drill=True)), mei)
    custody.look(at=NOON + MINUTE)
    assert not Message.objects.filter(kind=custody.HANDED).exclude(title__startswith="DRILL: ").exists()


def test_the_engine_looks(mei):
    hand_over(make_evidence(), mei)
    sweeping.sweep_deadlines(now=lambda: NOON + MINUTE)
    assert Message.objects.filter(kind=custody.HANDED).exists()
