"""The sum behind a risk, and the level that it reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.enums import Impact, Level, Likelihood
from changes.risk import Record, assess, level_of

BANDS = (("low", 0), ("medium", 6), ("high", 10))
POINTS = {"failed-changes": 2, "open-incidents": 3, "short-rto": 2}
CLEAN = Record(failed=0, carried_out=0, open_incidents=(), rto_minutes=None)


@pytest.mark.parametrize(
    ("points", "level"), [(0, "low"), (1, "low"), (5, "low"), (6, "medium"), (9, "medium"), (10, "high"), (99, "high")]
)
def test_the_thresholds_are_those_of_the_data(points, level):
    assert level_of(points, BANDS) == level


def test_without_any_threshold_everything_is_of_high_risk():
    assert level_of(1, ()) == Level.HIGH


def test_each_part_of_the_record_adds_its_points_and_says_why():
    record = Record(failed=1, carried_out=9, open_incidents=("INC-000418",), rto_minutes=60)
    found = assess(impact=Impact(4), likelihood=Likelihood(2), record=record, points=POINTS, bands=BANDS)
    assert [(part.name, part.points) for part in found.parts] == [
        ("Impact x likelihood", 8), ("Record", 2), ("Open incidents", 3), ("Recovery objective", 2),
    ]  # fmt: skip
    assert (found.points, found.level) == (15, Level.HIGH)
    assert found.parts[1].why == "1 failed or rolled back of 9 changes in 12 months"


def test_points_that_were_set_to_nothing_are_not_shown():
    record = Record(failed=1, carried_out=9, open_incidents=("INC-000418",), rto_minutes=60)
    found = assess(impact=Impact(1), likelihood=Likelihood(1), record=record, points={}, bands=BANDS)
    assert len(found.parts) == 1


@given(st.sampled_from(list(Impact)), st.sampled_from(list(Likelihood)), st.booleans())
def test_a_worse_record_never_makes_a_lesser_risk(impact, likelihood, failed):
    worse = Record(failed=int(failed), carried_out=1, open_incidents=("INC-000001",), rto_minutes=5)
    clean = assess(impact=impact, likelihood=likelihood, record=CLEAN, points=POINTS, bands=BANDS)
    found = assess(impact=impact, likelihood=likelihood, record=worse, points=POINTS, bands=BANDS)
    assert found.points > clean.points
    order = [level for level, _ in BANDS]
    assert order.index(found.level) >= order.index(clean.level)
