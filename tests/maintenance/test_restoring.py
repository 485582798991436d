"""A restore test measures a recovery: kept, judged, and due again on the dates of its plan."""

from datetime import timedelta

import pytest

from maintenance import services
from maintenance.models import RestoreTest
from maintenance.policy import Refused
from portal.directory.enums import Verdict
from portal.directory.recovery import reading
from tests.factories.directory import NOON, make_system
from tests.factories.maintenance import make_plan, standing

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def restore(system, *, started=NOON, took=40 * MINUTE, age=10 * MINUTE, succeeded=True, **words):
    given = {
        "started_at": started, "ended_at": started + took, "newest_recovered_at": started - age, "succeeded": succeeded,
        "by": "Amara Okafor", "at": started + took + MINUTE, "found": "Restored on a spare machine", **words,
    }  # fmt: skip
    return services.record_restore_test(system, **given)


def test_a_restore_within_its_promises_proves_them():
    system = make_system(rto=60, rpo=15)
    test, proof = restore(system)
    assert (test.took, test.lost, proof.verdict) == (40 * MINUTE, 10 * MINUTE, Verdict.MET)
    assert reading.standing_of(system, at=NOON + DAY).judged.is_proven


@pytest.mark.parametrize("words", [{"took": 2 * HOUR}, {"age": HOUR}, {"succeeded": False}])
def test_one_that_was_slow_lost_too_much_or_failed_shows_the_objective_unproven(words):
    system = make_system(rto=60, rpo=15)
    _, proof = restore(system, **words)
    assert proof.verdict == Verdict.NOT_MET
    assert not reading.standing_of(system, at=NOON + DAY).judged.is_proven


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"took": -MINUTE}, "ends before it starts"),
        ({"took": timedelta(0)}, "ends before it starts"),
        ({"at": NOON - DAY}, "cannot have ended in the future"),
        ({"age": 60 * 366 * DAY}, "before 1970. Check the year"),
        ({"age": -MINUTE}, "cannot be newer than the beginning"),
        ({"succeeded": False, "found": " "}, "Say in a few sentences what happened"),
    ],
)
def test_a_restore_that_cannot_have_been_is_refused_with_a_sentence(words, sentence):
    with pytest.raises(Refused, match=sentence):
        restore(make_system(rto=60, rpo=15), **words)
    assert not RestoreTest.objects.exists()


def test_a_test_does_the_date_of_its_plan_and_proves_until_the_next_one_is_past_its_grace():
    system = make_system(rto=60, rpo=15)
    plan = make_plan(systems=[system], proves_recovery=True, grace_days=3)
    due = standing(plan)
    restore(system, started=due.starts_at + HOUR)
    due.refresh_from_db()
    assert (due.state, due.source, due.found) == ("completed", "test", "Done by RST-000001.")
    end = standing(plan).due_at + 3 * DAY
    assert reading.standing_of(system, at=end).judged.is_proven
    overdue = reading.standing_of(system, at=end + MINUTE)
    assert overdue.judged.is_overdue
    assert "Measure it again." in overdue.judged.reason


def test_a_failed_test_leaves_the_date_open():
    system = make_system(rto=60, rpo=15)
    plan = make_plan(systems=[system], proves_recovery=True)
    due = standing(plan)
    restore(system, started=due.starts_at + HOUR, succeeded=False)
    due.refresh_from_db()
    assert due.state == "open"


def test_a_date_of_several_systems_is_done_once_each_was_restored():
    one, two = make_system(rto=60, rpo=15), make_system(rto=60, rpo=15)
    plan = make_plan(systems=[one, two], proves_recovery=True)
    due = standing(plan)
    restore(one, started=due.starts_at + HOUR)
    due.refresh_from_db()
    assert due.state == "open"
    restore(two, started=due.starts_at + 2 * HOUR)
    due.refresh_from_db()
    assert due.state == "completed"


def test_each_system_of_a_date_is_proven_until_the_next_one_whichever_was_restored_first():
    one, two = make_system(rto=60, rpo=15), make_system(rto=60, rpo=15)
    plan = make_plan(systems=[one, two], proves_recovery=True, grace_days=3)
    due = standing(plan)
    restore(one, started=due.starts_at + HOUR)
    restore(two, started=due.starts_at + 2 * HOUR)
    end = standing(plan).due_at + 3 * DAY
    for system in (one, two):
        assert reading.standing_of(system, at=end).judged.is_proven
        assert reading.standing_of(system, at=end + MINUTE).judged.is_overdue


def test_a_part_of_a_second_more_than_was_promised_breaks_no_promise_that_is_kept_in_seconds():
    system = make_system(rto=60, rpo=15)
    _, proof = restore(system, took=HOUR + timedelta(microseconds=5))
    assert proof.verdict == reading.standing_of(system, at=NOON + DAY).judged.verdict == Verdict.MET


def test_nobody_ticks_a_restore_test_by_hand():
    plan = make_plan(systems=[make_system()], proves_recovery=True)
    due = standing(plan)
    with pytest.raises(Refused, match="A restore test does this"):
        services.complete(due, by="Amara Okafor", at=due.starts_at + HOUR)
