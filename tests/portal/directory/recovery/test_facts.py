"""Backups and measured recoveries are kept, and what counts of them is known at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.directory.enums import ProofKind, Verdict
from portal.directory.models import Dependency, RecoveryObjective, RecoveryProof
from portal.directory.recovery import facts, reading
from tests.factories.directory import make_system

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def prove(system, *, record=None, took=HOUR, lost=HOUR, at=NOON, **more):
    return facts.record_proof(
        system, record=record or make_system(), kind=ProofKind.RESTORE, reference="RST-000001", took=took, lost=lost,
        by="Amara Okafor", at=at, **more,
    )  # fmt: skip


def test_what_would_be_lost_now_is_counted_from_the_newest_verified_data():
    system = make_system(rto=60, rpo=60)
    facts.record_backup(system, finished_at=NOON, newest_data_at=NOON - HOUR)
    standing = reading.standing_of(system, at=NOON + HOUR)
    assert standing.exposure == 2 * HOUR
    assert standing.exposed == Verdict.NOT_MET


def test_without_a_verified_backup_nobody_knows_what_would_be_lost():
    standing = reading.standing_of(make_system(rto=60, rpo=60), at=NOON)
    assert standing.exposure is None
    assert standing.exposed == Verdict.UNKNOWN
    assert standing.judged.reason == "It was never measured."


def test_a_kept_promise_is_proven_for_as_long_as_the_objective_says():
    system = make_system(rto=60, rpo=60)
    proof = prove(system)
    assert (proof.verdict, proof.rto_minutes) == (Verdict.MET, 60)
    assert reading.standing_of(system, at=NOON + 365 * DAY).judged.is_proven
    assert not reading.standing_of(system, at=NOON + 366 * DAY).judged.is_proven


def test_a_failed_recovery_takes_the_proof_away_and_one_that_says_nothing_leaves_it():
    system = make_system(rto=60, rpo=60)
    prove(system)
    prove(system, took=None, at=NOON + HOUR)
    assert reading.standing_of(system, at=NOON + HOUR).judged.is_proven
    prove(system, succeeded=False, at=NOON + 2 * HOUR)
    assert not reading.standing_of(system, at=NOON + 2 * HOUR).judged.is_proven


def test_what_was_measured_earlier_and_told_later_does_not_count():
    system = make_system(rto=60, rpo=60)
    prove(system)
    prove(system, succeeded=False, at=NOON + DAY, measured_at=NOON - DAY)
    assert reading.standing_of(system, at=NOON + DAY).judged.is_proven


def test_the_same_record_measures_a_system_once():
    system, record = make_system(rto=60, rpo=60), make_system()
    assert prove(system, record=record) == prove(system, record=record, took=DAY)
    assert RecoveryProof.objects.count() == 1


def test_a_tighter_promise_makes_the_proof_fall_short():
    system = make_system(rto=60, rpo=60)
    prove(system)
    objective = RecoveryObjective.objects.get(system=system)
    objective.rto_minutes = 30
    objective.save()
    assert "took 1 h; 30 min is promised" in reading.standing_of(system, at=NOON).judged.reason


def test_what_is_not_over_after_all_proves_nothing_any_more_until_it_is_measured_again():
    system, other, record = make_system(rto=60, rpo=60), make_system(rto=60, rpo=60), make_system()
    prove(system, record=record)
    prove(other)
    facts.end_proof(record, at=NOON + HOUR)
    assert not reading.standing_of(system, at=NOON + DAY).judged.is_proven
    assert reading.standing_of(other, at=NOON + DAY).judged.is_proven
    prove(system, record=record, measured_at=NOON + 2 * HOUR)
    assert reading.standing_of(system, at=NOON + DAY).judged.is_proven


def test_a_part_and_what_is_needed_inherit_the_promise_and_what_contradicts_it_is_found():
    shop, base, part = make_system(rto=60, rpo=15), make_system(), make_system()
    queue = make_system(rto=240, rpo=15)
    part.parent = shop
    part.save()
    Dependency.objects.create(system=shop, needs=base)
    Dependency.objects.create(system=shop, needs=queue)
    promised = reading.promises()
    assert promised[base.pk].rto == promised[part.pk].rto == HOUR
    assert [(found.top, found.base, found.name) for found in reading.conflicting(promised)] == [
        (shop.pk, queue.pk, "rto")
    ]


def test_two_systems_never_need_one_another():
    one, two, three = make_system(), make_system(), make_system()
    Dependency.objects.create(system=one, needs=two)
    Dependency.objects.create(system=two, needs=three)
    with pytest.raises(ValidationError, match="already needs"):
        Dependency(system=three, needs=one).full_clean()


def test_nobody_promises_to_be_back_later_than_it_can_be_borne():
    with pytest.raises(ValidationError, match="must not be longer than the MTD"):
        RecoveryObjective(system=make_system(), rto_minutes=60, mtd_minutes=30).full_clean()


def test_many_systems_are_read_in_few_queries(django_assert_max_num_queries):
    systems = [make_system(rto=60, rpo=60) for _ in range(12)]
    for system in systems:
        prove(system)
    with django_assert_max_num_queries(5):
        assert len(reading.standings([system.pk for system in systems], at=NOON)) == 12
