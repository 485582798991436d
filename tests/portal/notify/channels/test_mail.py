"""Mail over real SMTP: delivered with its key, refused for good or for now, and never waited for too long."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller

from portal.notify import services
from portal.notify.channels import Parcel
from portal.notify.channels.base import DeliveryError
from portal.notify.channels.mail import MailChannel, message_id
from portal.notify.models import Message
from tests.factories.notify import Clock, make_message


class Sink:
    """Keeps mails; answers what it is told to answer to a recipient."""

    def __init__(self):
        self.mails, self.connections, self.answers = [], 0, {}

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def smtp(settings, port, host="127.0.0.1"):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield


@pytest.fixture
def sink(settings):
    handler = Sink()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    with smtp(settings, port):
        yield handler
    controller.stop()


@pytest.fixture
def hanging(settings):
    """A server that takes connections and never says a word."""
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as server, smtp(settings, server.getsockname()[1]):
        yield server


@pytest.fixture
def channel():
    made = MailChannel()
    yield made
    made.close()


def parcel(**fields):
    return Parcel(**{"key": "page:1:2", "address": "ada@example.org", "title": "Disk full", "text": "Full."} | fields)


def test_one_connection_serves_a_batch_and_each_mail_carries_its_key(sink, channel):
    channel.send(parcel())
    channel.send(parcel(key="page:1:3", address="bob@example.org", thread="INC-000001", urgent=True))
    assert sink.connections == 1
    first, second = sink.mails
    assert "X-Watchbook-Message: page:1:2" in first
    assert f"Message-ID: {message_id('page:1:2')}" in first
    assert f"References: {message_id('INC-000001')}" in second
    assert "Importance: high" in second


def test_the_same_key_is_the_same_message_id():
    assert message_id("page:1:2") == message_id("page:1:2") != message_id("page:1-2")


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such user", True), ("451 try later", False)])
def test_a_refused_recipient_is_permanent_or_not_as_the_server_says(sink, channel, answer, permanent):
    sink.answers["ada@example.org"] = answer
    with pytest.raises(DeliveryError, match=answer) as refused:
        channel.send(parcel())
    assert (refused.value.permanent, refused.value.everywhere) == (permanent, False)
    channel.send(parcel(address="bob@example.org"))
    assert len(sink.mails) == 1


@pytest.mark.parametrize("field", ["title", "address"])
def test_a_line_break_in_a_header_is_refused_for_good(sink, channel, field):
    with pytest.raises(DeliveryError, match="cannot be written") as refused:
        channel.send(parcel(**{field: "a@example.org\nBcc: eve@example.org"}))
    assert refused.value.permanent


def test_a_server_that_is_not_there_fails_for_everybody_and_for_now(settings, channel):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with smtp(settings, port), pytest.raises(DeliveryError, match="cannot be reached") as refused:
        channel.send(parcel())
    assert (refused.value.permanent, refused.value.everywhere) == (False, True)


def test_a_server_that_never_answers_is_given_up_in_time(hanging, channel):
    with pytest.raises(DeliveryError, match="did not answer in time") as refused:
        channel.send(parcel())
    assert refused.value.everywhere


@pytest.mark.django_db
def test_a_hung_mail_server_costs_its_lane_one_timeout_for_a_batch(hanging):
    for _ in range(10):
        make_message()
    before = time.monotonic()
    assert services.send_lane("email", now=Clock()) == 10
    assert time.monotonic() - before < 2
    assert set(Message.objects.values_list("state", flat=True)) == {"failed"}
    assert "did not answer in time" in Message.objects.first().error


@pytest.mark.django_db
def test_a_server_that_drips_is_given_up_in_time_too(settings):
    settings.EMAIL_TIMEOUT = 0.2
    stop = threading.Event()

    def drip(server):
        connection, _ = server.accept()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"220-wait\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server, smtp(settings, server.getsockname()[1]):
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        make_message()
        before = time.monotonic()
        services.send_lane("email", now=Clock())
        assert time.monotonic() - before < 1
        stop.set()
        thread.join()
    assert "did not answer in time" in Message.objects.get().error
