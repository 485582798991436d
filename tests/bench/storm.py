"""A storm of alerts over HTTP that grows as a cascade does: one web process, one worker, PostgreSQL, a Redis.

Somebody is on call, and two others follow every system.

Each alert has its moment; its answer is timed from then on, so that a server that falls behind is seen to. Beside it,
in the same run, the same pace of requests that are answered without the database.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import Group
from django.db.models import Q, Sum

from incidents.communications import subscribing
from incidents.enums import IntakeKind
from incidents.intake import tokens
from incidents.models import Alert, Incident, IntakeDelivery
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.celery import LANES, SWEEPS
from portal.directory.models import Contact, System
from portal.lib.clock import database_now
from portal.notify.models import Message
from portal.supervisor import plan
from tests.bench import seed
from tests.bench.lateness import CHECKOUT, Engine
from tests.bench.report import note, percentile, say

ALERTS = 10_000
INCIDENTS = 200
EACH = ALERTS // INCIDENTS
SECONDS = 60.0
CALM_ALERTS = 1_000
SENDERS = 24
PATIENCE = 30.0
LIMIT_MS = 150
BUNDLE_SECONDS = 60
FOLLOWERS = ("bench4", "bench5")  # accounts of people whom no step pages
WORKER_PROCESSES = 2

Sent = tuple[int, float]  # the answer, and the seconds until it came


class Portal(Engine):
    """One web process, one worker that hears all queues, and the clock that rings them."""

    def __init__(self) -> None:
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.web_port = probe.getsockname()[1]

    def sweep_worker(self, number: int) -> None:
        """Start the one worker; there is no second."""
        if number == 1:
            self._run("worker", plan.worker(f"{SWEEPS},{LANES}", WORKER_PROCESSES))

    def _run(self, name: str, argv: list[str]) -> None:
        if name != "messages":  # the one worker sends them
            super()._run(name, argv)

    def start(self) -> None:
        """Start everything, and wait until the web process answers."""
        super().start()
        web = plan.web(plan.Place(CHECKOUT, CHECKOUT, "127.0.0.1", self.web_port))
        web[web.index("--workers") + 1] = "1"
        self._run("web", web)
        end = time.monotonic() + PATIENCE
        while self.ask("GET", "/intake/nothing/", b"") != 405:
            if time.monotonic() > end:
                raise TimeoutError("the web process did not start")
            time.sleep(0.2)

    def ask(self, method: str, path: str, body: bytes) -> int:
        """Return the answer to one request, 0 when there is none."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60)
            connection.request(method, path, body)
            return connection.getresponse().status
        except OSError:
            return 0


def run(_address: str) -> bool:
    """Measure the calm pace, then the storm."""
    now = database_now()
    seed.company(now)
    _bundle_messages()
    _follow(now)
    _, secret = tokens.add(name="Storm", kind=IntakeKind.JSON, by="bench", at=now, reason="A benchmark")
    portal = Portal()
    try:
        portal.start()
        paced(portal, 50, lambda number: ("GET", "/intake/nothing/", b""))
        calm = paced(portal, CALM_ALERTS, lambda number: ("GET", "/intake/nothing/", b""))
        note(f"  calm: p95 {_p95(calm):.1f} ms")
        began = database_now()
        sent = paced(portal, ALERTS, lambda number: ("POST", f"/intake/{secret}/", body(number)))
        _wait_for_messages()
    finally:
        portal.stop()
    return _judged(sent, calm, began)


def _bundle_messages() -> None:
    """Let what is sent to people leave as one in each interval, as it does for whoever never chose otherwise."""
    with acting(by="bench", reason="A benchmark", origin="command"):
        for contact in Contact.objects.all():
            contact.bundle_seconds = BUNDLE_SECONDS
            contact.save()


def _follow(at: datetime) -> None:
    """Let two people hear of every incident of every system."""
    with acting(by="bench", reason="A benchmark", origin="command"):
        for name in FOLLOWERS:
            account = User.objects.get(username=name)
            account.groups.add(Group.objects.get(name="Responder"))
            for system in System.objects.order_by("pk"):
                subscribing.follow(system, by=account, at=at)


def body(number: int) -> bytes:
    """The alert of this number: each fiftieth begins a new incident, the others are of those that have begun."""
    begun = number // EACH
    key = begun if number % EACH == 0 else random.Random(number).randint(0, begun)
    alert = {
        "key": f"disk-{key}", "title": f"Disk of host-{key} is almost full", "severity": "high",
        "system": f"bench-{key % 12}", "labels": {"host": f"host-{key}"}, "description": f"{number} bytes are left",
    }  # fmt: skip
    return json.dumps(alert).encode()


def paced(portal: Portal, count: int, request: Callable[[int], tuple[str, str, bytes]]) -> list[Sent]:
    """Send so many requests at the pace of the storm, each at its moment; return the answers in their order."""
    answers: list[Sent] = [(0, 0.0)] * count
    numbers = itertools.count()
    start = time.perf_counter() + 0.5

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", portal.web_port, timeout=60)
        while (number := next(numbers)) < count:
            due = start + number * SECONDS / ALERTS
            time.sleep(max(0.0, due - time.perf_counter()))
            answers[number] = (_exchange(connection, *request(number)), time.perf_counter() - due)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _exchange(connection: http.client.HTTPConnection, method: str, path: str, sent: bytes) -> int:
    try:
        connection.request(method, path, sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status


def _wait_for_messages() -> None:
    """Wait until messages of the storm went out, at most so long as two bundles take."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not Message.objects.filter(lane="email", state="sent").exists():
        time.sleep(0.5)


def _p95(sent: list[Sent]) -> float:
    return 1000 * percentile([seconds for _, seconds in sent], 0.95)


def _judged(sent: list[Sent], calm: list[Sent], began: datetime) -> bool:
    statuses = Counter(status for status, _ in sent)
    kept = IntakeDelivery.objects.filter(result="accepted").count()
    counted = Alert.objects.aggregate(all=Sum("count"))["all"] or 0
    opened = Incident.objects.count()
    whole = statuses[200] == kept == counted == ALERTS and opened == INCIDENTS
    met = say(
        "storm", _p95(sent), "ms p95", limit=LIMIT_MS, whole=whole, baseline=round(_p95(calm), 2),
        of="p95 of answers without the database at the same pace", answered=dict(statuses), lost=ALERTS - counted,
        incidents=opened, p50=round(1000 * percentile([s for _, s in sent], 0.5), 1),
        worst=round(1000 * max(s for _, s in sent), 1),
    )  # fmt: skip
    most, messages, deliveries = _bundled()
    return met & say(
        "storm.messages", most, "deliveries to one contact method above one per interval", limit=0,
        baseline=messages, of="messages if each were sent alone", deliveries=deliveries,
    )  # fmt: skip


def _bundled() -> tuple[int, int, int]:
    """Return how many deliveries to a method came too early after the one before, the messages, the deliveries."""
    sent = Message.objects.filter(Q(urgent=True) | Q(gathers=True), state="sent", method__isnull=False)
    rows = sent.select_related("method__contact")
    moments: dict[int, dict[str, datetime]] = defaultdict(dict)
    spans = {}
    for row in rows:
        moments[row.method_id].setdefault(getattr(row, "bundle", "") or row.idempotency_key, row.settled_at)
        spans[row.method_id] = getattr(row.method.contact, "bundle_seconds", 60)
    early = 0
    for method, found in moments.items():
        times = sorted(found.values())
        early += sum(
            (after - before).total_seconds() < spans[method] - 3 for before, after in itertools.pairwise(times)
        )
    return early, len(rows), sum(len(found) for found in moments.values())
