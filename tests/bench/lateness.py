"""How late deadlines fire end to end: real Celery workers and beat, a Redis of their own, PostgreSQL.

Once undisturbed; once with a sweep worker killed (-9) and Redis emptied in between.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from incidents.escalation.running import ESCALATION
from incidents.models import EscalationPolicy, Incident
from portal.celery import LANES, SWEEPS
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory.models import System
from portal.lib.clock import database_now
from portal.notify.models import Message
from portal.records.models import Note
from portal.supervisor import broker, plan
from tests.bench import seed
from tests.bench.report import note, percentile, say

DEADLINES = 1000
SPREAD = 60.0
LEAD = 5.0
PATIENCE = 60.0
CHECKOUT = Path(__file__).parents[2]
Disturb = tuple[float, Callable[[], None]]


class Engine:
    """The processes of a portal that keep time, on a Redis of their own."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start Redis, both workers and beat, and wait for the first sweep."""
        self._run("redis", [broker.program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""])
        for number in range(1, plan.SWEEP_WORKERS + 1):
            self.sweep_worker(number)
        self._run("messages", plan.worker(LANES, plan.LANE_PROCESSES))
        self._run("beat", plan.beat())
        end = time.monotonic() + PATIENCE
        while (deadlines.last_sweep_age_seconds(at=database_now()) or 99) > 3:
            if time.monotonic() > end:
                raise TimeoutError("the engine did not start: no sweep within a minute")
            time.sleep(0.2)

    def sweep_worker(self, number: int) -> None:
        """Start one of the workers that sweep."""
        self._run(f"sweeps {number}", plan.worker(SWEEPS, plan.SWEEP_PROCESSES, number))

    def kill_worker(self) -> None:
        """Kill a sweep worker with all of its processes, and start another, as the supervisor does."""
        self._kill("sweeps 1")
        note("  worker killed")
        self.sweep_worker(1)

    def empty_redis(self) -> None:
        """Lose everything that Redis holds."""
        redis.Redis(port=self.port).flushall()
        note("  Redis emptied")

    def stop(self) -> None:
        """Kill everything."""
        for name in list(self.processes):
            self._kill(name)

    def _run(self, name: str, argv: list[str]) -> None:
        environment = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{self.port}/0"}
        with (Path(settings.DATA_FOLDER) / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def _kill(self, name: str) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def engine() -> Iterator[Engine]:
    """Run an engine for a while."""
    made = Engine()
    try:
        made.start()
        yield made
    finally:
        made.stop()


def run(_address: str) -> bool:
    """Measure both runs."""
    if not System.objects.filter(slug__startswith="bench-").exists():
        seed.company(database_now())
    policy = EscalationPolicy.objects.get(name="Bench")
    with engine() as running:
        calm = measure("lateness", policy, [])
        rough = measure(
            "lateness.disturbed", policy, [(SPREAD / 3, running.kill_worker), (2 * SPREAD / 3, running.empty_redis)]
        )
    met = say("lateness", percentile(calm.late, 0.99), "s p99", limit=3, baseline=calm.rhythm,
              of="seconds between sweeps, p99", whole=calm.is_whole, **calm.facts())  # fmt: skip
    met &= say("lateness.sent", percentile(calm.delivered, 0.99), "s p99", limit=3, baseline=calm.rhythm)
    met &= say("lateness.disturbed", rough.worst, "s max", limit=10, baseline=calm.worst,
               of="undisturbed, max", whole=rough.is_whole, **rough.facts())  # fmt: skip
    return met & say("lateness.disturbed.sent", max(rough.delivered), "s max", limit=10, baseline=max(calm.delivered))


class Measured:
    """What one run did: seconds of lateness, and what was lost or done twice."""

    def __init__(self, ids: list[int]) -> None:
        fired = Deadline.objects.filter(kind=ESCALATION, key="0.0", subject_id__in=ids, state="fired")
        due = dict(fired.values_list("subject_id", "due_at"))
        self.late = list(fired.values_list("lateness", flat=True))
        self.lost = len(ids) - len(self.late)
        pages = Counter(Note.objects.filter(kind="paged", subject_id__in=ids).values_list("subject_id", flat=True))
        self.twice = sum(1 for count in pages.values() if count > 1)
        moments = sorted(set(fired.values_list("settled_at", flat=True)))
        gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(moments)]
        self.rhythm = round(percentile(gaps, 0.99), 3) if gaps else None
        out = Message.objects.filter(about_id__in=ids, state="sent", lane="email", repeat_number=0)
        self.delivered = [(sent - due[pk]).total_seconds() for pk, sent in out.values_list("about_id", "settled_at")]
        self.worst = round(max(self.late, default=float("inf")), 3)

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was lost or done twice."""
        return self.lost == self.twice == 0

    def facts(self) -> dict[str, float]:
        """Return what is told beside the figure; `sent` counts until the mail was handed over."""
        return {
            "lost": self.lost,
            "fired_twice": self.twice,
            "p50": round(percentile(self.late, 0.5), 3),
            "max": self.worst,
            "sent": len(self.delivered),
            "sent_p99": round(percentile(self.delivered, 0.99), 3),
            "sent_max": round(max(self.delivered), 3),
        }


def measure(name: str, policy: EscalationPolicy, disturbances: list[Disturb]) -> Measured:
    """Let a thousand deadlines come due over a minute, and disturb the engine at the given seconds."""
    now = database_now()
    first = 1 + Incident.objects.count()
    ids = seed.incidents(DEADLINES, declared_at=now, first=first)
    due = [now + timedelta(seconds=LEAD + SPREAD * number / DEADLINES) for number in range(DEADLINES)]
    seed.escalating(ids, policy, started_at=now, due=due)
    start = time.monotonic() + LEAD
    for seconds, act in disturbances:
        time.sleep(max(0.0, start + seconds - time.monotonic()))
        act()
    time.sleep(max(0.0, start + SPREAD - time.monotonic()))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and _waiting(ids):
        time.sleep(0.5)
    note(f"  {name} done")
    connection.close()
    return Measured(ids)


def _waiting(ids: list[int]) -> bool:
    pending = Deadline.objects.filter(kind=ESCALATION, key="0.0", subject_id__in=ids, state="pending")
    unsent = Message.objects.filter(about_id__in=ids, repeat_number=0).exclude(state="sent")
    return pending.exists() or unsent.exists()
