"""Teams, Pushover and Twilio: what each service is sent, and what its refusals come to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
import requests
from apprise.plugins.pushover import NotifyPushover
from apprise.plugins.twilio import NotifyTwilio

from portal.notify.channels import CHANNELS, DeliveryError, Parcel

USER, TOKEN = "u" * 30, "t" * 30
ADDRESSES = {
    "teams": "workflows://127.0.0.1:{port}/workflow-0001/secret-signature",
    "pushover": f"pover://{USER}@{TOKEN}",
    "sms": "+44 20 7946 0018",
    "voice": "+44 20 7946 0018",
}
SECRETS = ("secret-signature", USER, TOKEN, "7946", "b" * 32)


class Answer(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers as its server says."""

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posts.append((self.path, text))
        body = json.dumps(self.server.said).encode()
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *words):
        pass


@pytest.fixture
def service(monkeypatch, settings):
    """A server that stands for all of them, reached without TLS."""
    settings.TWILIO_URL = f"twilio://AC{'a' * 32}:{'b' * 32}@+14155550100"
    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.posts, server.status, server.said = [], 200, {"status": 1}
    here, post = f"http://127.0.0.1:{server.server_port}", requests.post
    monkeypatch.setattr(requests, "post", lambda url, **more: post(url.replace("https:", "http:"), **more))
    monkeypatch.setattr(NotifyPushover, "notify_url", f"{here}/1/messages.json")
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", here + "/{sid}/Messages.json")
    monkeypatch.setattr(NotifyTwilio, "notify_call_url", here + "/{sid}/Calls.json")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(server, kind, **more):
    address = ADDRESSES[kind].format(port=server.server_port)
    parcel = Parcel(key="page:1:2", address=address, title="Disk full", text="Answer it.", **more)
    CHANNELS[kind]().send(parcel)
    return server.posts


def test_teams_gets_a_card_without_a_picture_from_outside(service):
    address = ADDRESSES["teams"].format(port=service.server_port)
    words = "Answer it:\nhttps://portal/a/x_y_z/"
    CHANNELS["teams"]().send(Parcel(key="page:1:2", address=address, title="Disk full", text=words))
    ((path, text),) = service.posts
    assert path.startswith("/workflows/workflow-0001/triggers/manual/paths/invoke?")
    assert "sig=secret-signature" in path
    card = json.loads(text)["attachments"][0]["content"]["body"]
    assert [block["text"] for block in card if "text" in block] == [
        "Disk full",
        "Answer it:\n\n[https://portal/a/x_y_z/](https://portal/a/x_y_z/)",
    ]
    assert not [block for block in card if block["type"] == "Image"]


@pytest.mark.parametrize(("urgent", "priority"), [(True, "1"), (False, "0")])
def test_pushover_is_told_what_is_urgent(service, urgent, priority):
    ((_, text),) = send(service, "pushover", urgent=urgent)
    body = {name: value for name, (value, *_) in parse_qs(text).items()}
    assert (body["user"], body["token"], body["priority"]) == (USER, TOKEN, priority)
    assert (body["title"], body["message"]) == ("Disk full", "Answer it.")


def test_a_text_message_and_a_call_go_to_the_number_from_the_number_of_the_company(service):
    send(service, "sms")
    send(service, "voice")
    (texted, text), (called, call) = service.posts
    assert texted.endswith("/Messages.json")
    assert called.endswith("/Calls.json")
    message, spoken = parse_qs(text), parse_qs(call)
    assert (message["To"], message["From"]) == (["+442079460018"], ["+14155550100"])
    assert message["Body"][0].split() == ["Disk", "full", "Answer", "it."]
    assert spoken["Twiml"] == ["<Response><Say>Disk full</Say><Say>Answer it.</Say></Response>"]


@pytest.mark.parametrize("kind", list(ADDRESSES))
@pytest.mark.parametrize(("status", "permanent"), [(404, True), (429, False), (500, False), (307, False)])
def test_the_answer_says_whether_to_try_again_and_the_error_hides_the_address(service, kind, status, permanent):
    service.status = status
    with pytest.raises(DeliveryError, match=str(status)) as refused:
        send(service, kind)
    assert refused.value.permanent is permanent
    assert not [secret for secret in SECRETS if secret in str(refused.value)]
    assert len(service.posts) == 1


@pytest.mark.parametrize(("code", "permanent"), [(21211, True), (20003, True), (20429, False), (30001, False)])
def test_an_error_of_twilio_that_names_the_number_or_the_account_is_for_good(service, code, permanent):
    service.status, service.said = 400, {"code": code, "message": "No: +442079460018"}
    with pytest.raises(DeliveryError, match=f"error {code}") as refused:
        send(service, "sms")
    assert refused.value.permanent is permanent
    assert "7946" not in str(refused.value)


def test_without_an_account_nothing_is_texted(service, settings):
    settings.TWILIO_URL = ""
    with pytest.raises(DeliveryError, match="no Twilio account") as refused:
        send(service, "sms")
    assert refused.value.permanent


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("teams", "workflows://127.0.0.1/workflow-0001/secret-signature?template=/etc/passwd"),
        ("teams", "json://127.0.0.1/x"),
        ("pushover", f"pover://{USER}@{TOKEN}/?attach=file:///etc/passwd"),
        ("sms", "+44 20/../../x"),
        ("sms", "json://127.0.0.1"),
        ("voice", ""),
    ],
)
def test_an_address_of_anything_else_is_refused_for_good(service, kind, address):
    with pytest.raises(DeliveryError, match="Correct the contact method") as refused:
        CHANNELS[kind]().send(Parcel(key="k", address=address, title="t", text="b"))
    assert refused.value.permanent
    assert not service.posts


def test_a_message_is_cut_to_what_a_text_message_holds(service):
    CHANNELS["sms"]().send(Parcel(key="k", address=ADDRESSES["sms"], title="Title", text="x" * 3000))
    ((_, text),) = service.posts
    assert len(parse_qs(text)["Body"][0]) <= 1602  # Apprise puts the end of a line between the two
