"""The tables of runs are leases: nobody ends nightly verification, or says what it found, by writing them."""

from datetime import timedelta

import pytest

from portal.audit import told, verifying
from portal.audit.models import TrailRow, Verification
from portal.audit.sealing import seal
from tests.factories.directory import NOON, make_system
from tests.factories.verified import make_verification

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def verify(at, **options):
    return verifying.run(now=lambda: at, nightly=True, **options)


def take(at, **fields):
    """A claim of the night of `at`, typed by somebody."""
    night = (at - timedelta(hours=2)).date()
    return Verification.objects.create(night=night, started_at=at, started_by="system: verification", **fields)


def test_a_night_is_verified_once():
    assert verifying.is_due(at=NOON)
    assert verify(NOON)
    assert not verifying.is_due(at=NOON)
    assert verify(NOON) is None
    assert verifying.is_due(at=NOON + DAY)


@pytest.mark.parametrize("days", [0, 3, 300])
@pytest.mark.parametrize("finished", [True, False])
def test_a_night_that_somebody_took_ahead_is_verified_all_the_same(days, finished):
    at = NOON + days * DAY
    written = at + timedelta(minutes=5)  # a claim of a time that has not come
    take(written, finished_at=written if finished else None, rows=1470, position=1470)
    assert verifying.is_due(at=at)
    assert verify(at)
    assert not verifying.is_due(at=at)


def test_a_claim_of_this_moment_is_held_while_somebody_may_be_at_work():
    take(NOON)
    assert not verifying.is_due(at=NOON + timedelta(hours=1))
    assert verify(NOON + timedelta(hours=1)) is None
    assert verifying.is_due(at=NOON + timedelta(hours=3))
    assert verify(NOON + timedelta(hours=3))


def test_what_a_run_found_is_read_from_the_trail():
    make_system()
    seal(at=NOON)
    verify(NOON)
    last = told.last_verified()
    run = Verification.objects.get()
    assert (last.at, last.rows, last.position, last.found) == (NOON, run.rows, run.position, 0)
    assert last.agrees
    assert TrailRow.objects.filter(model="audit.verification").get().at == NOON


@pytest.mark.parametrize("change", [{"found": 0}, {"rows": 1470}, {"finished_at": NOON + DAY}, {"finished_at": None}])
def test_a_run_that_is_written_otherwise_changes_nothing_and_is_noticed(change):
    make_verification(NOON, rows=1_234, found=2)
    Verification.objects.update(**change)
    last = told.last_verified()
    assert (last.at, last.rows, last.found, last.agrees) == (NOON, 1_234, 2, False)


def test_a_run_that_is_deleted_is_noticed():
    make_verification(NOON - DAY)
    make_verification(NOON, found=2).delete()
    assert (told.last_verified().found, told.last_verified().agrees) == (2, False)


def test_a_run_that_the_trail_never_told_is_not_believed():
    take(NOON, finished_at=NOON, rows=1470, position=1470)
    assert not told.last_verified().agrees


def test_runs_of_a_time_that_has_not_come_are_counted():
    make_verification(NOON)
    assert told.written_ahead(at=NOON) == 0
    for days in (1, 2, 300):
        take(NOON + days * DAY)
    assert told.written_ahead(at=NOON) == 3
