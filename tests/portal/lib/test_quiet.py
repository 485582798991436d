"""Quiet hours by the clock on the wall, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib import quiet

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "moment", "end"),
    [
        ("22:00", "07:00", LONDON, "2026-11-17 21:59", None),
        ("22:00", "07:00", LONDON, "2026-11-17 22:00", "2026-11-18 07:00"),
        ("22:00", "07:00", LONDON, "2026-11-18 06:59", "2026-11-18 07:00"),
        ("22:00", "07:00", LONDON, "2026-11-18 07:00", None),
        ("12:00", "13:00", LONDON, "2026-11-18 12:30", "2026-11-18 13:00"),
        ("22:00", "07:00", LONDON, "2026-07-01 21:30", "2026-07-02 06:00"),  # summer time
        ("22:00", "07:00", LONDON, "2026-10-24 23:00", "2026-10-25 07:00"),  # a night of an hour more
        ("22:00", "07:00", LONDON, "2026-03-28 23:00", "2026-03-29 06:00"),  # and of one less
        ("22:00", "01:30", NEW_YORK, "2026-11-01 05:20", "2026-11-01 05:30"),  # 01:30 comes twice: it ends once
        ("22:00", "01:30", NEW_YORK, "2026-11-01 06:20", None),
        ("22:00", "02:30", NEW_YORK, "2026-03-08 06:30", "2026-03-08 07:30"),  # 02:30 does not come: 03:30 is meant
    ],
)
def test_they_end_when_the_wall_says(starts, ends, zone, moment, end):
    found = quiet.until(time.fromisoformat(starts), time.fromisoformat(ends), zone, at(moment))
    assert found == (at(end) if end else None)


@pytest.mark.parametrize(("starts", "ends"), [(None, None), (time(22), None), (time(7), time(7))])
def test_hours_that_do_not_begin_and_end_are_none(starts, ends):
    assert quiet.until(starts, ends, LONDON, at("2026-11-17 23:00")) is None


TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(TIMES, TIMES, ZONES.map(ZoneInfo), st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_they_end_later_within_a_day_and_an_hour_and_nobody_is_held_twice(starts, ends, zone, naive):
    moment = naive.replace(tzinfo=UTC)
    end = quiet.until(starts, ends, zone, moment)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=25)
        assert quiet.until(starts, ends, zone, end) is None
