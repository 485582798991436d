"""The ping to the watcher outside: bounded in time, harmless when it fails."""

import http.server
import threading
import time

import pytest

from portal.dashboard import heartbeat


class Watcher(http.server.BaseHTTPRequestHandler):
    """Answers by the address: fine, elsewhere, or byte by byte without end."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/slow":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            for _ in range(40):
                try:
                    self.wfile.write(b"X-Drip: 1\r\n")
                    self.wfile.flush()
                except OSError:
                    return
                self.server.stop.wait(0.1)
            return
        self.send_response(302 if self.path == "/away" else 500 if self.path == "/broken" else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def watcher():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Watcher)
    server.stop = threading.Event()
    server.daemon_threads = True
    Watcher.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop.set()
    server.shutdown()
    server.server_close()


def test_it_answers(watcher):
    assert heartbeat.ping(f"{watcher}/abc") is True
    assert Watcher.asked == ["/abc"]


def test_a_redirect_is_not_followed(watcher):
    assert heartbeat.ping(f"{watcher}/away") is False
    assert Watcher.asked == ["/away"]


def test_an_error_is_harmless(watcher):
    assert heartbeat.ping(f"{watcher}/broken") is False


def test_nobody_listening_is_harmless():
    assert heartbeat.ping("http://127.0.0.1:9/abc") is False


def test_an_answer_that_drips_is_given_up(watcher):
    began = time.monotonic()
    assert heartbeat.ping(f"{watcher}/slow", seconds=0.3) is False
    assert time.monotonic() - began < 2


def test_without_an_address_there_is_nothing_to_ping():
    assert heartbeat.configured("") is None
    assert heartbeat.configured("http://127.0.0.1:9/abc") is not None
