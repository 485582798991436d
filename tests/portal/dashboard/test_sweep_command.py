"""`manage.py sweep`: once, or in a loop that needs no broker, survives its database and ends cleanly."""

import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from portal.dashboard import loops
from portal.deadlines import services as deadlines
from portal.lib import clock
from tests.factories.directory import make_contact
from tests.factories.incidents import make_incident, make_policy


@pytest.mark.django_db
def test_one_sweep_says_what_it_did(mailoutbox):
    make_policy(default=True, steps=[make_contact()])
    make_incident(at=clock.now())
    said = StringIO()

    call_command("sweep", stdout=said)

    assert said.getvalue() == "Settled 1 deadlines, tried 1 messages, took 0 exports.\n"
    assert deadlines.last_sweep_age_seconds(at=clock.database_now()) < 5


@pytest.mark.parametrize("interval", ["0", "-1", "x", "nan", "1e9"])
def test_an_interval_that_makes_no_sense_is_refused(interval):
    with pytest.raises(Exception, match="interval"):
        call_command("sweep", "--loop", "--interval", interval)


@pytest.mark.django_db
def test_a_database_that_went_away_is_awaited_and_then_used_again(monkeypatch):
    monkeypatch.setattr(loops.connections, "close_all", lambda: None)  # this test's own connection stays
    monkeypatch.setattr(loops, "close_old_connections", lambda: None)
    stop, steps = threading.Event(), []
    waits = []
    monkeypatch.setattr(stop, "wait", waits.append)

    def step():
        steps.append(len(steps))
        if len(steps) < 3:
            raise OperationalError("the server closed the connection")
        if len(steps) == 4:
            raise ValueError("a fault of our own")
        if len(steps) == 5:
            stop.set()

    loops.repeat(step, stop, 2.0)

    assert len(steps) == 5
    assert waits == [4.0, 5.0, 2.0, 4.0, 2.0]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_loop_sweeps_without_a_broker_and_ends_cleanly(tmp_path, ending):
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
        "PORTAL_DATA": str(tmp_path),
        "PORTAL_ENV_FILE": "",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], env=environment, check=True, timeout=240)
    loop = subprocess.Popen([*manage, "sweep", "--loop", "--interval", "0.1"], env=environment, stderr=subprocess.PIPE)
    try:
        assert loop.stderr is not None
        for line in loop.stderr:
            if b"sweep loop runs" in line:
                break
        time.sleep(1)
        loop.send_signal(ending)
        assert loop.wait(timeout=20) == 0
        assert b"has ended" in loop.stderr.read()
    finally:
        loop.kill()
        loop.stderr.close()
