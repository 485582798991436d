"""Processes that die in the middle of anything: nothing is lost, nothing fires twice, and a repeat can be told."""

import logging
import os
import random
import re
import signal
import socket
import time
from collections import Counter
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller

from incidents.escalation.running import ESCALATION
from portal.deadlines.models import Deadline
from portal.lib.clock import database_now
from portal.notify.models import Message
from portal.records.models import Note
from tests.bench import seed
from tests.factories.directory import make_contact, make_system
from tests.factories.incidents import make_policy
from tests.faults.conftest import nursery

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.postgresql_only,
    pytest.mark.timeout(300),
]
DEADLINES = 3000
KILLS = 60
ROLES = ["sweeper"] * 3 + ["sender"] * 2
SECONDS_BETWEEN_KILLS = 0.3
PATIENCE = 180  # seconds; a fraction of it on an idle machine


class Sink:
    """Counts deliveries by idempotency key, and by the Message-ID that went with it."""

    def __init__(self):
        self.keys, self.ids = Counter(), {}

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        text = envelope.content.decode()
        key = re.search(r"^X-Watchbook-Message: (.+)\r$", text, re.MULTILINE)[1]
        self.keys[key] += 1
        self.ids.setdefault(key, set()).add(re.search(r"^Message-ID: (.+)\r$", text, re.MULTILINE)[1])
        return "250 OK"


@pytest.fixture
def sink():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    handler = Sink()
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.port = port
    yield handler
    controller.stop()


@pytest.fixture
def processes(sink):
    """A function that starts a process of a role and returns its id; all are ended with the test."""
    with nursery(FAULTS_SMTP_PORT=str(sink.port)) as start:
        yield start


@pytest.fixture
def company(quick_commits):
    """Three thousand escalating incidents: a third is due at once, the others while the killing goes on."""
    now = database_now()
    make_system("bench-0")
    policy = make_policy("Kill", steps=[make_contact("Ada", bundle_seconds=0)], final_wait_seconds=3600)
    ids = seed.incidents(DEADLINES, declared_at=now)
    spread = KILLS * SECONDS_BETWEEN_KILLS
    due = [now + timedelta(seconds=max(0, spread * (3 * n / DEADLINES - 1) / 2)) for n in range(DEADLINES)]
    seed.escalating(ids, policy, started_at=now, due=due)
    return ids


def kill_at_random(start, seed_number):
    """Keep five processes running and kill one of them again and again, replacing it each time."""
    chance = random.Random(seed_number)
    running = [(role, start(role)) for role in ROLES]
    for _ in range(KILLS):
        time.sleep(SECONDS_BETWEEN_KILLS * chance.uniform(0.5, 1.5))
        place = chance.randrange(len(running))
        role, victim = running[place]
        os.kill(victim, signal.SIGKILL)
        running[place] = (role, start(role))


def wait_until_done():
    """Wait until every first step has fired and its message is out."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        waiting = Deadline.objects.filter(kind=ESCALATION, key="0.0", state="pending").exists()
        unsent = Message.objects.filter(repeat_number=0).exclude(state="sent").exists()
        if not waiting and not unsent and Message.objects.filter(repeat_number=0).count() >= DEADLINES:
            return
        time.sleep(0.1)


def test_sixty_random_kills_lose_nothing_and_repeat_nothing_but_a_delivery(company, processes, sink):
    kill_at_random(processes, seed_number=int(os.environ.get("FAULTS_SEED", "20261117")))
    wait_until_done()
    fired = Deadline.objects.filter(kind=ESCALATION, key="0.0")
    assert Counter(fired.values_list("state", flat=True)) == {"fired": DEADLINES}
    pages = Counter(Note.objects.filter(kind="paged").values_list("subject_id", flat=True))
    assert pages == dict.fromkeys(company, 1)
    first = Message.objects.filter(repeat_number=0)
    assert Counter(first.values_list("about_id", flat=True)) == dict.fromkeys(company, 1)
    assert Counter(first.values_list("state", flat=True)) == {"sent": DEADLINES}
    following = Deadline.objects.filter(kind=ESCALATION, state="pending")
    assert Counter(following.values_list("subject_id", flat=True)) == dict.fromkeys(company, 1)
    assert set(sink.keys) == set(first.values_list("idempotency_key", flat=True))
    assert all(len(ids) == 1 for ids in sink.ids.values())
    repeated = {key: count for key, count in sink.keys.items() if count > 1}
    assert len(repeated) <= KILLS
