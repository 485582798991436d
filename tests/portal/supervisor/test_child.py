"""A supervised process dies with its parent, leaves nobody behind, and waits longer after each failure."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from portal.supervisor.child import LONGEST_PAUSE, SETTLED_SECONDS, Child

CHECKOUT = Path(__file__).resolve().parents[3]
FOREVER = "import signal; signal.pause()"
WITH_GRANDCHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{FOREVER}']); {FOREVER}"


def until(condition, seconds=20.0):
    """Return whether `condition` becomes true in time; asked again every few milliseconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def make(tmp_path, code=FOREVER, name="some worker"):
    return Child(name, [sys.executable, "-c", code], log=tmp_path / "logs" / "some.log", folder=tmp_path)


@pytest.fixture
def child(tmp_path):
    child = make(tmp_path)
    yield child
    child.end()


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_child_that_lives_is_not_found_dead(child):
    child.start(now=0)
    assert child.running
    assert child.found_dead(now=1) == ""


def test_a_killed_child_is_found_with_its_signal_and_waits_before_the_next_start(child):
    child.start(now=0)
    os.kill(child.pid, signal.SIGKILL)
    assert until(lambda: child.found_dead(now=10) == "signal 9")
    assert not child.running
    assert child.again == 10.5


def test_a_child_that_ends_by_itself_is_found_with_its_exit_code(tmp_path):
    child = make(tmp_path, "raise SystemExit(3)")
    child.start(now=0)
    assert until(lambda: child.found_dead(now=1) == "exit code 3")


def test_the_pause_doubles_with_each_failure_in_a_row_and_has_an_end(tmp_path):
    child = make(tmp_path, "raise SystemExit(1)")
    pauses = []
    for _ in range(4):
        child.start(now=0)
        assert until(lambda: child.found_dead(now=1))
        pauses.append(child.pause)
    assert pauses == [0.5, 1, 2, 4]
    child.failures = 1000
    assert child.pause == LONGEST_PAUSE


def test_a_child_that_ran_for_a_while_starts_anew_with_the_shortest_pause(tmp_path):
    child = make(tmp_path, "raise SystemExit(1)")
    child.failures = 7
    child.start(now=0)
    assert until(lambda: child.found_dead(now=SETTLED_SECONDS))
    assert child.pause == 0.5


def test_what_a_dead_child_started_goes_with_it(tmp_path):
    child = make(tmp_path, WITH_GRANDCHILD)
    child.start(now=0)
    assert until(lambda: psutil.Process(child.pid).children())
    grandchild = psutil.Process(child.pid).children()[0].pid
    os.kill(child.pid, signal.SIGKILL)
    assert until(lambda: child.found_dead(now=1))
    assert until(lambda: not alive(grandchild))


def test_a_child_writes_to_its_log_and_a_large_log_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr("portal.supervisor.child.LARGEST_LOG", 3)
    child = make(tmp_path, "print('one line')")
    for _ in range(2):
        child.start(now=0)
        assert until(lambda: child.found_dead(now=1))
    assert child.log.read_text() == "one line\n"
    assert child.log.with_suffix(".log.1").read_text() == "one line\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the tie to the parent is Linux's")
def test_children_die_with_their_parent_even_by_kill_9(tmp_path):
    code = (
        "import sys, signal, pathlib; from portal.supervisor.child import Child;"
        f"child = Child('x', [sys.executable, '-c', {FOREVER!r}], log=pathlib.Path('x.log'), folder=pathlib.Path('.'));"
        "child.start(0); print(child.pid, flush=True); signal.pause()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert until(lambda: not alive(pid))
