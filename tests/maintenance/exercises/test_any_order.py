"""The life of an exercise in any order of its verbs: what the tables refuse is refused, what stands holds together."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from maintenance.exercises import policy, recording, services
from maintenance.exercises.enums import ExerciseState, StepState
from maintenance.exercises.measuring import Timed, measure
from maintenance.models import Exercise
from maintenance.policy import Refused
from portal.audit.actor import acting
from tests.factories.directory import NOON
from tests.factories.exercises import WHY, make_exercise, make_recovery_plan, promise, step

MINUTE = timedelta(minutes=1)
STEPS = {
    "start": services.start_step, "finish": services.finish_step, "skip": services.skip_step,
    "take back": services.take_step_back,
}  # fmt: skip


class Life(RuleBasedStateMachine):
    """One exercise with four steps, and a clock that only goes on."""

    def __init__(self):
        super().__init__()
        self.at = NOON
        self.block = transaction.atomic()  # each example is rolled back
        self.block.__enter__()
        self.open = acting(by="system: test", reason=WHY, at=NOON)
        self.open.__enter__()
        plan = make_recovery_plan()
        promise(plan.system, rto=40, rpo=20)
        self.exercise = make_exercise(plan)
        self.kept = None

    def teardown(self):
        self.open.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def fresh(self):
        return Exercise.objects.get(pk=self.exercise.pk)

    def tried(self, fits, verb, *args, **words):
        """Carry a verb out where the tables allow it, and see it refused with a sentence where they do not."""
        sentence = ""
        try:
            with acting(by="system: test", reason=WHY, at=self.at):
                verb(*args, by="Joel", at=self.at, **words)
        except Refused as refused:
            sentence = str(refused)
        assert sentence == "" if fits and not self.under_way() else not sentence or sentence.endswith(".")
        assert fits or sentence

    def under_way(self):
        return self.fresh().steps.filter(state=StepState.STARTED).exists()

    @rule(minutes=st.integers(1, 30))
    def time_passes(self, minutes):
        self.at += minutes * MINUTE

    @rule()
    def start(self):
        self.tried(self.fresh().state in policy.EXERCISE["start"], services.start, self.exercise)

    @rule(back=st.integers(0, 90))
    def end(self, back):
        found = self.fresh()
        newest = None if found.started_at is None else found.started_at - back * MINUTE
        self.tried(found.state in policy.EXERCISE["end"], services.end, self.exercise, newest_data_at=newest)

    @rule(why=st.sampled_from(["A real incident", " "]))
    def call_off(self, why):
        fits = self.fresh().state in policy.EXERCISE["call off"] and why.strip() != ""
        if self.under_way() and not fits:
            return
        self.tried(fits, services.call_off, self.exercise, reason=why)

    @rule(position=st.integers(1, 4), verb=st.sampled_from(sorted(STEPS)))
    def work(self, position, verb):
        found = self.fresh()
        if not found.steps.exists():
            return
        one = step(found, position)
        fits = found.state == ExerciseState.RUNNING and one.state in policy.STEP[verb]
        try:
            STEPS[verb](one, by="Joel", at=self.at, reason="Because")
        except Refused:
            assert not fits
        else:
            assert fits

    @invariant()
    def what_stands_holds_together(self):
        found = self.fresh()
        steps = list(found.steps.order_by("position"))
        for one in steps:
            assert one.done_at is None or found.started_at <= one.started_at <= one.done_at <= self.at
        if found.state != ExerciseState.ENDED:
            assert found.verdict == found.digest == ""
            return
        timed = [Timed(one.position, one.recovers, one.state, one.done_at) for one in steps]
        again = measure(found.kind, started_at=found.started_at, steps=timed, newest_data_at=found.newest_data_at)
        assert (found.took, found.lost, found.succeeded) == (again.took, again.lost, again.succeeded)
        assert recording.digest_of(found, steps) == found.digest
        self.kept = self.kept or found.digest
        assert found.digest == self.kept


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db
def test_an_exercise_holds_together_whatever_is_done_in_whatever_order():
    few = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Life, settings=few)
