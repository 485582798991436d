"""How long the pages take with a hundred thousand incidents, and that they need no more queries than with a hundred."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.enums import Status
from incidents.models import EscalationPolicy, Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.deadlines.models import Deadline
from portal.directory.models import Contact, System
from portal.lib.inserting import insert_many
from portal.notify.models import Message
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
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_superuser("bench-reader")
    few, many = (visit(user, count, now) for count in (FEW, MANY))
    met = True
    for name, (seconds, queries) in many.items():
        p95 = 1000 * percentile(seconds, 0.95)
        before = round(1000 * percentile(few[name][0], 0.95), 1)
        met &= say(f"pages.{name}", p95, "ms p95", limit=200, baseline=before, incidents=MANY, queries=queries)
        same = queries == few[name][1]
        met &= say(f"pages.{name}.queries", queries, "queries", limit=few[name][1], baseline=few[name][1], whole=same)
    return met


def visit(user: User, count: int, now: datetime) -> dict[str, tuple[list[float], int]]:
    """Return seconds of each visit, and the number of queries, by page."""
    load(count, now)
    client = Client(SERVER_NAME="127.0.0.1")
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
    asked = len(queries)  # the next request empties the log
    seconds = []
    for _ in range(VISITS):
        before = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - before)
    return seconds, asked


def load(count: int, now: datetime) -> None:
    """Put `count` incidents into the portal: most are history, the newest are open, escalating, with a timeline."""
    seed.clear()
    long_ago = now - timedelta(days=30)
    closed: dict[str, Any] = {"status": Status.CLOSED}
    for name in ("acknowledged", "mitigated", "resolved", "closed"):
        closed |= {f"{name}_at": long_ago, f"{name}_by": "bench"}
    history = seed.incidents(count - OPEN, declared_at=long_ago, **closed)
    remember(history, long_ago)
    ids = seed.incidents(OPEN, declared_at=now - timedelta(minutes=4), first=count - OPEN + 1)
    policy = EscalationPolicy.objects.get(name="Bench")
    seed.escalating(ids, policy, started_at=now, due=[now + timedelta(minutes=1)] * OPEN)
    for incident in Incident.objects.filter(pk__in=ids):
        for number in range(20):
            records.write_note(incident, kind="note", text=f"Looked at host {number}.", by="bench", at=now)
    seed.analyze()


def remember(ids: list[int], at: datetime) -> None:
    """Give each closed incident three lines of timeline, a clock that was kept, and a mail that was sent."""
    subject_type = ContentType.objects.get_for_model(Incident).pk
    contact = Contact.objects.order_by("pk").values_list("pk", flat=True)[0]
    about = {"subject_type_id": subject_type, "kind": "note", "by": "bench", "at": at}
    for start in range(0, len(ids), seed.BATCH):
        some = ids[start : start + seed.BATCH]
        records.write_notes(
            [records.make_note(subject_id=pk, text=f"Line {n}.", **about) for pk in some for n in range(3)]
        )
        insert_many(
            [
                Deadline(
                    kind="incident.clock", subject_type_id=subject_type, subject_id=pk, key="response",
                    started_at=at, due_at=at, state="met", settled_at=at, met_at=at,
                )
                for pk in some
            ]
        )  # fmt: skip
        insert_many(
            [
                Message(
                    idempotency_key=f"bench:{pk}", kind="incident_page", about_type_id=subject_type, about_id=pk,
                    lane="email", contact_id=contact, title="Page", body="Page", state="sent",
                    created_at=at, due_at=at, next_attempt_at=at, settled_at=at,
                )
                for pk in some
            ]
        )  # fmt: skip
