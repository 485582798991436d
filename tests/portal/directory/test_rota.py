"""Who holds the duty, from shifts alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.directory import rota

START = datetime(2026, 3, 28, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Shift:
    pk: int
    contact_id: int
    starts: datetime
    until: datetime


def at(hours):
    return START + timedelta(hours=hours)


def shift(pk, contact, starts, until):
    return Shift(pk, contact, at(starts), at(until))


shifts = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 40), st.integers(1, 20)).map(
        lambda row: shift(row[1] * 100 + row[2], row[0], row[1], row[1] + row[2])
    ),
    max_size=7,
    unique_by=lambda row: row.pk,
)


def test_a_shift_counts_from_its_start_until_just_before_its_end():
    week = [shift(1, 7, 0, 10)]
    assert rota.holder(week, at(0)) == week[0]
    assert rota.holder(week, at(10)) is None
    assert rota.holder(week, at(-1)) is None


def test_of_overlapping_shifts_the_one_that_started_last_counts():
    week, evening = shift(1, 7, 0, 100), shift(2, 8, 10, 14)
    assert rota.holder([week, evening], at(12)) == evening
    assert rota.holder([week, evening], at(14)) == week


def test_the_duty_is_held_until_somebody_else_takes_over():
    week, evening = shift(1, 7, 0, 100), shift(2, 8, 10, 14)
    assert rota.held_until([week, evening], at(5)) == at(10)
    assert rota.held_until([week, evening], at(12)) == at(14)
    assert rota.held_until([week, evening], at(20)) == at(100)


def test_shifts_of_one_person_that_follow_one_another_count_as_one():
    assert rota.held_until([shift(1, 7, 0, 10), shift(2, 7, 10, 20)], at(5)) == at(20)


def test_nobody_holds_nothing():
    assert rota.held_until([], at(0)) is None
    assert rota.covered_until([], at(0)) == at(0)


def test_cover_ends_at_the_first_gap():
    assert rota.covered_until([shift(1, 7, 0, 10), shift(2, 8, 8, 20), shift(3, 7, 21, 30)], at(5)) == at(20)


@given(shifts, st.integers(0, 60))
def test_cover_lasts_exactly_until_nobody_holds_the_duty(rows, hour):
    end = rota.covered_until(rows, at(hour))
    assert rota.holder(rows, end) is None
    assert all(rota.holder(rows, at(h)) is not None for h in range(hour, 61) if at(h) < end)


@given(shifts, st.integers(0, 60))
def test_one_person_holds_the_duty_all_the_time_that_is_said(rows, hour):
    until, present = rota.held_until(rows, at(hour)), rota.holder(rows, at(hour))
    assert (until is None) == (present is None)
    if until is not None:
        holders = {rota.holder(rows, at(h)).contact_id for h in range(hour, 61) if at(h) < until}
        assert holders == {present.contact_id}
        after = rota.holder(rows, until)
        assert after is None or after.contact_id != present.contact_id
