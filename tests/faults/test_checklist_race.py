"""Two who tick one step at the same moment, whoever ends the run meanwhile, and two who settle its last two steps."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from portal.audit.actor import acting
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.models import RunEvent, RunStep
from tests.factories.checklists import make_checklist, make_run, make_worker, step_of
from tests.factories.directory import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 12 if connection.vendor == "postgresql" else 4
LATER = NOON + timedelta(minutes=3)


@pytest.fixture
def workers(quick_commits):
    with ThreadPoolExecutor(3) as pool:
        yield pool
        together(pool, *[connections.close_all] * 3)


def together(pool, *acts):
    """Do all at once, each on a connection of its own; return what each returned, or the sentence of its refusal."""
    start = threading.Barrier(len(acts))

    def run(act):
        with acting(by="system: race", origin="task", reason="A race"):
            start.wait(30)
            try:
                return act()
            except Refused as refused:
                return str(refused)

    return [done.result(60) for done in [pool.submit(run, act) for act in acts]]


@pytest.fixture
def amara():
    return make_worker("amara", first_name="Amara", last_name="Okafor")


@pytest.fixture
def leila():
    return make_worker("leila", first_name="Leila", last_name="Nasser")


def tick(run, by, *positions):
    if len(positions) == 1:
        return lambda: services.tick(step_of(run, *positions), by=by, at=LATER).settled_by
    steps = RunStep.objects.filter(run=run, position__in=positions)
    return lambda: len(services.tick_all(steps, by=by, at=LATER).done)


def test_of_two_who_tick_one_step_at_once_one_wins_and_the_other_is_told_by_name_and_time(workers, amara, leila):
    for _ in range(ROUNDS):
        run = make_run()
        said = together(workers, tick(run, amara, 1), tick(run, leila, 1))
        winner = step_of(run).settled_by
        assert sorted(said) == sorted([winner, f"{winner} ticked step 1 already, Tue 17 Nov 2026, 12:03:00 UTC."])
        assert RunEvent.objects.filter(run=run, what=What.TICKED).count() == 1


def test_many_ticked_at_once_in_any_order_are_each_ticked_once(workers, amara, leila):
    for _ in range(ROUNDS):
        run = make_run(make_checklist(steps=20))
        said = together(workers, tick(run, amara, *range(1, 16)), tick(run, leila, *range(20, 4, -1)))
        assert sum(said) == 20
        assert RunEvent.objects.filter(run=run, what=What.TICKED).count() == 20


def test_two_who_settle_the_last_two_steps_at_once_end_the_run_once(workers, amara, leila):
    for _ in range(ROUNDS):
        run = make_run(make_checklist(steps=2))
        together(workers, tick(run, amara, 1), tick(run, leila, 2))
        assert RunEvent.objects.filter(run=run, what=What.ENDED).count() == 1
        run.refresh_from_db()
        assert run.is_over


def test_a_run_that_is_ended_meanwhile_leaves_no_step_both_ticked_and_left_open(workers, amara, leila):
    for _ in range(ROUNDS):
        run = make_run()
        end = lambda run=run: services.end(run, by=leila, at=LATER, reason="Another system").ended_by  # noqa: E731
        together(workers, tick(run, amara, 1), tick(run, amara, 2, 3), end)
        steps = RunStep.objects.filter(run=run)
        ticked = RunEvent.objects.filter(run=run, what=What.TICKED).count()
        assert steps.filter(state=StepState.DONE).count() == ticked
        assert steps.filter(state=StepState.LEFT).count() == 5 - ticked
