"""How long the room of one incident takes with two thousand entries in its timeline, beside the same with twenty."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents import services
from incidents.enums import Audience
from incidents.models import Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import Contact, Severity, System
from portal.records import services as records
from tests.bench import seed
from tests.bench.report import note, percentile, say

FEW, MANY = 20, 2000
VISITS, WARM_UP = 40, 3
KINDS = ("note", "paged", "update", "note", "responder", "alert", "at_risk", "note", "message", "clock")
WORDS = "The queue grows by four thousand messages a minute; the second gateway answers, the first one does not. " * 2


def run(_address: str) -> bool:
    """Measure the room, the part of it that refreshes itself, and the room with a whole page of earlier entries."""
    now = datetime.now(UTC)
    seed.company(now)
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_superuser("bench-reader")
    few, many = _incident(FEW, now), _incident(MANY, now)
    seed.analyze()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    met = True
    for name, path in (("room", ""), ("live", "live/"), ("earlier", "?page=2")):
        before, queries_before, _ = _visits(client, f"{few.get_absolute_url()}{path}")
        seconds, queries, of_processor = _visits(client, f"{many.get_absolute_url()}{path}")
        met &= say(
            f"room.{name}", 1000 * percentile(seconds, 0.95), "ms p95", limit=200, entries=MANY,
            baseline=round(1000 * percentile(before, 0.95), 1), of=f"ms p95, {FEW} entries",
            p50=round(1000 * percentile(seconds, 0.5), 1), processor=round(of_processor, 1), queries=queries,
            queries_before=queries_before,
        )  # fmt: skip
    return met


def _incident(entries: int, now: datetime) -> Incident:
    """Declare an incident, and write its timeline: lines of people and machines, updates, corrections."""
    note(f"  an incident with {entries} entries")
    began = now - timedelta(hours=3)
    with acting(by="bench", reason="A benchmark", origin="command", at=began):
        incident = services.declare(
            title="Inbound mail is not turned into tickets", severity=Severity.objects.get(level=1),
            systems=System.objects.order_by("pk")[:3], by="bench", at=began,
        )  # fmt: skip
    contacts = list(Contact.objects.order_by("pk")[:5])
    for contact in contacts:
        services.add_responder(incident, contact=contact, by="bench", at=began)
    kind = ContentType.objects.get_for_model(Incident).pk
    step = (now - began) / entries
    rows = [
        records.make_note(
            subject_type_id=kind, subject_id=incident.pk, kind=KINDS[number % len(KINDS)], text=f"did thing {number}",
            detail=WORDS, by="bench", at=began + step * number,
            audience=Audience.STAKEHOLDERS.value if KINDS[number % len(KINDS)] == "update" else "",
        )
        for number in range(entries)
    ]  # fmt: skip
    records.write_notes(rows)
    return incident


def _visits(client: Client, address: str) -> tuple[list[float], int, float]:
    for _ in range(WARM_UP):
        answer = client.get(address)
        if answer.status_code != 200:
            raise AssertionError(f"{address} answered {answer.status_code}")
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    asked, seconds, begun = len(queries), [], time.process_time()
    for _ in range(VISITS):
        before = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - before)
    return seconds, asked, 1000 * (time.process_time() - begun) / VISITS
