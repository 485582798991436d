"""The due list over 20,000 plans and 500,000 dates, and the sweep that opens and reminds 10,000, also four at once."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import connection, connections, models
from django.test import Client

from maintenance import sweeps
from maintenance.enums import Frequency, PlanState, Source, State
from maintenance.models import Occurrence, Plan
from maintenance.services.common import NOTICE
from portal.accounts.models import User
from portal.audit import guards
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, Sweep
from portal.directory.models import Contact, System, Team
from portal.lib import clock
from portal.notify.models import Message
from portal.records.models import Note
from tests.bench import seed
from tests.bench.report import note, percentile, say
from tests.factories.directory import make_contact, make_system, make_team

PLANS, HISTORY, DUE = 20_000, 24, 10_000
PEOPLE, SYSTEMS, ROUNDS, WARM_UP = 200, 100, 60, 5
DAY = timedelta(days=1)


def run(_address: str) -> bool:
    """Measure the sweep alone, four at once, and the list."""
    at = clock.database_now().replace(microsecond=0)
    with acting(by="bench", reason="A benchmark", origin="command"):
        people, teams, systems = _company()
        met = _sweep(people, teams, systems, _monday(at), sweepers=1)
        met &= _sweep(people, teams, systems, _monday(at), sweepers=4)
        _clear()
        _history(people, teams, systems, at)
        return _list(people, at) and met


def _monday(at: datetime) -> datetime:
    """Return the moment of this week at which there is most to do: the digests of managers are written too."""
    return (at - at.weekday() * DAY).replace(hour=9, minute=0, second=0)


def _company() -> tuple[list[Contact], list[Team], list[System]]:
    people = [
        make_contact(
            f"Person {number}", user=User.objects.create_user(f"bench{number}", is_staff=True, is_superuser=not number)
        )
        for number in range(PEOPLE)
    ]
    teams = [make_team(f"bench-{number}", members=people[number::10]) for number in range(10)]
    return people, teams, [make_system(f"bench-{number}") for number in range(SYSTEMS)]


def _plans(count: int, people: list[Contact], teams: list[Team], systems: list[System], **more: object) -> list[Plan]:
    """Insert plans in force past their history, which is not what is measured."""
    rows = [
        Plan(
            reference=f"MNT-{100_000 + number:06d}", task=f"Look after host-{number}", owner=people[number % PEOPLE],
            manager=people[number % 20], team=teams[number % 10], state=PlanState.IN_FORCE, time_zone="Europe/London",
            made_by="bench", activated_by="bench", **more,
        )
        for number in range(count)
    ]  # fmt: skip
    plain: models.QuerySet[Plan] = models.QuerySet(Plan)
    made = plain.bulk_create(rows, batch_size=2000)
    through = Plan.systems.through
    models.QuerySet(through).bulk_create(
        (through(plan=plan, system=systems[number % SYSTEMS]) for number, plan in enumerate(made)), batch_size=5000
    )
    return made


def _clear() -> None:
    with guards.lifted(), connection.cursor() as cursor:
        for model in (Message, Deadline, Note, Occurrence, Plan.systems.through, Sweep):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        cursor.execute("DELETE FROM maintenance_plan WHERE made_by = 'bench'")


def _sweep(people: list[Contact], teams: list[Team], systems: list[System], at: datetime, *, sweepers: int) -> bool:
    """Let the dates of 10,000 daily plans be opened and reminded of, and check that each was, once."""
    _clear()
    due = at - timedelta(minutes=1)
    _plans(
        DUE, people, teams, systems, frequency=Frequency.DAILY, anchor=due.date(), due_time=due.time(),
        made_at=at, activated_at=at - 2 * DAY,
    )  # fmt: skip
    seed.analyze()
    begun, worked = time.perf_counter(), time.process_time()
    if sweepers == 1:
        _one(at)
    else:
        with ThreadPoolExecutor(sweepers) as pool:
            list(pool.map(_one, [at + timedelta(microseconds=number) for number in range(sweepers)]))
        _one(at + timedelta(seconds=1))  # whatever the last to leave has left to others
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    fired = Counter(Deadline.objects.filter(kind=NOTICE, state="fired", key="due").values_list("subject_id", flat=True))
    dates = Counter(Occurrence.objects.values_list("plan_id", flat=True))
    inbox = Message.objects.filter(lane="inbox").exclude(kind="maintenance_monday")
    told = Counter(inbox.values_list("contact_id", flat=True))
    once = set(fired.values()) == set(dates.values()) == {1} and len(fired) == len(dates) == DUE
    note(f"  {sweepers} sweeping: {seconds:.2f} s, {len(dates)} dates, {len(told)} people")
    return say(
        "maintenance.sweep" if sweepers == 1 else "maintenance.sweep_by_four", seconds, "s", limit=10,
        whole=once and set(told.values()) == {1}, baseline=round(worked, 2), of="CPU of this process",
        plans=DUE, people=len(told), exactly_once=once,
    )  # fmt: skip


def _one(at: datetime) -> None:
    try:
        sweeps.sweep_maintenance(at=at)
    finally:
        connections.close_all()


def _history(people: list[Contact], teams: list[Team], systems: list[System], at: datetime) -> None:
    """Put 20,000 plans with 24 dates behind them and one ahead, some of them overdue."""
    made = _plans(
        PLANS, people, teams, systems, frequency=Frequency.MONTHLY, anchor=(at - 730 * DAY).date(), made_at=at,
        activated_at=at - 730 * DAY,
    )  # fmt: skip
    plain: models.QuerySet[Occurrence] = models.QuerySet(Occurrence)
    for start in range(0, PLANS, 1000):
        rows = []
        for place, plan in enumerate(made[start : start + 1000], start=start):
            for number in range(1, HISTORY + 2):
                days = (number - HISTORY - 1) * 30 + place % 100 - 5
                rows.append(_occurrence(plan, number, at + days * DAY, standing=number == HISTORY + 1))
        plain.bulk_create(rows, batch_size=5000)
    seed.analyze()
    note(f"  {Plan.objects.count()} plans, {Occurrence.objects.count()} dates")


def _occurrence(plan: Plan, number: int, due: datetime, *, standing: bool) -> Occurrence:
    done = {} if standing else {
        "state": State.COMPLETED, "done_at": due, "done_by": "bench", "recorded_at": due, "settled_at": due,
        "source": Source.PERSON,
    }  # fmt: skip
    return Occurrence(
        plan=plan, number=number, reference=f"{plan.reference}.{number}", scheduled_on=due.date(), due_on=due.date(),
        due_at=due, starts_at=due - 15 * DAY, opened_at=due - 30 * DAY, why="A benchmark", **done,
    )  # fmt: skip


def _list(people: list[Contact], at: datetime) -> bool:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(people[0].user)
    pages = ("?whose=all", "?whose=managed", "?whose=team", "?whose=mine", "?whose=all&when=30", "?whose=all&page=9")
    seconds = []
    for number in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        answer = client.get(f"/maintenance/{pages[number % len(pages)]}")
        seconds.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.status_code
    bare = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        list(Occurrence.objects.standing().order_by("due_at", "pk").values_list("pk")[:50])
        bare.append(time.perf_counter() - begun)
    return say(
        "maintenance.due_list", 1000 * percentile(seconds[WARM_UP:], 0.95), "ms p95", limit=200,
        baseline=round(1000 * percentile(bare, 0.95), 2), of="its first 50 rows alone", plans=PLANS,
        dates=PLANS * (HISTORY + 1), p50=round(1000 * percentile(seconds[WARM_UP:], 0.5), 1),
    )  # fmt: skip
