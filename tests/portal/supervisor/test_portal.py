"""`manage.py portal` for real: it starts everything, restarts what dies, and nothing outlives it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CHECKOUT = Path(__file__).resolve().parents[3]
KEPT = {"watchbook.sqlite3", "broker", "evidence", "logs", "mail", "secret-key", "address"}
NAMES = ["broker", "web", "sweep worker 1", "sweep worker 2", "message worker", "export worker", "beat"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Portal:
    """One portal on an embedded default, with what it said so far."""

    def __init__(self, data, port):
        self.data, self.port, self.log = data, port, data.with_suffix(".out")
        dropped = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        self.environment = {name: value for name, value in os.environ.items() if name not in dropped}
        self.environment |= {"PORTAL_ENV_FILE": "", "PYTHONUNBUFFERED": "1"}
        command = ["manage.py", "portal", "--no-demo", "--port", str(port), "--data", str(data)]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=CHECKOUT, env=self.environment, stdout=out, stderr=out
            )

    def said(self):
        return self.log.read_text()

    def waits_for(self, text, seconds=240):
        assert until(lambda: text in self.said() or self.process.poll() is not None, seconds), self.said()
        assert text in self.said(), self.said()

    def pid_of(self, name):
        """Return the newest process of that name that a line told."""
        starts = (f"Started {name} (", f"Started {name} again")
        lines = [line for line in self.said().splitlines() if line.startswith(starts)]
        return int(lines[-1].rpartition("process ")[2].rstrip(")"))

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def health(self):
        address = f"http://127.0.0.1:{self.port}/healthz/"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as page:
            return page.status
        return None


def until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def gone(processes, seconds=15):
    """Return whether all `processes` end in time; one that only waits for its burial counts as ended."""
    return until(lambda: not any(map(lives, processes)), seconds)


def lives(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def portal(tmp_path):
    started = []

    def start(name="data", port=None):
        started.append(Portal(tmp_path / name, port or free_port()))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            family = one.family()
            one.process.kill()
            one.process.wait()
            assert gone(family)


def test_it_starts_restarts_what_dies_and_stops_without_leaving_anybody(portal):
    one = portal()
    one.waits_for("Ctrl-C stops it")
    one.waits_for(f"PORTAL_DATA={one.data} python3 manage.py createsuperuser", 10)
    assert until(lambda: one.health() == 200, 30), one.said()
    assert {path.name for path in one.data.iterdir()} >= KEPT
    assert (one.data / "address").read_text() == f"http://127.0.0.1:{one.port}\n"
    for name in NAMES:
        with contextlib.suppress(ProcessLookupError):  # it may have ended with the broker that was killed before it
            os.kill(one.pid_of(name), signal.SIGKILL)
        one.waits_for(f"Started {name} again", 40)
    assert until(lambda: one.health() == 200, 60), one.said()
    family = one.family()
    assert len(family) >= len(NAMES)
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(timeout=20) == 0
    assert one.said().endswith("Stopped\n")
    assert gone(family)


def test_nothing_outlives_a_portal_that_is_killed(portal):
    one = portal()
    one.waits_for("Ctrl-C stops it")
    family = one.family()
    one.process.kill()
    one.process.wait()
    assert gone(family)
    again = portal(port=one.port)
    again.waits_for("Ctrl-C stops it")


def test_two_portals_run_side_by_side_and_a_third_is_refused_with_a_sentence(portal):
    one, other = portal("one"), portal("other")
    one.waits_for("Ctrl-C stops it")
    other.waits_for("Ctrl-C stops it")
    same_folder, same_port = portal("one"), portal("third", port=one.port)
    assert same_folder.process.wait(timeout=60) == 1
    assert "uses the data folder" in same_folder.said()
    assert same_port.process.wait(timeout=60) == 1
    assert f"port {one.port} is in use" in same_port.said()
    assert "Traceback" not in same_folder.said() + same_port.said()
    for each in (one, other):
        each.process.terminate()
        assert each.process.wait(timeout=20) == 0
