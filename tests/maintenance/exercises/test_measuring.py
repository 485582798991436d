"""What an exercise measures: from the start until the last step that recovers, and back to the newest data."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from maintenance.exercises.enums import Kind, StepState
from maintenance.exercises.measuring import Timed, measure
from portal.directory.enums import Verdict
from portal.directory.recovery.policy import Promise
from tests.factories.directory import NOON

MINUTE = timedelta(minutes=1)


def done(position, minutes, *, recovers=True):
    return Timed(position, recovers, StepState.DONE, NOON + minutes * MINUTE)


def test_the_time_runs_until_the_last_step_that_recovers_in_whatever_order_they_were_done():
    steps = [done(1, 12), done(2, 51), done(3, 20), done(4, 90, recovers=False)]
    found = measure(Kind.FULL, started_at=NOON, steps=steps, newest_data_at=NOON - 7 * MINUTE)
    assert (found.took, found.lost, found.succeeded) == (51 * MINUTE, 7 * MINUTE, True)
    assert found.took_sum == (
        "From the start (17 Nov 2026, 12:00:00 UTC) until step 2 was done (17 Nov 2026, 12:51:00 UTC): 51 min."
    )
    assert found.lost_sum == (
        "From the newest recovered data (17 Nov 2026, 11:53:00 UTC) until the start (17 Nov 2026, 12:00:00 UTC): "
        "7 min 00 s."
    ).replace("7 min 00 s", "7 min")


def test_a_step_that_recovers_and_was_not_done_says_that_nothing_was_recovered():
    steps = [done(1, 12), Timed(2, True, StepState.OPEN, None), Timed(5, True, StepState.STARTED, None)]
    found = measure(Kind.FULL, started_at=NOON, steps=steps, newest_data_at=None)
    assert (found.took, found.succeeded) == (None, False)
    assert found.took_sum == "Steps 2, 5 were not done: the system was not recovered."
    assert found.against(Promise(rto=60 * MINUTE)) == Verdict.NOT_MET


def test_a_skipped_step_does_not_count_and_without_any_nothing_is_measured():
    skipped = Timed(2, True, StepState.SKIPPED, None)
    found = measure(Kind.FULL, started_at=NOON, steps=[done(1, 12), skipped], newest_data_at=None)
    assert found.took == 12 * MINUTE
    nothing = measure(Kind.FULL, started_at=NOON, steps=[skipped], newest_data_at=None)
    assert (nothing.took, nothing.succeeded) == (None, True)
    assert nothing.against(Promise(rto=60 * MINUTE)) == Verdict.UNKNOWN


def test_a_tabletop_measures_nothing():
    found = measure(Kind.TABLETOP, started_at=NOON, steps=[done(1, 12)], newest_data_at=NOON)
    assert (found.took, found.lost) == (None, None)
    assert found.against(Promise(rto=60 * MINUTE, rpo=60 * MINUTE)) == Verdict.UNKNOWN


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(list(StepState)), st.integers(0, 10_000)), max_size=12),
    st.integers(0, 10_000), st.integers(0, 5000), st.integers(0, 5000),
)  # fmt: skip
def test_whatever_was_worked_the_verdict_follows_from_what_is_shown(rows, lost, rto, rpo):
    steps = [
        Timed(number, recovers, state, NOON + after * MINUTE if state == StepState.DONE else None)
        for number, (recovers, state, after) in enumerate(rows, start=1)
    ]
    found = measure(Kind.FULL, started_at=NOON, steps=steps, newest_data_at=NOON - lost * MINUTE)
    verdict = found.against(Promise(rto=rto * MINUTE, rpo=rpo * MINUTE))
    counted = [step for step in steps if step.recovers and step.state != StepState.SKIPPED]
    assert found.took is None or found.took == max(step.done_at - NOON for step in counted)
    assert (verdict == Verdict.MET) == (
        found.succeeded and found.took is not None and found.took <= rto * MINUTE and found.lost <= rpo * MINUTE
    )
    assert found.succeeded == all(step.state == StepState.DONE for step in counted)
