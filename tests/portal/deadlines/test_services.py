"""What a deadline promises: started once, met in time or missed for good, fired once, and never forgotten."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from portal.actions.reminding import Step
from portal.deadlines import services
from portal.deadlines.models import Deadline, DeadlineState, Sweep
from tests.factories.deadlines import KIND, make_deadline
from tests.factories.directory import NOON, make_system

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_the_same_key_and_generation_starts_once():
    system = make_system()
    make_deadline(system, key="response")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_deadline(system, key="response")
    make_deadline(system, key="response", generation=2)
    assert services.of(system).count() == 2


def test_starting_many_leaves_alone_what_stands():
    standing = make_deadline(key="response", payload={"step": 1})
    standing_again = Deadline(
        kind=KIND,
        subject_type=standing.subject_type,
        subject_id=standing.subject_id,
        key="response",
        started_at=NOON,
        due_at=NOON,
        payload={"step": 9},
    )
    services.start_many([standing_again])
    assert [row.payload for row in Deadline.objects.all()] == [{"step": 1}]


@pytest.mark.parametrize(("seconds", "state", "lateness"), [(-1, "met", None), (0, "met", None), (90, "fired", 90.0)])
def test_meeting_in_time_is_met_and_meeting_late_is_missed_for_good(seconds, state, lateness):
    system = make_system()
    make_deadline(system, key="response")
    at = NOON + timedelta(seconds=seconds)
    services.meet(subject=system, kind=KIND, key="response", at=at)
    row = Deadline.objects.get()
    assert (row.state, row.lateness, row.met_at, row.settled_at) == (state, lateness, at, at)


def test_meeting_after_the_sweep_keeps_that_it_was_missed():
    system = make_system()
    row = make_deadline(system, key="response")
    Deadline.objects.update(state=DeadlineState.FIRED, settled_at=NOON, lateness=0.5)
    services.meet(subject=system, kind=KIND, key="response", at=NOON + MINUTE)
    services.meet(subject=system, kind=KIND, key="response", at=NOON + 2 * MINUTE)
    row.refresh_from_db()
    assert (row.state, row.lateness, row.met_at) == ("fired", 0.5, NOON + MINUTE)


def test_meeting_what_was_cancelled_or_never_promised_changes_nothing():
    system = make_system()
    make_deadline(system, key="response")
    services.cancel(subject=system, at=NOON)
    assert services.meet(subject=system, kind=KIND, key="response", at=NOON).state == DeadlineState.CANCELLED
    assert services.meet(subject=system, kind=KIND, key="other", at=NOON) is None


def test_meeting_looks_at_the_newest_generation():
    system = make_system()
    make_deadline(system, key="updates", generation=1)
    services.meet(subject=system, kind=KIND, key="updates", at=NOON - MINUTE)
    make_deadline(system, key="updates", generation=2, due_at=NOON + MINUTE)
    assert services.meet(subject=system, kind=KIND, key="updates", at=NOON).generation == 2


def test_cancelling_narrows_by_kind_and_key_and_leaves_what_is_settled():
    system = make_system()
    make_deadline(system, key="a")
    make_deadline(system, key="b")
    make_deadline(system, key="c", kind="test.other")
    make_deadline(key="a")
    services.meet(subject=system, kind=KIND, key="b", at=NOON)
    assert services.cancel(subject=system, at=NOON, kind="test.other", key="a") == 0
    assert services.cancel(subject=system, at=NOON, kind=KIND) == 1
    assert services.cancel(subject=system, at=NOON) == 1
    states = {(row.key, row.subject_id == system.pk): row.state for row in Deadline.objects.all()}
    assert states == {("a", True): "cancelled", ("b", True): "met", ("c", True): "cancelled", ("a", False): "pending"}


@pytest.mark.parametrize(
    "wrong", [{"state": "fired"}, {"settled_at": NOON}], ids=["settled without a moment", "a moment without settling"]
)
def test_the_database_refuses_half_a_settlement(wrong):
    make_deadline()
    with pytest.raises(IntegrityError), transaction.atomic():
        Deadline.objects.update(**wrong)


def test_how_far_behind_is_the_age_of_the_oldest_that_is_due():
    assert services.oldest_overdue_seconds(at=NOON) == 0.0
    make_deadline(due_at=NOON + MINUTE)
    make_deadline(due_at=NOON - 2 * MINUTE)
    make_deadline(due_at=NOON - MINUTE)
    assert services.oldest_overdue_seconds(at=NOON) == 120.0


def test_the_pulse_is_the_newest_sweep():
    assert services.last_sweep_age_seconds(at=NOON) is None
    services.mark_sweep("incidents", at=NOON - MINUTE)
    services.mark_sweep("incidents", at=NOON - timedelta(seconds=2))
    services.mark_sweep("another", at=NOON - MINUTE)
    assert services.last_sweep_age_seconds(at=NOON) == 2.0
    assert Sweep.objects.count() == 2


def test_what_fell_due_while_nothing_ran_counts_as_fired_and_the_next_one_waits():
    before = make_deadline(key="due")
    now = NOON + timedelta(days=8)
    missed, waits = Step(NOON + timedelta(days=7), "overdue:1"), Step(NOON + timedelta(days=14), "overdue:2")
    fired, pending = services.following(before, passed=[missed], waits=waits, at=now)
    assert (fired.key, fired.state, fired.settled_at, fired.lateness) == ("overdue:1", "fired", now, 86_400.0)
    assert (pending.key, pending.state, pending.due_at, pending.settled_at) == ("overdue:2", "pending", waits.at, None)
