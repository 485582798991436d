"""The supervisor starts in order, restarts what dies, and stops everything in a bounded time."""

import os
import signal
import sys
import time

import pytest

from portal.supervisor import run
from portal.supervisor.child import Child
from portal.supervisor.run import Supervisor

FOREVER = "import signal; signal.pause()"
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def lines():
    return []


@pytest.fixture
def supervise(tmp_path, lines):
    made = []

    def supervise(code=FOREVER):
        first, second = (
            Child(name, [sys.executable, "-c", code], log=tmp_path / f"{name}.log", folder=tmp_path)
            for name in ("broker", "web")
        )
        made.append(Supervisor(first=[first], rest=[second], tell=lines.append))
        return made[-1]

    yield supervise
    for supervisor in made:
        for child in supervisor.children:
            child.end()


def test_children_start_in_order_with_a_line_each(supervise, lines):
    supervisor = supervise()
    supervisor.start(supervisor.children)
    assert [line.split(" (")[0] for line in lines] == ["Started broker", "Started web"]


def test_a_child_that_dies_is_started_again_once_its_pause_is_over(supervise, lines):
    supervisor = supervise()
    supervisor.start(supervisor.children)
    web = supervisor.rest[0]
    os.kill(web.pid, signal.SIGKILL)
    os.waitid(os.P_PID, web.pid, os.WEXITED | os.WNOWAIT)
    supervisor.look(now=web.started + 1)
    assert "web ended (signal 9); starting it again in 0.5 s" in lines[-1]
    assert not web.running
    supervisor.look(now=web.started + 1.4)
    assert not web.running
    supervisor.look(now=web.started + 1.6)
    assert web.running
    assert "Started web again" in lines[-1]


def test_nothing_starts_after_the_wish_to_stop(supervise, lines):
    supervisor = supervise()
    supervisor._stop(signal.SIGTERM, None)
    supervisor.start(supervisor.children)
    assert not supervisor.wait_until(lambda: True, seconds=60)
    supervisor.run()
    assert lines == []


def test_stopping_leaves_nobody(supervise, lines):
    supervisor = supervise()
    supervisor.start(supervisor.children)
    pids = [child.pid for child in supervisor.children]
    supervisor.stop()
    assert lines[-1] == "Stopped"
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_child_that_does_not_listen_is_ended_when_its_time_is_over(supervise, lines, monkeypatch):
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.2)
    supervisor = supervise(DEAF)
    supervisor.start(supervisor.children)
    assert supervisor.wait_until(
        lambda: all("deaf" in child.log.read_text() for child in supervisor.children), seconds=20
    )
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5
    assert "web did not stop in time and was ended" in lines
    assert not any(child.running for child in supervisor.children)


def test_a_second_signal_hurries(supervise, monkeypatch):
    monkeypatch.setattr(run, "GRACE_SECONDS", 600)
    supervisor = supervise(DEAF)
    supervisor.start(supervisor.children)
    assert supervisor.wait_until(
        lambda: all("deaf" in child.log.read_text() for child in supervisor.children), seconds=20
    )
    supervisor.signals = 2
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 30
