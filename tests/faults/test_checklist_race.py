"""Two who tick one step at the same moment, whoever ends the run meanwhile, and two who settle its last two steps."""

from datetime import timedelta

import pytest
from django.db import connection

from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.models import RunEvent, RunStep
from tests.factories.checklists import make_checklist, make_run, make_worker, step_of
from tests.factories.directory import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 12 if connection.vendor == "postgresql" else 4
LATER = NOON + timedelta(minutes=3)


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


def test_of_two_who_tick_one_step_at_once_one_wins_and_the_other_is_told_by_name_and_time(together, amara, leila):
    for _ in range(ROUNDS):
        run = make_run()
        said = together(tick(run, amara, 1), tick(run, leila, 1))
        winner = step_of(run).settled_by
        assert sorted(said) == sorted([winner, f"{winner} ticked step 1 already, Tue 17 Nov 2026, 12:03:00 UTC."])
        assert RunEvent.objects.filter(run=run, what=What.TICKED).count() == 1


def test_many_ticked_at_once_in_any_order_are_each_ticked_once(together, amara, leila):
    for _ in range(ROUNDS):
        run = make_run(make_checklist(steps=20))
        said = together(tick(run, amara, *range(1, 16)), tick(run, leila, *range(20, 4, -1)))
        assert sum(said) == 20
        assert RunEvent.objects.filter(run=run, what=What.TICKED).count() == 20


def test_two_who_settle_the_last_two_steps_at_once_end_the_run_once(together, amara, leila):
    for _ in range(ROUNDS):
        run = make_run(make_checklist(steps=2))
        together(tick(run, amara, 1), tick(run, leila, 2))
        assert RunEvent.objects.filter(run=run, what=What.ENDED).count() == 1
        run.refresh_from_db()
        assert run.is_over


def test_a_run_that_is_ended_meanwhile_leaves_no_step_both_ticked_and_left_open(together, amara, leila):
    for _ in range(ROUNDS):
        run = make_run()
        end = lambda run=run: services.end(run, by=leila, at=LATER, reason="Another system").ended_by  # noqa: E731
        together(tick(run, amara, 1), tick(run, amara, 2, 3), end)
        steps = RunStep.objects.filter(run=run)
        ticked = RunEvent.objects.filter(run=run, what=What.TICKED).count()
        assert steps.filter(state=StepState.DONE).count() == ticked
        assert steps.filter(state=StepState.LEFT).count() == 5 - ticked
