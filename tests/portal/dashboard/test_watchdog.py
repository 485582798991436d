"""The watchdog of the engine itself, and the heartbeat outside."""

from datetime import timedelta
from itertools import pairwise

import pytest

from portal.assurance.exporting.sweeps import make_exports
from portal.audit import anchors, reconciling, trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import Reconciliation, Verification
from portal.audit.sealing import seal
from portal.dashboard import health, watchdog
from portal.deadlines import services as deadlines
from portal.notify.models import Message, MessageState
from portal.records import services as records
from portal.records.models import Demand
from tests.factories.accounts import make_user
from tests.factories.deadlines import make_deadline
from tests.factories.directory import NOON, make_contact, make_method
from tests.factories.exports import ask
from tests.factories.notify import make_message
from tests.factories.records import make_demand
from tests.factories.verified import make_verification

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def administrator():
    return make_contact("Kwame", user=make_user("kwame", roles=["administrator"]))


def alarms():
    return Message.objects.filter(kind__startswith="watchdog.")


def test_an_overdue_deadline_alarms_the_administrators_in_the_portal_and_outside(administrator):
    make_deadline(due_at=NOON)

    found = watchdog.watch(at=LATER)

    assert [alarm.kind for alarm in found] == ["overdue"]
    assert sorted(alarms().values_list("lane", "contact")) == [("email", administrator.pk), ("inbox", administrator.pk)]
    assert "5 min" in alarms()[0].title


def test_a_deadline_that_is_due_for_less_than_a_minute_alarms_nobody(administrator):
    make_deadline(due_at=NOON)
    assert watchdog.watch(at=NOON + timedelta(seconds=60)) == []


def test_an_export_that_nobody_makes_raises_an_alarm_with_where_to_look(administrator):
    export = ask(at=NOON)
    assert watchdog.alarms(at=NOON + watchdog.MOST_UNMADE) == []

    found = watchdog.watch(at=NOON + watchdog.MOST_UNMADE + timedelta(minutes=1))

    assert [alarm.kind for alarm in found] == ["unmade"]
    assert "11 min" in alarms()[0].title
    make_exports(now=lambda: LATER)
    export.refresh_from_db()
    assert export.state == "done"
    assert watchdog.alarms(at=NOON + timedelta(hours=1)) == []


def test_where_an_alarm_about_exports_leads_shows_those_that_wait(administrator, client):
    export = ask(at=NOON)
    (alarm,) = watchdog.alarms(at=NOON + timedelta(hours=1))
    client.force_login(administrator.user)
    assert export.title in client.get(alarm.url_path).text


def test_every_verified_way_to_an_administrator_is_used(administrator):
    make_method(administrator, kind="ntfy")
    make_deadline(due_at=NOON)

    watchdog.watch(at=LATER)

    assert set(alarms().values_list("lane", flat=True)) == {"inbox", "email", "ntfy"}


def test_messages_that_do_not_leave_raise_an_alarm_that_names_them(administrator):
    make_message(at=NOON, title="Ticket Desk is down")
    Message.objects.update(state=MessageState.FAILED, error="Connection refused")

    watchdog.watch(at=LATER)

    body = alarms().get(lane="inbox").body
    assert "Ticket Desk is down" in body
    assert "Connection refused" in body


def test_a_message_given_up_raises_the_alarm_once(administrator):
    message = make_message(at=NOON)
    Message.objects.filter(pk=message.pk).update(state=MessageState.DEAD, settled_at=NOON)

    assert [alarm.kind for alarm in watchdog.alarms(at=LATER)] == ["stuck"]
    assert watchdog.alarms(at=NOON + timedelta(hours=1)) == []


def test_an_alarm_that_does_not_leave_raises_no_alarm_about_itself(administrator):
    make_deadline(due_at=NOON)
    watchdog.watch(at=LATER)
    alarms().filter(lane="email").update(state=MessageState.FAILED)

    assert [alarm.kind for alarm in watchdog.alarms(at=LATER + timedelta(minutes=10))] == ["overdue"]


def test_an_alarm_that_itself_is_stuck_raises_no_further_one_within_the_hour(administrator):
    make_deadline(due_at=NOON)
    watchdog.watch(at=LATER)
    for minutes in range(1, 55, 3):
        watchdog.watch(at=LATER + timedelta(minutes=minutes))

    assert alarms().filter(kind="watchdog.overdue", lane="inbox").count() == 1


def test_an_alarm_that_goes_on_is_repeated_after_an_hour(administrator):
    make_deadline(due_at=NOON)
    moments = [LATER + timedelta(minutes=minutes) for minutes in range(0, 181, 5)]
    for moment in moments:
        watchdog.watch(at=moment)

    told = list(alarms().filter(kind="watchdog.overdue", lane="inbox").values_list("created_at", flat=True))
    assert len(told) in {3, 4}
    told.sort()
    gaps = [after - before for before, after in pairwise(told)]
    assert min(gaps) >= timedelta(minutes=60)


def test_an_unanswered_demand_raises_an_alarm(administrator):
    make_demand("broken", answer_by=NOON)

    assert [alarm.kind for alarm in watchdog.watch(at=LATER)] == ["unanswered"]
    assert "broken" in alarms().get(lane="inbox").body


def test_a_demand_that_was_given_up_raises_an_alarm_with_its_error_until_somebody_acts(administrator):
    demand = make_demand("broken", answer_by=NOON)
    Demand.objects.filter(pk=demand.pk).update(given_up_at=NOON, tries=10, error="Severity: no SEV-9")

    assert [alarm.kind for alarm in watchdog.watch(at=LATER)] == ["given-up"]
    assert "no SEV-9" in alarms().get(lane="inbox").body
    records.settle_by_hand(demand, by="Kwame", at=LATER, reason="Opened by hand")
    assert watchdog.alarms(at=LATER) == []


def test_a_record_that_nobody_reconciled_for_more_than_a_night_raises_an_alarm(administrator):
    seal(at=NOON)
    assert watchdog.alarms(at=NOON + timedelta(days=9)) == []  # a portal that has just begun
    reconciling.begin(by="system: reconciliation", at=NOON)
    assert watchdog.alarms(at=NOON + timedelta(hours=36)) == []
    assert [alarm.kind for alarm in watchdog.alarms(at=NOON + timedelta(hours=37))] == ["unreconciled"]
    Reconciliation.objects.update(finished_at=NOON + timedelta(hours=30))
    assert [alarm.kind for alarm in watchdog.alarms(at=NOON + timedelta(hours=37))] == ["unreconciled"]
    with acting(by="system: reconciliation", at=NOON + timedelta(hours=30)):
        trail.record(Action.EVENT, event="Reconciled 1 row", model="audit.reconciliation", object_id=1)
    seal(at=NOON + timedelta(hours=30))
    assert watchdog.alarms(at=NOON + timedelta(hours=37)) == []


def test_runs_that_somebody_wrote_ahead_raise_an_alarm(administrator):
    seal(at=NOON)
    for model in (Verification, Reconciliation):
        for days in (2, 300):
            at = NOON + timedelta(days=days)
            model.objects.create(night=at.date(), started_at=at, started_by="system: verification", finished_at=at)
    (alarm,) = watchdog.alarms(at=NOON + timedelta(hours=1))
    assert alarm.kind == "typed"
    assert "4 of them tell of a time that has not come" in alarm.body


def test_a_result_that_the_trail_does_not_tell_raises_an_alarm(administrator):
    run = make_verification(NOON, found=3)
    seal(at=NOON)
    assert [alarm.kind for alarm in watchdog.alarms(at=LATER)] == ["differing"]
    Verification.objects.filter(pk=run.pk).update(found=0)
    assert [alarm.kind for alarm in watchdog.alarms(at=LATER)] == ["differing", "typed"]


def test_a_record_that_nobody_verified_for_more_than_a_night_raises_an_alarm(administrator):
    make_verification(NOON)
    seal(at=NOON)
    assert watchdog.alarms(at=NOON + timedelta(hours=36)) == []
    assert [alarm.kind for alarm in watchdog.alarms(at=NOON + timedelta(hours=37))] == ["unverified"]


def test_nobody_to_alarm_breaks_nothing():
    make_deadline(due_at=NOON)

    assert watchdog.watch(at=LATER)
    assert not alarms().exists()


def test_the_heartbeat_is_pinged_while_nothing_is_overdue():
    pings = []
    deadlines.mark_sweep("deadlines", at=NOON)

    watchdog.watch(at=NOON + timedelta(seconds=2), ping=lambda: pings.append(1))

    assert pings == [1]


@pytest.mark.parametrize("trouble", ["overdue", "silent", "never swept"])
def test_the_heartbeat_stops_when_the_engine_does_not_keep_time(trouble):
    pings = []
    if trouble != "never swept":
        deadlines.mark_sweep("deadlines", at=NOON if trouble == "silent" else LATER)
    if trouble == "overdue":
        make_deadline(due_at=NOON)

    watchdog.watch(at=LATER, ping=lambda: pings.append(1))

    assert pings == []


def test_the_limits_are_those_of_healthz():
    assert health.MOST_OVERDUE == 60


def test_a_row_that_waits_too_long_for_its_seal_raises_an_alarm():
    seal(at=NOON)
    with acting(by="test", reason="A test", at=NOON):
        trail.record(Action.EVENT, event="Something happened")
    assert watchdog.alarms(at=NOON + timedelta(minutes=5)) == []
    assert [alarm.kind for alarm in watchdog.alarms(at=NOON + timedelta(minutes=6))] == ["unsealed"]


def test_an_anchor_that_does_not_leave_raises_an_alarm_with_its_error(settings, tmp_path):
    settings.ANCHOR_FILE = tmp_path / "gone" / "anchors.jsonl"
    seal(at=NOON)
    anchors.anchor(at=NOON)
    anchors.deliver(now=lambda: NOON)
    seal(at=NOON)
    [alarm] = watchdog.alarms(at=NOON + timedelta(hours=3))
    assert alarm.kind == "unanchored"
    assert "FileNotFoundError" in alarm.body
