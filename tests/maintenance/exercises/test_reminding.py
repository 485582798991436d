"""Whoever leads an exercise is reminded of its day until somebody starts it, and of the next one by maintenance."""

from datetime import timedelta

import pytest

from maintenance.exercises import services
from maintenance.exercises.reminding import NOTICE
from maintenance.sweeps import sweep_maintenance
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON
from tests.factories.exercises import WHY, make_exercise, make_recovery_plan
from tests.factories.maintenance import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HELD = NOON + 10 * DAY


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def joel():
    return make_member("Joel Brandt")[1]


def told(contact):
    rows = Message.objects.filter(contact=contact, lane="inbox", kind="exercise_due").order_by("id")
    return [message.title.partition(":")[0] for message in rows]


def run(*moments):
    for at in moments:
        sweep_maintenance(at=at)


def test_the_lead_is_reminded_before_on_the_day_and_weekly_until_it_starts(joel):
    exercise = make_exercise(lead=joel, scheduled_for=HELD)
    run(*(NOON + n * DAY for n in range(20)))
    assert told(joel) == ["On Fri 27 Nov, 12", "On Fri 27 Nov, 12", "Now", "Not started since Fri 27 Nov"]
    services.start(exercise, by=joel, at=HELD + 10 * DAY)
    run(HELD + 30 * DAY)
    assert len(told(joel)) == 4


def test_an_outage_ends_in_one_message_and_each_reminder_is_kept(joel):
    exercise = make_exercise(lead=joel, scheduled_for=HELD)
    run(HELD + 8 * DAY, HELD + 8 * DAY)
    assert told(joel) == ["Not started since Fri 27 Nov"]
    rows = Deadline.objects.filter(kind=NOTICE, subject_id=exercise.pk, state=DeadlineState.FIRED)
    assert sorted(rows.values_list("key", flat=True)) == ["before:1", "before:7", "due", "overdue:1"]


def test_moving_it_begins_anew_and_calling_it_off_ends_it(joel):
    exercise = make_exercise(lead=joel, scheduled_for=HELD)
    services.move(exercise, scheduled_for=HELD + 20 * DAY, by="M", at=NOON, reason="A freeze")
    run(HELD)
    assert told(joel) == []
    services.call_off(exercise, by="M", at=HELD, reason="The system is gone")
    run(HELD + 40 * DAY)
    assert told(joel) == []


def test_of_a_lead_who_has_left_the_owner_of_the_plan_is_reminded(joel):
    mei = make_member("Mei Tanaka")[1]
    exercise = make_exercise(make_recovery_plan(owner=mei), lead=joel, scheduled_for=HELD)
    joel.active = False
    joel.save()
    run(HELD)
    assert told(joel) == []
    assert len(told(mei)) == 1
    assert records.timeline(exercise).first().text == "reminded Mei Tanaka"
