"""How long the pages take with a hundred thousand incidents, and that they need no more queries than with a hundred."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.enums import Status
from incidents.models import EscalationPolicy, Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import System
from portal.records import services as records
from tests.bench import seed
from tests.bench.report import note, percentile, say

FEW, MANY = 100, 100_000
OPEN = 50
VISITS = 40
WARM_UP = 3


def run(_address: str) -> bool:
    """Measure home, list and room with few incidents and with many."""
    now = datetime.now(UTC)
    if not System.objects.filter(slug__startswith="bench-").exists():
        seed.company(now)
    with acting(by="bench", origin="command"):
        user = User.objects.create_superuser("bench-reader")
    few, many = (visit(user, count, now) for count in (FEW, MANY))
    met = True
    for name, (seconds, queries) in many.items():
        p95 = 1000 * percentile(seconds, 0.95)
        before = round(1000 * percentile(few[name][0], 0.95), 1)
        met &= say(f"pages.{name}", p95, "ms p95", limit=200, baseline=before, incidents=MANY, queries=queries)
        met &= say(f"pages.{name}.queries", queries, "queries", limit=few[name][1], baseline=few[name][1])
    return met


def visit(user: User, count: int, now: datetime) -> dict[str, tuple[list[float], int]]:
    """Return seconds of each visit, and the number of queries, by page."""
    load(count, now)
    client = Client()
    client.force_login(user)
    room = Incident.objects.filter(status=Status.DECLARED).latest("pk")
    pages = {
        "home": "/",
        "list": "/incidents/",
        "list_closed": "/incidents/?status=closed",
        "room": room.get_absolute_url(),
    }
    note(f"  {count} incidents")
    return {name: _times(client, address) for name, address in pages.items()}


def _times(client: Client, address: str) -> tuple[list[float], int]:
    for _ in range(WARM_UP):
        answer = client.get(address)
        if answer.status_code != 200:
            raise AssertionError(f"{address} answered {answer.status_code}")
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    seconds = []
    for _ in range(VISITS):
        before = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - before)
    return seconds, len(queries)


def load(count: int, now: datetime) -> None:
    """Put `count` incidents into the portal, of which the newest are open, escalating and have a timeline."""
    seed.clear()
    closed = {f"{name}_at": now - timedelta(days=30) for name in ("acknowledged", "mitigated", "resolved", "closed")}
    closed |= {f"{name}_by": "bench" for name in ("acknowledged", "mitigated", "resolved", "closed")}
    seed.incidents(count - OPEN, declared_at=now - timedelta(days=30), prefix="OLD", status=Status.CLOSED, **closed)
    ids = seed.incidents(OPEN, declared_at=now - timedelta(minutes=4))
    policy = EscalationPolicy.objects.get(name="Bench")
    seed.escalating(ids, policy, started_at=now, due=[now + timedelta(minutes=1)] * OPEN)
    for incident in Incident.objects.filter(pk__in=ids):
        for number in range(20):
            records.write_note(incident, kind="note", text=f"Looked at host {number}.", by="bench", at=now)
    seed.analyze()
