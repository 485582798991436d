"""Custody and trail hold one another: neither says what the other does not."""

from datetime import timedelta

import pytest

from portal.audit import trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.reconciling.findings import Kind as Found
from portal.audit.reconciling.telling import Facts, Groundless
from portal.records.evidence import services, verifying
from portal.records.evidence.enums import Kind
from portal.records.evidence.models import CustodyEvent
from tests.factories.directory import NOON
from tests.factories.evidence import make_evidence, make_holder

pytestmark = pytest.mark.django_db

MOST = 1000


def findings():
    return [(finding.kind, finding.model) for finding in Facts(CustodyEvent).look(None, MOST).findings]


@pytest.fixture
def holder():
    return make_holder("ada")


@pytest.fixture
def item(holder):
    return make_evidence(by=holder)


def test_what_is_done_with_evidence_is_told_alike_in_both(item, holder):
    receiver = make_holder("mei")
    services.view(item, by=receiver, at=NOON, how="as a report")
    services.download(item, by=receiver, at=NOON).close()
    services.hand_over(item, to=receiver.contact, by=holder, at=NOON, reason="She knows the disk")
    services.receive(item, by=receiver, at=NOON)
    verifying.read_again(item.stored, now=lambda: NOON + timedelta(days=1))
    assert set(CustodyEvent.objects.values_list("kind", flat=True)) >= {
        Kind.COLLECTED, Kind.VIEWED, Kind.DOWNLOADED, Kind.HANDED_OVER, Kind.RECEIVED, Kind.VERIFIED,
    }  # fmt: skip
    assert findings() == []


def test_an_event_that_the_trail_does_not_tell_is_found(item, holder):
    with acting(by=holder, at=NOON):
        CustodyEvent(evidence=item, kind=Kind.VIEWED, at=NOON, actor_name="Ada", digest=item.stored.digest).save()
    assert findings() == [(Found.UNHEARD, "records.custodyevent")]


def test_an_event_of_another_moment_is_found(item, holder):
    with acting(by=holder, at=NOON, anew=True) as context:
        trail.record(Action.READ, event="Viewed", subject=item)
        CustodyEvent(
            evidence=item, kind=Kind.VIEWED, at=NOON + timedelta(hours=1), actor_name=str(holder),
            gesture=context.gesture,
            actor_user_id=holder.pk, digest=item.stored.digest,
        ).save()  # fmt: skip
    assert findings() == [(Found.MISHEARD, "records.custodyevent")]


def test_a_row_of_the_trail_without_its_event_has_no_ground(item, holder):
    with acting(by=holder, at=NOON, anew=True):
        trail.record(Action.EXPORTED, event="Downloaded", subject=item)
    found = Groundless([], [Facts(CustodyEvent)]).look(None, MOST).findings
    assert [finding.kind for finding in found if finding.model == "records.evidence"][-1:] == [Found.BASELESS]
