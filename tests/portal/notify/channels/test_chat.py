"""Chat through Apprise: only our own services, no redirects, no secrets in errors, no endless waiting."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import apprise
import pytest

from portal.notify.channels import CHANNELS, DeliveryError, Parcel
from portal.notify.channels.chat import _asset


class Answer(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers as its server says."""

    def do_POST(self):
        self.server.posts.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.server.hold.wait(self.server.seconds)
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *words):
        pass


@pytest.fixture
def ntfy():
    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.posts, server.status, server.seconds, server.hold = [], 200, 0, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def send(server, topic="oncall"):
    address = f"ntfy://127.0.0.1:{server.server_port}/{topic}"
    CHANNELS["ntfy"]().send(Parcel(key="page:1:2", address=address, title="Disk full", text="Full."))


def test_a_message_arrives(ntfy):
    send(ntfy)
    ((_, body),) = ntfy.posts
    assert (body["topic"], body["title"], body["message"]) == ("oncall", "Disk full", "Full.")


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (403, True), (429, False), (500, False), (503, False)])
def test_the_answer_says_whether_to_try_again_and_the_error_hides_the_address(ntfy, status, permanent):
    ntfy.status = status
    with pytest.raises(DeliveryError, match=str(status)) as refused:
        send(ntfy, topic="secret-topic")
    assert refused.value.permanent is permanent
    assert "secret-topic" not in str(refused.value)


def test_redirects_are_not_followed(ntfy):
    ntfy.status = 307
    with pytest.raises(DeliveryError):
        send(ntfy)
    assert len(ntfy.posts) == 1


def test_a_service_that_does_not_answer_is_given_up_in_time(ntfy, settings):
    settings.EMAIL_TIMEOUT = 0.2
    ntfy.seconds = 30
    with pytest.raises(DeliveryError, match="cannot be reached"):
        send(ntfy)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "json://127.0.0.1/x",
        "slack://TAAAAAAAA/BAAAAAAAA/AAAAAAAAAAAAAAAAAAAAAAAA",
        "ntfy://127.0.0.1/x?attach=file:///etc/passwd",
        "ntfy://127.0.0.1/x?redirect=yes",
        "nonsense",
        "",
    ],
)
def test_an_address_of_anything_else_is_refused_for_good(address):
    with pytest.raises(DeliveryError, match="not an address of ntfy") as refused:
        CHANNELS["ntfy"]().send(Parcel(key="k", address=address, title="t", text="b"))
    assert refused.value.permanent


def test_every_other_plugin_is_switched_off():
    asset = _asset()
    for address in ("json://127.0.0.1/x", "mailto://a:b@example.org", "syslog://"):
        assert apprise.Apprise.instantiate(address, asset=asset) is None


@pytest.mark.parametrize("start", ["slack://", "https://hooks.slack.com/services/"])
def test_slack_is_addressed_as_slack_gives_it_out(start):
    service = CHANNELS["slack"]()._service(f"{start}TAAAAAAAA/BAAAAAAAA/AAAAAAAAAAAAAAAAAAAAAAAA")
    assert service.app_id == "Watchbook"
    assert service.redirects is False
