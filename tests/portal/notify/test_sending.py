"""Out of the outbox: every message is tried until it is through or given up, each by one sender at a time."""

import uuid
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.core import mail

from portal.notify import seats, sending, services
from portal.notify.channels import CHANNELS, DeliveryError
from portal.notify.models import Message
from tests.factories.directory import NOON, make_contact, make_method, make_system
from tests.factories.notify import Clock, FakeChannel, make_message

pytestmark = pytest.mark.django_db
TEMPORARY = DeliveryError("The mail server did not answer in time.")
PERMANENT = DeliveryError("The mail server refused the recipient: 550 no such user", permanent=True)


@pytest.fixture
def channel(monkeypatch):
    fake = FakeChannel()
    monkeypatch.setitem(CHANNELS, "email", fake)
    monkeypatch.setitem(CHANNELS, "ntfy", fake)
    monkeypatch.setattr(sending, "within", lambda seconds, call: (fake.then and fake.then(), call()))
    return fake


@pytest.fixture
def clock():
    return Clock()


def page(contact=None, method=None, **fields):
    """An urgent message to a person about a record."""
    contact = contact or make_contact()
    method = method or contact.methods.first()
    fields.setdefault("about", make_system())
    key = f"page:1:{method.pk}"
    return make_message(
        key=key, contact_id=contact.pk, method_id=method.pk, address=method.address, urgent=True, **fields
    )


def test_a_message_is_sent_once_and_settled(channel, clock):
    message = make_message()
    assert services.send_lane("email", now=clock) == 1
    assert services.send_lane("email", now=clock) == 0
    message.refresh_from_db()
    assert (message.state, message.settled_at, message.attempts, message.lease_token) == ("sent", NOON, 1, None)
    assert [parcel.key for parcel in channel.parcels] == [message.idempotency_key]
    assert channel.closed == 1


def test_urgent_messages_leave_first_and_batches_are_bounded(channel, clock):
    make_message(title="news")
    page(title="page")
    assert services.send_lane("email", now=clock, batch=1) == 1
    assert [parcel.title for parcel in channel.parcels] == ["page"]


def test_a_lane_sends_only_its_own(channel, clock):
    make_message(lane="ntfy")
    assert services.send_lane("email", now=clock) == 0


def test_failures_are_tried_again_ever_later_and_after_eight_tries_given_up(channel, clock):
    message, waits = make_message(), []
    channel.fail = TEMPORARY
    for _ in range(7):
        services.send_lane("email", now=clock)
        message.refresh_from_db()
        assert (message.state, message.error) == ("failed", str(TEMPORARY))
        waits.append((message.next_attempt_at - clock.at).total_seconds())
        clock.at = message.next_attempt_at - timedelta(seconds=1)
        assert services.send_lane("email", now=clock) == 0
        clock.at = message.next_attempt_at
    services.send_lane("email", now=clock)
    message.refresh_from_db()
    assert waits == [15, 60, 300, 900, 3600, 3600, 3600]
    assert (message.state, message.attempts, message.settled_at) == ("dead", 8, clock.at)


def test_a_permanent_failure_is_given_up_at_once(channel, clock):
    message = make_message()
    channel.fail = PERMANENT
    services.send_lane("email", now=clock)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("dead", 1, str(PERMANENT))


def test_when_the_server_fails_the_rest_of_the_batch_fails_without_waiting_for_it(channel, clock):
    tried = []
    channel.then = lambda: tried.append(1)
    channel.fail = DeliveryError("The mail server cannot be reached.", everywhere=True)
    make_message(), make_message()
    services.send_lane("email", now=clock)
    assert set(Message.objects.values_list("state", "attempts")) == {("failed", 1)}
    assert len(tried) == 1


def test_a_server_that_fails_delays_no_other_server_of_the_lane(channel, clock):
    here, there = "ntfy://here.example.org/a", "ntfy://there.example.org/a"
    channel.fail_for = {here: DeliveryError("ntfy cannot be reached.", everywhere=True)}
    for address in (here, here, there):
        make_message(lane="ntfy", address=address)
    services.send_lane("ntfy", now=clock)
    assert sorted(Message.objects.values_list("address", "state")) == [
        (here, "failed"),
        (here, "failed"),
        (there, "sent"),
    ]


def test_an_error_without_a_name_is_data_too_and_its_text_stays_out(channel, clock):
    def break_down():
        raise RuntimeError("https://hooks.example.org/secret")

    message, channel.then = make_message(), break_down
    services.send_lane("email", now=clock)
    message.refresh_from_db()
    assert message.error == "The message could not be sent (RuntimeError)."


def test_an_urgent_message_takes_another_way_at_its_first_failure(channel, clock):
    contact = make_contact()
    second = make_method(contact, kind="ntfy")
    make_method(contact, kind="slack")
    message = page(contact)
    channel.fail = TEMPORARY
    services.send_lane("email", now=clock)
    other = Message.objects.get(fallback_of=message)
    assert (other.lane, other.method, other.address, other.due_at) == ("ntfy", second, second.address, NOON)
    clock.forward(seconds=15)
    services.send_lane("email", now=clock)
    assert Message.objects.filter(fallback_of=message).count() == 1


def test_another_way_is_never_one_that_was_tried(channel, clock):
    contact = make_contact()
    make_method(contact, kind="ntfy")
    page(contact)
    channel.fail = TEMPORARY
    services.send_lane("email", now=clock)
    services.send_lane("ntfy", now=clock)
    assert Message.objects.count() == 2


def test_an_ordinary_message_takes_another_way_when_it_is_given_up(channel, clock):
    contact = make_contact()
    make_method(contact, kind="ntfy")
    method = contact.methods.first()
    message = make_message(key=f"news:1:{method.pk}", contact_id=contact.pk, method_id=method.pk)
    channel.fail = TEMPORARY
    services.send_lane("email", now=clock)
    assert not Message.objects.filter(fallback_of=message).exists()
    Message.objects.update(attempts=7, next_attempt_at=NOON)
    services.send_lane("email", now=clock)
    assert Message.objects.filter(fallback_of=message).count() == 1


def test_an_urgent_message_repeats_until_it_is_stopped(channel, clock):
    system = make_system()
    message = page(about=system, repeat_seconds=300)
    for number in (1, 2):
        services.send_lane("email", now=clock)
        assert services.send_lane("email", now=clock) == 0
        clock.forward(minutes=5)
        key = f"{message.idempotency_key}#{number}"
        assert Message.objects.get(idempotency_key=key).due_at == clock.at
    services.cancel_unsent(about=system, at=clock.at)
    clock.forward(minutes=60)
    assert services.send_lane("email", now=clock) == 0
    assert len(channel.parcels) == 2


def test_a_message_that_took_another_way_does_not_repeat_as_well(channel, clock):
    contact = make_contact()
    make_method(contact, kind="ntfy")
    message = page(contact, repeat_seconds=300)
    channel.fail = TEMPORARY
    services.send_lane("email", now=clock)
    channel.fail = None
    clock.forward(seconds=15)
    services.send_lane("email", now=clock)
    services.send_lane("ntfy", now=clock)
    repeats = Message.objects.filter(repeat_number=1)
    assert [row.lane for row in repeats] == ["ntfy"]
    message.refresh_from_db()
    assert message.state == "sent"


def test_acknowledged_while_it_is_sent_it_neither_repeats_nor_falls_back(channel, clock):
    for fail in (None, TEMPORARY):
        contact, system = make_contact(), make_system()
        make_method(contact, kind="ntfy")
        message = page(contact, about=system, repeat_seconds=300)
        channel.then = lambda system=system: services.cancel_unsent(about=system, at=clock.at)
        channel.fail = fail
        services.send_lane("email", now=clock)
        message.refresh_from_db()
        assert message.state == ("cancelled" if fail else "sent")
    assert Message.objects.count() == 2


def test_acknowledged_between_claim_and_sending_it_is_not_sent(channel, clock):
    system = make_system()
    first, second = make_message(about=system), make_message(about=system)
    channel.then = lambda: services.cancel_unsent(about=system, at=clock.at)
    services.send_lane("email", now=clock)
    assert len(channel.parcels) == 1
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {first.pk: "sent", second.pk: "cancelled"}


def test_a_lease_that_ran_out_is_taken_over_with_the_same_key(channel, clock):
    message = make_message()
    dead, late = uuid.uuid4(), uuid.uuid4()
    assert sending.claim("email", token=dead, at=NOON, batch=10) == [message]
    assert services.send_lane("email", now=clock) == 0
    clock.at += sending.lease()
    assert services.send_lane("email", now=clock) == 1
    sending.settle(message, late, problem=PERMANENT, at=clock.at)
    sending.settle(message, dead, problem=PERMANENT, at=clock.at)
    message.refresh_from_db()
    assert message.state == "sent"
    assert [parcel.key for parcel in channel.parcels] == [message.idempotency_key]


def test_a_message_whose_senders_all_died_is_given_up(channel, clock):
    message = make_message()
    Message.objects.update(attempts=8)
    services.send_lane("email", now=clock)
    message.refresh_from_db()
    assert message.state == "dead"
    assert channel.parcels == []


def test_a_stopped_message_whose_sender_died_ends_cancelled(channel, clock):
    system = make_system()
    message = make_message(about=system)
    sending.claim("email", token=uuid.uuid4(), at=NOON, batch=10)
    services.cancel_unsent(about=system, at=NOON)
    clock.at += sending.lease()
    assert services.send_lane("email", now=clock) == 0
    message.refresh_from_db()
    assert message.state == "cancelled"


def test_a_hung_lane_takes_only_its_own_seats(channel, clock):
    make_message(), make_message(lane="ntfy")
    with ExitStack() as hanging:
        for _ in range(seats.SEATS):
            assert hanging.enter_context(seats.seat("email"))
        assert services.send_lane("email", now=clock) == 0
        assert services.send_lane("ntfy", now=clock) == 1
    assert services.send_lane("email", now=clock) == 1


def test_a_mail_names_its_key_its_thread_and_its_urgency(clock):
    make_message(urgent=True, about=make_system("disk"), url_path="/incidents/INC-000001/")
    services.send_lane("email", now=clock)
    services.send_lane("email", now=clock)
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Disk full"
    assert "The disk is full." in sent.body
    assert sent.extra_headers["X-Watchbook-Message"] == Message.objects.get().idempotency_key
    assert sent.extra_headers["Message-ID"].endswith("@127.0.0.1>")
    assert sent.extra_headers["Importance"] == "high"
    assert sent.alternatives[0].mimetype == "text/html"
