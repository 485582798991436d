"""Secret links: opened by scanners without harm, used once, useless a day later, never kept in the clear."""

from datetime import timedelta

import pytest

from portal.notify import services
from portal.notify.channels import CHANNELS
from portal.notify.models import ActionLink, Message
from tests.factories.directory import NOON, make_contact
from tests.factories.notify import Clock, FakeChannel, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(monkeypatch):
    """Deliver a message with a link and return the link's secret."""
    channel = FakeChannel()
    monkeypatch.setitem(CHANNELS, "email", channel)
    contact = make_contact("Ada")
    make_message(contact_id=contact.pk, action_path="/a/", body="Acknowledge: {action_link}")
    services.send_lane("email", now=Clock())
    text = channel.parcels[0].text
    assert "Acknowledge: http://127.0.0.1:8000/a/" in text
    return text.partition("/a/")[2].partition("/")[0]


def test_looking_does_not_use_it_up(secret):
    for _ in range(3):
        assert services.peek(secret, at=NOON).message.contact.name == "Ada"
    assert services.redeem(secret, at=NOON).used_at == NOON


def test_it_is_used_once(secret):
    services.redeem(secret, at=NOON)
    for look in (services.redeem, services.peek):
        with pytest.raises(services.LinkRefused, match="has been used"):
            look(secret, at=NOON)


def test_it_expires_after_a_day(secret):
    with pytest.raises(services.LinkRefused, match="expired"):
        services.redeem(secret, at=NOON + timedelta(hours=24))


@pytest.mark.parametrize("wrong", ["", "x", "é" * 400])
def test_an_unknown_one_is_refused(wrong):
    with pytest.raises(services.LinkRefused, match="not known"):
        services.peek(wrong, at=NOON)


def test_no_row_holds_the_secret(secret):
    assert secret not in str(list(Message.objects.values())) + str(list(ActionLink.objects.values()))
    assert len(secret) >= 22
