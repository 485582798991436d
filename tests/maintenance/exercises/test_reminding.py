"""Whoever leads an exercise is reminded of its day, and to end it; of the next exercise a maintenance plan reminds."""

from datetime import timedelta

import pytest

from maintenance.exercises import services
from maintenance.exercises.reminding import NOTICE
from maintenance.sweeps import sweep_maintenance
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.lib import clock
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON
from tests.factories.exercises import MINUTE, WHY, make_exercise, make_recovery_plan
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
    services.end(exercise, by=joel, at=HELD + 10 * DAY)
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


ESTIMATE = timedelta(hours=1)  # of the four steps
LATE = NOON + ESTIMATE + timedelta(hours=4)


def test_the_lead_of_an_exercise_that_is_left_running_is_reminded_once(joel):
    exercise = make_exercise(lead=joel, started=True)
    run(LATE - MINUTE)
    assert told(joel) == []
    run(LATE, LATE + MINUTE, LATE + DAY, LATE + 30 * DAY)
    assert told(joel) == ["Still running since Tue 17 Nov, 12"]
    message = Message.objects.get(contact=joel, lane="inbox", kind="exercise_due")
    assert (
        "though its steps were to take 1 h. End it, so that what was measured is kept, or call it off." in message.body
    )
    assert message.url_path == exercise.get_absolute_url()
    assert records.timeline(exercise).first().text == "reminded Joel Brandt"


@pytest.mark.parametrize("verb", ["end", "call_off"])
def test_nobody_is_reminded_to_end_what_is_over(joel, verb):
    exercise = make_exercise(lead=joel, started=True)
    getattr(services, verb)(exercise, by="M", at=NOON + MINUTE, reason="It is enough")
    run(LATE)
    assert told(joel) == []


def test_an_exercise_that_was_reminded_of_before_its_start_is_reminded_of_anew(joel):
    exercise = make_exercise(lead=joel, scheduled_for=HELD)
    run(HELD)
    services.start(exercise, by="M", at=HELD)
    run(HELD + ESTIMATE + timedelta(hours=4))
    assert [words.partition(" since")[0] for words in told(joel)] == ["Now", "Still running"]


def test_what_is_left_running_is_shown_wherever_somebody_looks(client, monkeypatch):
    user = make_member("Maren Holt", "manager")[0]
    client.force_login(user)
    exercise = make_exercise(started=True)
    system = exercise.plan.system.slug
    pages = {
        "/readiness/": f"{exercise.reference} {exercise.title} has not been ended since",
        "/recovery/": "is still running",
        f"/recovery/systems/{system}/": "is still running",
        "/recovery/exercises/": "Still running",
        exercise.get_absolute_url(): "It is still running, hours longer than its steps were to take.",
    }

    def shown(at):
        monkeypatch.setattr(clock, "now", lambda: at)
        return {page for page, words in pages.items() if words in client.get(page).content.decode()}

    assert shown(LATE - MINUTE) == set()
    assert shown(LATE) == set(pages)
