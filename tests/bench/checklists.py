"""How long it takes to start eighty steps, and to show a board over ten thousand open ones beside a history of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import Contact, System, Team
from portal.lib.inserting import insert_values
from portal.records import services as records
from portal.runbooks.checklists import services
from portal.runbooks.models import Checklist, ChecklistRun, ChecklistVersion, RunStep
from tests.bench import seed
from tests.bench.report import note, percentile, say

OPEN_RUNS, ENDED_RUNS, STEPS = 125, 1_000, 80
STARTS, VISITS, WARM_UP = 60, 40, 3
TEAMS = ("oncall", "security", "platform", "support", "ops")


def run(_address: str) -> bool:
    """Measure starting, ticking and the board."""
    now = datetime.now(UTC)
    if not System.objects.filter(slug__startswith="bench-").exists():
        seed.company(now)
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_superuser("bench-reader")
        me = Contact.objects.create(name="Reader", user=user)
        for team in Team.objects.filter(slug__in=TEAMS[:2]):
            team.members.add(me)
        met = _starting(now)
        met &= _ticking(user, now)
        before_count = RunStep.objects.filter(state="open").count()
        few = _visits(user)
        _load(now)
        many = _visits(user)
    for name, (seconds, queries) in many.items():
        p95, before = 1000 * percentile(seconds, 0.95), round(1000 * percentile(few[name][0], 0.95), 1)
        met &= say(
            f"checklists.{name}", p95, "ms p95", limit=200, baseline=before, of=f"ms p95, with {before_count} open",
            open_steps=before_count + OPEN_RUNS * STEPS, queries=queries, whole=queries == few[name][1],
        )  # fmt: skip
    return met


def _starting(now: datetime) -> bool:
    """Start eighty steps beside one step, which is what the rest of a start costs."""
    checklist = Checklist.objects.get(slug="incident-response")
    line = [services.Line("Look.", Team.objects.get(slug="ops"))]
    short = services.make(name="Short", slug="short", lines=line, by="bench", at=now, reason="A benchmark")
    ids = seed.incidents(2 * STARTS + WARM_UP, declared_at=now)
    subjects = list(Incident.objects.filter(pk__in=ids).order_by("pk"))
    for incident in subjects[:WARM_UP]:
        services.start(checklist, subject=incident, by="bench", at=now)
    spent: dict[str, list[float]] = {"long": [], "short": []}
    for number, incident in enumerate(subjects[WARM_UP:]):
        kind = "long" if number % 2 else "short"
        begun = time.perf_counter()
        services.start(checklist if number % 2 else short, subject=incident, by="bench", at=now)
        spent[kind].append(time.perf_counter() - begun)
    counts = {}
    for kind, chosen in (("long", checklist), ("short", short)):
        with CaptureQueriesContext(connection) as queries:
            services.start(chosen, subject=subjects[0], by="bench", at=now)
        counts[kind] = len(queries)
    return say(
        "checklists.start", 1000 * percentile(spent["long"], 0.95), "ms p95", limit=100,
        baseline=round(1000 * percentile(spent["short"], 0.95), 1), of="ms p95, with one step",
        steps=STEPS, queries=counts["long"], whole=counts["long"] == counts["short"],
    )  # fmt: skip


def _ticking(user: User, now: datetime) -> bool:
    steps = list(RunStep.objects.filter(state="open", run__name="Incident response").order_by("-pk")[:STARTS])
    seconds = []
    for step in steps:
        begun = time.perf_counter()
        services.tick(step, by=user, at=now)
        seconds.append(time.perf_counter() - begun)
    return say("checklists.tick", 1000 * percentile(seconds, 0.95), "ms p95", limit=100, whole=True)


def _load(now: datetime) -> None:
    """Put ten thousand open steps into the portal, and eight times as many that are done."""
    note(f"  {OPEN_RUNS * STEPS} open steps")
    version = ChecklistVersion.objects.get(checklist__slug="incident-response")
    teams = [Team.objects.get(slug=slug).pk for slug in TEAMS]
    for ended in (True, False):
        count = ENDED_RUNS if ended else OPEN_RUNS
        ids = seed.incidents(count, declared_at=now - timedelta(days=1), first=10_000 if ended else 50_000)
        for incident in ids:
            _run(version, incident, teams, now, ended=ended)
    seed.analyze()


def _run(version: ChecklistVersion, incident: int, teams: list[int], now: datetime, *, ended: bool) -> None:
    who: dict[str, Any] = {"ended_at": now, "ended_by": "bench"} if ended else {}
    made = ChecklistRun.objects.create(
        reference=records.next_reference("CHK"), checklist=version.checklist, version=version, name="Incident response",
        subject_type=ContentType.objects.get_for_model(Incident), subject_id=incident, started_at=now,
        started_by="bench", **who,
    )  # fmt: skip
    state: dict[str, Any] = {"state": "done", "settled_at": now, "settled_by": "bench"} if ended else {"state": "open"}
    insert_values(
        RunStep,
        [
            {
                "run_id": made.pk, "position": n + 1, "text": f"Validate component {n + 1} and collect logs.",
                "page": "evidence", "team_id": teams[n % 5], "opened_at": now - timedelta(seconds=incident % 5_000),
                **state,
            }
            for n in range(STEPS)
        ],
    )  # fmt: skip


def _visits(user: User) -> dict[str, tuple[list[float], int]]:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    pages = {
        "board": "/checklists/",
        "board_all": "/checklists/?team=all",
        "board_deep": "/checklists/?team=all&page=9",
    }
    return {name: _times(client, address) for name, address in pages.items()}


def _times(client: Client, address: str) -> tuple[list[float], int]:
    for _ in range(WARM_UP):
        assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    asked, seconds = len(queries), []
    for _ in range(VISITS):
        before = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - before)
    return seconds, asked
