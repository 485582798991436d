"""What a sweep promises: everything due is handled once, whatever one row, one subject or one process does."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.deadlines import services
from portal.deadlines.models import Deadline
from portal.deadlines.services import Fired
from portal.directory.models import System
from tests.factories.deadlines import KIND, Handler, lock_systems, make_deadline
from tests.factories.directory import NOON, make_system

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def fire(handle, *, at=NOON, lock=lock_systems, **more):
    return services.fire_due(kinds=[KIND], at=at, lock=lock, handle=handle, **more)


def test_what_is_due_is_handled_in_order_with_its_subject_and_settled_with_its_lateness():
    late = make_deadline(key="late", due_at=NOON - 90 * SECOND)
    make_deadline(key="now")
    make_deadline(key="not yet", due_at=NOON + SECOND)
    make_deadline(key="of another kind", kind="test.other")
    handled = []
    fired = fire(lambda batch, at: handled.extend(batch))
    assert fired == Fired(count=2, found=2)
    assert handled[0] == (late, System.objects.get(pk=late.subject_id))
    assert [deadline.key for deadline, _ in handled] == ["late", "now"]
    late.refresh_from_db()
    assert (late.state, late.settled_at, late.lateness) == ("fired", NOON, 90.0)
    assert fire(Handler()) == Fired(0, 0)


def test_the_kinds_that_are_due_are_known_before_firing():
    make_deadline(kind="test.due")
    make_deadline(kind="test.due")
    make_deadline(kind="test.later", due_at=NOON + SECOND)
    make_deadline(kind="test.unasked")
    assert services.kinds_due(["test.due", "test.later", "test.none"], at=NOON) == {"test.due"}


def test_at_most_the_limit_is_taken_earliest_first():
    for number in range(5):
        make_deadline(key=str(number), due_at=NOON - number * SECOND)
    handler = Handler()
    assert fire(handler, limit=2) == Fired(2, 2)
    assert handler.keys == ["4", "3"]


def test_a_busy_subject_waits_for_the_next_sweep():
    busy = make_deadline(key="busy")
    make_deadline(key="free")
    handler = Handler()
    fired = fire(handler, lock=lambda ids, at: lock_systems([pk for pk in ids if pk != busy.subject_id], at))
    assert fired == Fired(count=1, found=2)
    assert handler.keys == ["free"]
    assert fire(handler) == Fired(1, 1)


def test_subjects_are_locked_in_the_order_of_their_ids_and_each_once():
    first, second = make_system(), make_system()
    make_deadline(second, key="a", due_at=NOON - SECOND)
    make_deadline(first, key="b")
    make_deadline(second, key="c")
    asked = []

    def lock(ids, at):
        asked.append(list(ids))
        return lock_systems(ids, at)

    fire(Handler(), lock=lock)
    assert asked == [[first.pk, second.pk]]


def test_one_poison_row_is_pushed_back_with_its_error_and_the_others_go_on():
    for key in "abcdefgh":
        make_deadline(key=key)
    handler = Handler(poison={"c"})
    assert fire(handler) == Fired(count=7, found=8)
    assert sorted(handler.keys) == list("abdefgh")
    poison = Deadline.objects.get(key="c")
    assert (poison.state, poison.attempts, poison.error) == ("pending", 1, "ValueError: cannot handle ['c']")
    assert poison.retry_at == NOON + 5 * SECOND


def test_a_poison_row_waits_longer_each_time_and_fires_once_it_is_cured():
    make_deadline(key="c")
    waits, at = [], NOON
    for _ in range(8):
        assert fire(Handler(poison={"c"}), at=at) == Fired(0, 1)
        row = Deadline.objects.get()
        assert fire(Handler(), at=row.retry_at - SECOND) == Fired(0, 0)
        waits.append((row.retry_at - at).total_seconds())
        at = row.retry_at
    assert waits == [5, 15, 45, 135, 405, 900, 900, 900]
    assert fire(Handler(), at=at) == Fired(1, 1)


def test_a_poison_row_stays_overdue_in_the_eyes_of_health():
    make_deadline(key="c")
    fire(Handler(poison={"c"}))
    assert services.oldest_overdue_seconds(at=NOON + 3 * SECOND) == 3.0


def test_what_a_failing_handler_wrote_is_undone():
    make_deadline(key="c")

    def write_and_fail(batch, at):
        make_system("half-done")
        raise ValueError("no")

    fire(write_and_fail)
    assert not Deadline.objects.filter(state="fired").exists()
    assert not System.objects.filter(slug="half-done").exists()


def test_a_deadline_whose_subject_is_gone_is_cancelled():
    row = make_deadline()
    Deadline.objects.update(subject_id=row.subject_id + 1000)
    make_deadline(key="free")
    handler = Handler()
    fire(handler)
    row.refresh_from_db()
    assert (row.state, row.settled_at, row.error) == ("cancelled", NOON, "Its subject no longer exists.")
    assert handler.keys == ["free"]


def test_a_deadline_settled_between_reading_and_locking_is_left_alone():
    row = make_deadline(key="met")

    def lock(ids, at):
        Deadline.objects.filter(pk=row.pk).update(state="met", settled_at=at, met_at=at)
        return lock_systems(ids, at)

    handler = Handler()
    assert fire(handler, lock=lock) == Fired(0, 1)
    assert handler.batches == []


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size():
    ContentType.objects.get_for_model(System)
    counts = []
    for size in (2, 20):
        for number in range(size):
            make_deadline(key=f"{size}-{number}")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            fire(Handler())
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6
