"""The recovery page over 500 systems with promises, proofs and a hundred thousand runs of their backups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test import Client

from maintenance.enums import Frequency, PlanState, Source, State
from maintenance.models import BackupPlan, BackupRun, Occurrence, Plan, RestoreTest
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.enums import ProofKind, Verdict
from portal.directory.models import Contact, Dependency, RecoveryObjective, RecoveryProof, RecoveryStanding, System
from portal.lib import clock
from tests.bench import seed
from tests.bench.report import note, percentile, say
from tests.factories.directory import make_contact, make_team

SYSTEMS, RUNS, PROOFS = 500, 200, 26
ROUNDS, WARM_UP = 60, 5
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAGES = ("", "?show=unproven", "?page=9", "?q=host-7", "?show=silent", "?show=exposed&page=2")


def run(_address: str) -> bool:
    """Measure the page, and one system of it."""
    at = clock.database_now().replace(microsecond=0)
    with acting(by="bench", reason="A benchmark", origin="command"):
        user = User.objects.create_user("bench", is_staff=True, is_superuser=True)
        person = make_contact("Person", user=user)
        systems = _systems(person)
        _backups(systems, at)
        _proofs(systems, at)
        _next_tests(systems, person, at)
    seed.analyze()
    note(f"  {SYSTEMS} systems, {BackupRun.objects.count()} runs, {RecoveryProof.objects.count()} proofs")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    met = _say("recovery.page", client, [f"/recovery/{page}" for page in PAGES], _bare_page, "its rows alone")
    one = [f"/recovery/systems/{system.slug}/" for system in systems[: ROUNDS + WARM_UP]]
    return _say("recovery.system", client, one, _bare_system, "its proofs alone") and met


def _insert(rows: Sequence[models.Model]) -> None:
    """Insert rows past their history, which is not what is measured."""
    plain: models.QuerySet[models.Model] = models.QuerySet(type(rows[0]))
    plain.bulk_create(rows, batch_size=5000)


def _systems(person: Contact) -> list[System]:
    teams = [make_team(f"bench-{number}", members=[person]) for number in range(20)]
    _insert([System(slug=f"host-{n}", name=f"Host {n}", owner=teams[n % 20]) for n in range(SYSTEMS)])
    systems = list(System.objects.order_by("pk"))
    _insert([
        RecoveryObjective(system=system, rto_minutes=60 + n % 5 * 60, rpo_minutes=60 + n % 3 * 600)
        for n, system in enumerate(systems) if n % 10
    ])  # fmt: skip
    _insert([Dependency(system=systems[n], needs=systems[n + 1]) for n in range(SYSTEMS - 1) if n % 4])
    return systems


def _backups(systems: list[System], at: datetime) -> None:
    """Give each system a backup with runs that end at many ages, so that some are silent and some beyond the RPO."""
    _insert([
        BackupPlan(
            reference=f"BKP-{n:06d}", system=system, what="The database", place="Another town", frequency_minutes=720,
            made_at=at - 400 * DAY, made_by="bench",
        )
        for n, system in enumerate(systems)
    ])  # fmt: skip
    for place, plan in enumerate(BackupPlan.objects.order_by("pk")):
        last = at - (place % 40) * HOUR / 2
        _insert([
            BackupRun(
                plan=plan, finished_at=last - number * 12 * HOUR, newest_data_at=last - number * 12 * HOUR - MINUTE,
                size=48_211, verified=True, stored=True, source=Source.JOB, recorded_at=at, recorded_by="bench",
            )
            for number in range(RUNS)
        ])  # fmt: skip


def _proofs(systems: list[System], at: datetime) -> None:
    """Let each system have been measured every four weeks for two years, most of them well."""
    kind = ContentType.objects.get_for_model(RestoreTest)
    rows: list[RecoveryProof] = []
    for place, system in enumerate(systems):
        for number in range(PROOFS):
            moment = at - (28 * (PROOFS - number - 1) + place % 28) * DAY
            good = (place + number) % 5 > 0
            rows.append(
                RecoveryProof(
                    system=system, subject_type=kind, subject_id=len(rows) + 1, kind=ProofKind.RESTORE,
                    reference=f"RST-{len(rows):06d}", at=moment, took_seconds=1800 if good else 90_000, lost_seconds=60,
                    rto_minutes=60, rpo_minutes=60, verdict=Verdict.MET if good else Verdict.NOT_MET,
                    proven_until=moment + 40 * DAY, recorded_at=at, by="bench",
                )
            )  # fmt: skip
    _insert(rows)
    last = {proof.system_id: proof for proof in RecoveryProof.objects.order_by("at", "pk")}
    _insert([
        RecoveryStanding(
            system=system, newest_data_at=at - (place % 40) * HOUR / 2, newest_backup_at=at - (place % 40) * HOUR / 2,
            last_proof=last[system.pk], proven_until=last[system.pk].proven_until,
        )
        for place, system in enumerate(systems)
    ])  # fmt: skip


def _next_tests(systems: list[System], person: Contact, at: datetime) -> None:
    _insert([
        Plan(
            reference=f"MNT-{100_000 + n:06d}", task="Restore it", owner=person, manager=person,
            state=PlanState.IN_FORCE, time_zone="Europe/London", frequency=Frequency.MONTHLY, anchor=at.date(),
            proves_recovery=True, made_at=at, made_by="bench", activated_at=at, activated_by="bench",
        )
        for n in range(SYSTEMS)
    ])  # fmt: skip
    plans = list(Plan.objects.filter(made_by="bench").order_by("pk"))
    through = Plan.systems.through
    _insert([through(plan=plan, system=system) for plan, system in zip(plans, systems, strict=True)])
    _insert([
        Occurrence(
            plan=plan, number=1, reference=f"{plan.reference}.1", scheduled_on=due.date(), due_on=due.date(),
            due_at=due, starts_at=due - 15 * DAY, opened_at=at, why="A benchmark", state=State.OPEN,
        )
        for n, plan in enumerate(plans) if (due := at + (n % 28 - 2) * DAY)
    ])  # fmt: skip


def _say(name: str, client: Client, addresses: list[str], bare: Callable[[], None], of: str) -> bool:
    seconds = []
    for number in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        answer = client.get(addresses[number % len(addresses)])
        seconds.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.status_code
    alone = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        bare()
        alone.append(time.perf_counter() - begun)
    asked: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        client.get(addresses[0])
    return say(
        name, 1000 * percentile(seconds[WARM_UP:], 0.95), "ms p95", limit=200,
        baseline=round(1000 * percentile(alone, 0.95), 2), of=of, systems=SYSTEMS, runs=SYSTEMS * RUNS,
        proofs=SYSTEMS * PROOFS, queries=len(asked), p50=round(1000 * percentile(seconds[WARM_UP:], 0.5), 1),
    )  # fmt: skip


def _bare_page() -> None:
    list(System.objects.order_by("name", "pk").values_list("pk", "name")[:50])
    list(RecoveryStanding.objects.values_list("system", "newest_data_at", "proven_until")[:50])


def _bare_system() -> None:
    list(RecoveryProof.objects.filter(system=System.objects.first()).values_list("pk")[:50])
