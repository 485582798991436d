"""Exports whose workers are killed in the middle: another goes on, each file arrives once, and nothing is left over."""

import os
import random
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress

import pytest

from portal.assurance.exporting import policy, services, storing
from portal.assurance.exporting.policy import Refused
from portal.assurance.models import Export
from portal.assurance.packets.asking import Asked
from portal.audit.models import TrailRow
from portal.lib.clock import database_now
from portal.notify.models import Message
from tests.factories.directory import make_contact
from tests.factories.exports import ask, make_auditor
from tests.factories.incidents import make_incident
from tests.factories.packets import DAY, verify
from tests.faults.conftest import nursery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
INCIDENTS = 40
KILLS = 40
WORKERS = 2
SECONDS_BETWEEN_KILLS = 0.3
PATIENCE = 120  # seconds; a fraction of it on an idle machine


@pytest.fixture
def scratch(tmp_path):
    """Where workers put temporary files of their own, if they do."""
    found = tmp_path / "scratch"
    found.mkdir()
    return found


@pytest.fixture
def start(quick_commits, scratch):
    """A function that starts a worker of a role and returns its id. No file of an export lies anywhere yet."""
    shutil.rmtree(storing.folder())
    with nursery(TMPDIR=str(scratch)) as start:
        yield start


@pytest.fixture
def ada(quick_commits):
    """Somebody who may read a record of some hundred rows, and has an inbox."""
    ada = make_auditor("ada")
    make_contact("Ada", user=ada)
    for number in range(INCIDENTS):
        make_incident(title=f"Incident {number}", at=database_now())
    return ada


def wait_for(true):
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, "It takes too long."
        time.sleep(0.02)
    return found


def kill(process):
    os.kill(process, signal.SIGKILL)


def files():
    """What lies in the folder of exports, below it."""
    return {path.relative_to(storing.folder()).as_posix() for path in storing.folder().rglob("*") if path.is_file()}


def packet(by):
    now = database_now()
    asked = Asked(now - DAY, now + DAY, 5, "1")
    return services.ask(
        source="packet", format="packet", parameters=asked.parameters(), by=by, at=now, reason="Yearly audit"
    )


def arrived(export):
    """Hold an export to what whoever asked for it was promised: one file, one message, told once in the trail."""
    assert (export.state, export.error) == ("done", "")
    assert storing.measure(storing.path_of(export)) == (export.size, export.digest)
    assert Message.objects.filter(about_id=export.pk, kind="export_done").count() == 1
    told = TrailRow.objects.filter(model="assurance.export", object_id=str(export.pk)).values_list("event", flat=True)
    assert Counter(words.partition(":")[0] for words in told) == {
        "Asked for an export": 1,
        "File of an export made": 1,
    }


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "packet"])
def test_another_worker_goes_on_with_what_a_killed_one_left_and_it_arrives_once(ada, start, scratch, kind):
    export = packet(ada) if kind == "packet" else ask(by=ada, format=kind, at=database_now())
    victim = start("exporter")
    wait_for(lambda: Export.objects.get().done)
    kill(victim)
    export.refresh_from_db()
    assert export.state == "working"
    with pytest.raises(Refused, match="is being made"):
        services.fetch(export, by=ada, at=database_now())
    assert not Message.objects.filter(about_id=export.pk).exists()

    start(f"exporter {policy.LEASE.seconds + 1}")  # for this one the lease has run out
    wait_for(lambda: not Export.objects.get().is_open)

    export.refresh_from_db()
    assert export.attempts == 2
    arrived(export)
    assert files() == {export.stored_name}
    assert list(scratch.iterdir()) == []


def test_while_the_lease_of_a_killed_worker_runs_nobody_begins_anew(ada, start):
    export = ask(by=ada, at=database_now())
    victim = start("exporter")
    wait_for(lambda: Export.objects.get().done)
    kill(victim)
    assert services.take(at=database_now()) is None
    assert services.waiting_since(at=database_now()) is None
    over = Export.objects.get().lease_until
    assert services.waiting_since(at=over) == over - export.asked_at


def test_forty_random_kills_leave_each_file_once_and_nothing_else(ada, start, scratch):
    packet(ada)
    chance = random.Random(int(os.environ.get("FAULTS_SEED", "20261130")))
    running = [start("impatient") for _ in range(WORKERS)]
    for number in range(KILLS):
        with suppress(Refused):  # so many wait already
            ask(by=ada, format=chance.choice(["csv", "xlsx", "jsonl"]), at=database_now(), reason=f"Number {number}")
        time.sleep(SECONDS_BETWEEN_KILLS * chance.uniform(0.2, 1.8))
        place = chance.randrange(WORKERS)
        kill(running[place])
        running[place] = start("impatient")
    wait_for(lambda: not Export.objects.unmade().exists())

    exports = list(Export.objects.order_by("pk"))
    for export in exports:
        arrived(export)
    assert sum(export.attempts for export in exports) > len(exports)
    assert verify(storing.path_of(exports[0])).returncode == 0
    for worker in running:
        kill(worker)
    assert files() == {export.stored_name for export in exports}
    assert list(scratch.iterdir()) == []
