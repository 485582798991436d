"""Urgent messages keep repeating: whatever way fails, and only to people who are still there."""

import pytest

from portal.notify import sending, services
from portal.notify.channels import DeliveryError
from portal.notify.models import Message
from tests.factories.directory import make_contact, make_method, make_system
from tests.factories.notify import Clock, FakeChannel, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def lanes(monkeypatch):
    found = {"email": FakeChannel(), "ntfy": FakeChannel()}
    monkeypatch.setattr(sending, "CHANNELS", found)
    return found


def page(contact):
    first = contact.methods.first()
    return make_message(
        key=f"page:1:{first.pk}", contact_id=contact.pk, method_id=first.pk, address=first.address,
        about=make_system(), urgent=True, repeat_seconds=300,
    )  # fmt: skip


def send(clock):
    for lane in ("email", "ntfy"):
        services.send_lane(lane, now=clock)


@pytest.mark.parametrize("permanent", [True, False])
def test_it_goes_on_repeating_when_the_other_way_that_took_over_dies(lanes, permanent):
    contact, clock = make_contact(), Clock()
    make_method(contact, kind="ntfy")
    page(contact)
    lanes["email"].fail, lanes["ntfy"].fail = DeliveryError("Later."), DeliveryError("Gone.", permanent=permanent)
    send(clock)
    lanes["email"].fail = None
    Message.objects.filter(lane="ntfy").update(attempts=7)
    for _ in range(40):
        clock.forward(seconds=30)
        send(clock)
    assert len(lanes["email"].parcels) >= 3


def test_nothing_is_repeated_to_somebody_who_has_left(lanes):
    contact, clock = make_contact(), Clock()
    page(contact)
    send(clock)
    contact.active = False
    contact.save()
    for _ in range(3):
        clock.forward(minutes=5)
        send(clock)
    assert len(lanes["email"].parcels) == 2  # what was queued before they left is not taken back


def test_a_repeat_goes_over_the_way_that_is_used_by_then(lanes):
    contact, clock = make_contact(), Clock()
    make_method(contact, kind="ntfy")
    page(contact)
    first = contact.methods.first()
    first.active = False
    first.save()
    for _ in range(3):
        send(clock)
        clock.forward(minutes=5)
    assert (len(lanes["email"].parcels), len(lanes["ntfy"].parcels)) == (1, 2)
