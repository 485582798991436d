"""Owners are reminded before, on the day and each week after it: once, and after an outage in one message."""

from datetime import timedelta

import pytest

from portal.actions import services, sweeps
from portal.actions.services import NOTICE
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Team
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.actions import make_item
from tests.factories.directory import NOON
from tests.factories.maintenance import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DUE = NOON + 14 * DAY


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", at=NOON):
        yield


@pytest.fixture
def joel():
    return make_member("Joel Brandt")[1]


def told(contact):
    rows = Message.objects.filter(contact=contact, lane="inbox", kind__in=["action_due", "action_digest"])
    return [message.title for message in rows.order_by("id")]


def run(*moments):
    for at in moments:
        sweeps.sweep_actions(at=at)


def fired(item):
    rows = Deadline.objects.filter(kind=NOTICE, subject_id=item.pk, state=DeadlineState.FIRED)
    return list(rows.order_by("due_at").values_list("key", flat=True))


def test_the_owner_is_reminded_seven_days_and_one_day_before_on_the_day_and_every_week_after_it(joel):
    item = make_item(owner=joel, title="Watch the queue")
    run(*(NOON + n * DAY for n in range(31)))
    assert fired(item) == ["before:7", "before:1", "due", "overdue:1", "overdue:2"]
    assert told(joel) == [
        "Due Tue 1 Dec: Watch the queue", "Due Tue 1 Dec: Watch the queue", "Due today: Watch the queue",
        "Overdue since Tue 1 Dec: Watch the queue", "Overdue since Tue 1 Dec: Watch the queue",
    ]  # fmt: skip


def test_an_owner_on_another_clock_is_reminded_on_although_the_hour_has_moved(joel):
    away = make_member("Mei Tanaka")[1]
    away.time_zone = "America/New_York"
    away.save()
    due = NOON.replace(month=3, day=13, year=2027)  # New York goes forward on the 14th, London on the 28th
    item = make_item(owner=joel, due_at=due + 3 * DAY)
    services.hand_over(item, owner=away, by="system: test", at=NOON, reason="Joel is away.")
    run(*(due + n * DAY + timedelta(minutes=30) for n in range(-5, 16)))
    assert fired(item) == ["before:7", "before:1", "due", "overdue:1"]


def test_nobody_is_reminded_of_what_is_done(joel):
    item = make_item(owner=joel)
    services.complete(item, note="Done", by=joel, at=NOON + DAY)
    run(*(NOON + n * DAY for n in range(20)))
    assert told(joel) == []


def test_an_outage_ends_in_one_message_and_each_reminder_is_kept(joel):
    first, second = make_item(owner=joel, title="First"), make_item(owner=joel, title="Second", due_at=DUE + DAY)
    run(DUE + 9 * DAY, DUE + 9 * DAY)
    assert told(joel) == ["2 action items, 2 overdue"]
    assert fired(first) == fired(second) == ["before:7", "before:1", "due", "overdue:1"]


def test_what_an_owner_who_left_would_be_told_goes_to_whoever_opened_it(joel):
    user, maren = make_member("Maren Holt", "manager")
    item = make_item(owner=joel, by=user)
    joel.active = False
    joel.save()
    run(DUE)
    assert told(joel) == []
    assert told(maren)
    assert records.timeline(item).first().text == "reminded Maren Holt, since Joel Brandt has left"


def test_without_them_it_goes_to_the_teams_of_whoever_left_and_else_the_timeline_says_so(joel):
    mei = make_member("Mei Tanaka")[1]
    team = Team.objects.get(slug="ops")
    team.members.set([joel, mei])
    item = make_item(owner=joel)
    joel.active = False
    joel.save()
    run(DUE - 7 * DAY)
    assert told(mei)
    team.members.set([joel])
    run(DUE)
    assert "found nobody to remind" in records.timeline(item).first().text
