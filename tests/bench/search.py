"""How long a search takes over 500 runbooks of 200 steps, 5,000 incidents and what else there is, beside LIKE."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from hashlib import sha256
from itertools import cycle, product

from django.db import connection
from django.db.models import Q, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import System
from portal.runbooks.models import Command, Issue, Passage, Procedure, Runbook, RunbookVersion, Step
from tests.bench import seed
from tests.bench.report import note, percentile, say

RUNBOOKS, STEPS, INCIDENTS = 500, 200, 5000
PROCEDURES, ISSUES, PASSAGES = 8, 2, 20
VISITS, WARM_UP = 5, 1
VERBS = ("Restart", "Check", "Drain", "Rotate", "Restore", "Verify", "Scale", "Stop", "Replay", "Inspect", "Flush")
THINGS = (
    *("the relay", "the queue", "the gateway", "the replica", "the index", "the cache", "the certificate", "the disk"),
    *("the worker", "the scheduler", "the backup", "the load balancer", "the session store"),
)
ENDS = ("on every node", "by hand", "before the failover", "and wait for the alarm", "as the on-call person", "again")
COMMANDS = (
    "systemctl restart unit{}.service",
    "kubectl rollout status deploy/app{} -n prod",
    "psql -h db{} -c 'VACUUM'",
)
# A word that most steps have, rare ones, several at once, a piece of a command, a name, and one that nothing has.
WORDS = (
    *("the", "restart", "re", "restart relay", "drain the queue on every node", "step 117", "rollout app42", "vacuum"),
    *("bench-3", "person 2", "disk almost full host-77", "certificate failover", "xylophone", "relay giraffe"),
)


def run(_address: str) -> bool:
    """Measure the page of a search and what the box shows while somebody types, over a mix of words."""
    now = datetime.now(UTC)
    seed.company(now)
    _runbooks(now)
    seed.incidents(INCIDENTS, declared_at=now)
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_superuser("bench-reader")
    seed.analyze()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    like = 1000 * percentile([_like(words) for words in WORDS], 0.95)
    met = True
    for name, path in (("page", "/search/"), ("live", "/search/live/")):
        seconds, queries, slowest = _visits(client, path)
        met &= say(
            f"search.{name}", 1000 * percentile(seconds, 0.95), "ms p95", limit=100, steps=RUNBOOKS * STEPS,
            baseline=round(like, 1), of="ms p95, LIKE over the steps alone",
            p50=round(1000 * percentile(seconds, 0.5), 1), queries=queries, slowest=slowest,
        )  # fmt: skip
    return met


def _visits(client: Client, path: str) -> tuple[list[float], int, dict[str, float]]:
    seconds, slowest, asked = [], {}, 0
    for words in WORDS:
        for visit in range(WARM_UP + VISITS):
            before = time.perf_counter()
            answer = client.get(path, {"q": words})
            if visit >= WARM_UP:
                seconds.append(time.perf_counter() - before)
            if answer.status_code != 200:
                raise AssertionError(f"{words} answered {answer.status_code}")
        slowest[words] = round(1000 * max(seconds[-VISITS:]), 1)
        with CaptureQueriesContext(connection) as queries:
            client.get(path, {"q": words})
        asked = max(asked, len(queries))
    return seconds, asked, dict(sorted(slowest.items(), key=lambda one: -one[1])[:3])


def _like(words: str) -> float:
    """Return how long the steps alone take without an index: all that meet the words, as a list would be ranked."""
    before = time.perf_counter()
    rows = Step.objects.filter(version__state="published")
    for word in words.split():
        rows = rows.filter(Q(text__icontains=word) | Q(detail__icontains=word))
    list(rows.order_by("-pk").values("pk", "text")[:100])
    return time.perf_counter() - before


def _runbooks(now: datetime) -> None:
    """Insert runbooks with one version in force each, as publishing would have left their rows."""
    note(f"  {RUNBOOKS} runbooks of {STEPS} steps")
    systems = cycle(System.objects.order_by("pk"))
    made = {"made_at": now, "made_by": "bench"}
    runbooks = QuerySet(Runbook).bulk_create(
        Runbook(reference=f"RBK-{n:06d}", title=f"Running service {n}", system=next(systems), **made)
        for n in range(1, RUNBOOKS + 1)
    )
    texts = {book.pk: "\n".join(_says(number, book.pk) for number in range(STEPS)) for book in runbooks}
    versions = QuerySet(RunbookVersion).bulk_create(
        RunbookVersion(
            runbook=book, number=1, state="published", text=texts[book.pk],
            digest=sha256(texts[book.pk].encode()).hexdigest(), submitted_at=now, submitted_by="bench",
            published_at=now, published_by="other", **made,
        )
        for book in runbooks
    )  # fmt: skip
    for version in versions:
        _lines(version)


def _says(number: int, salt: int) -> str:
    verbs = list(product(VERBS, THINGS, ENDS))
    verb, thing, end = verbs[(number * 7 + salt * 31) % len(verbs)]
    return f"{verb} {thing} {end} (step {number})"


def _lines(version: RunbookVersion) -> None:
    def numbered(count: int) -> range:
        return range(1, count + 1)

    procedures = Procedure.objects.bulk_create(
        Procedure(version=version, position=n, line=n, title=_says(n, version.pk), place="other")
        for n in numbered(PROCEDURES)
    )
    issues = Issue.objects.bulk_create(
        Issue(version=version, position=n, line=n, title=f"Issue: {_says(n, version.pk + 5)}") for n in numbered(ISSUES)
    )
    owners = [*({"procedure": one} for one in procedures), *({"issue": one} for one in issues)]
    Step.objects.bulk_create(
        Step(
            version=version, position=n, line=n, role="steps", text=_says(n, version.pk),
            detail=COMMANDS[n % 3].format(n) if n % 4 == 0 else "", **owners[n * len(owners) // (STEPS + 1)],
        )
        for n in numbered(STEPS)
    )  # fmt: skip
    Passage.objects.bulk_create(
        Passage(version=version, position=n, line=n, title=f"Part {n}", text=f"{_says(n, 11)}\n{_says(n, version.pk)}")
        for n in numbered(PASSAGES)
    )
    Command.objects.bulk_create(
        Command(version=version, position=n, line=n, text=COMMANDS[n % 3].format(n), description=_says(n, 3))
        for n in numbered(40)
    )
