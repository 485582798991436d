"""A run is a row: begun once a night, worked off in slices by whoever holds it, told in the trail."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import models

from portal.audit import reconciling
from portal.audit.models import Reconciliation, TrailRow
from portal.audit.reconciling import running
from portal.directory.models import Calendar, Severity
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db
NOTHING = timedelta(0)


def tamper(target="3 days"):
    models.QuerySet(Severity).filter(code="SEV-1").update(target=target)


def advance(at=NOON, budget=timedelta(hours=1), settle=lambda row, at: None):
    return reconciling.advance(now=lambda: at, budget=budget, settle=settle)


def events():
    return TrailRow.objects.filter(model="audit.reconciliation").order_by("id")


def test_a_run_says_when_by_whom_and_what_was_found():
    assert reconciling.last_run() is None
    tamper()
    reconciling.begin(by="Siobhan Kearney", at=NOON)
    rows = advance(NOON + timedelta(seconds=4))
    last = reconciling.last_run()
    assert (last.at, last.by, last.nightly) == (NOON + timedelta(seconds=4), "Siobhan Kearney", False)
    assert (last.rows, last.found, last.seconds) == (rows, 1, 4.0)
    assert rows > 100
    assert last.findings[0].field == "target"


def test_a_run_stands_in_the_trail_with_what_it_found():
    tamper()
    reconciling.begin(by="Siobhan Kearney", at=NOON)
    advance()
    row = events().get()
    assert row.action == "event"
    assert row.event.startswith("Reconciled ")
    assert row.event.endswith(" rows with their history: 1 finding")
    (told,) = row.differences
    key = Severity.objects.get(code="SEV-1").pk
    assert told == (f"directory.severity:{key}.target", "15 minutes", "3 days")


def test_a_run_that_finds_nothing_says_so():
    reconciling.begin(by="Siobhan Kearney", at=NOON)
    advance()
    assert events().get().event.endswith("rows with their history: nothing differs")
    assert reconciling.last_run().found == 0


def test_a_run_goes_on_where_it_was_left(monkeypatch):
    monkeypatch.setattr(running, "BATCH", 25)
    tamper()
    row = reconciling.begin(by="system: reconciliation", at=NOON)
    slices = 0
    while reconciling.last_run() is None:
        assert advance(budget=NOTHING) <= 26  # the versions of one object stay together
        slices += 1
    row.refresh_from_db()
    whole = row.rows
    assert slices > 20
    assert (row.found, len(row.findings)) == (1, 1)
    reconciling.begin(by="system: reconciliation", at=NOON)
    monkeypatch.setattr(running, "BATCH", 10_000)
    assert advance() == whole + 1  # the trail grew by the row of the first run


def test_a_run_that_somebody_holds_is_left_alone_until_the_lease_ends():
    row = reconciling.begin(by="system: reconciliation", at=NOON)
    Reconciliation.objects.filter(pk=row.pk).update(lease_token="x", lease_until=NOON + timedelta(minutes=5))
    assert advance(NOON) == 0
    assert advance(NOON + timedelta(minutes=6)) > 0
    assert reconciling.last_run() is not None


def test_who_lost_the_lease_ends_nothing():
    row = reconciling.begin(by="system: reconciliation", at=NOON)
    held = running._take(at=NOON)
    Reconciliation.objects.filter(pk=row.pk).update(lease_token="another")
    running._work(held, now=lambda: NOON, budget=timedelta(hours=1), settle=lambda row, at: None)
    assert reconciling.last_run() is None
    assert not events().exists()


def test_a_run_begun_by_an_older_version_begins_anew():
    row = reconciling.begin(by="system: reconciliation", at=NOON)
    Reconciliation.objects.filter(pk=row.pk).update(part="versions gone.model", after=7)
    assert advance() > 0
    assert reconciling.last_run().found == 0


def test_what_fails_while_it_is_settled_leaves_the_run_unfinished():
    def fail(row, at):
        raise RuntimeError

    reconciling.begin(by="system: reconciliation", at=NOON)
    with pytest.raises(RuntimeError):
        advance(settle=fail)
    assert reconciling.last_run() is None
    assert not events().exists()


def test_findings_are_counted_all_and_kept_some(monkeypatch):
    monkeypatch.setattr(running, "MOST_KEPT", 3)
    models.QuerySet(Calendar).bulk_create([Calendar(name=f"Calendar {number}") for number in range(8)])
    reconciling.begin(by="system: reconciliation", at=NOON)
    advance()
    last = reconciling.last_run()
    assert (last.found, len(last.findings)) == (8, 3)


class TestNights:
    def test_each_night_has_one_run(self):
        two = datetime(2026, 11, 17, 2, tzinfo=UTC)
        assert reconciling.begin_nightly(by="system: reconciliation", at=two)
        for later in (timedelta(seconds=15), timedelta(hours=9), timedelta(hours=23)):
            assert not reconciling.begin_nightly(by="system: reconciliation", at=two + later)
        assert reconciling.begin_nightly(by="system: reconciliation", at=two + timedelta(days=1))
        assert Reconciliation.objects.count() == 2

    def test_a_night_begins_at_two_in_the_zone_of_the_portal(self, settings):
        settings.TIME_ZONE = "Asia/Tokyo"
        assert running.night_of(datetime(2026, 11, 17, 16, 59, tzinfo=UTC)).day == 17
        assert running.night_of(datetime(2026, 11, 17, 17, 0, tzinfo=UTC)).day == 18

    def test_the_engine_that_slept_at_two_catches_up_once(self):
        assert reconciling.begin_nightly(by="system: reconciliation", at=NOON)
        assert not reconciling.begin_nightly(by="system: reconciliation", at=NOON + timedelta(minutes=1))
        advance()
        assert reconciling.last_run().nightly

    @pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=1), timedelta(days=300)])
    def test_a_night_that_somebody_took_ahead_is_reconciled_all_the_same(self, ahead):
        at = NOON + ahead
        Reconciliation.objects.create(
            night=running.night_of(at), started_at=at, started_by="system: reconciliation", finished_at=at, part="x"
        )
        assert reconciling.last_run() is None
        assert reconciling.begin_nightly(by="system: reconciliation", at=at)
        assert not reconciling.begin_nightly(by="system: reconciliation", at=at)
        advance(at + timedelta(minutes=1))
        assert not reconciling.begin_nightly(by="system: reconciliation", at=at + timedelta(minutes=2))
        assert reconciling.last_run().nightly
        assert reconciling.last_run().rows > 0

    def test_a_lease_that_nobody_can_have_taken_holds_nothing(self):
        row = reconciling.begin(by="x", at=NOON)
        Reconciliation.objects.filter(pk=row.pk).update(lease_token="x", lease_until=NOON + timedelta(days=900))
        advance(NOON + timedelta(minutes=1))
        assert reconciling.last_run() is not None

    def test_since_when_no_run_has_ended_is_known(self):
        assert reconciling.waiting_since(at=NOON) is None
        reconciling.begin(by="x", at=NOON)
        assert reconciling.waiting_since(at=NOON) == NOON
        advance(NOON + timedelta(minutes=1))
        assert reconciling.waiting_since(at=NOON + timedelta(hours=1)) == NOON + timedelta(minutes=1)
