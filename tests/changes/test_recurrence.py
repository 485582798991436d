"""When freezes come round, on the wall clock of their zone."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.recurrence import check_rule, times

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(year, month, day, hour=0, zone="UTC"):
    return datetime(year, month, day, hour, tzinfo=ZoneInfo(zone))


def found(rule, starts, ends, zone, since, until):
    return list(times(starts, ends, rule, zone, since=since, until=until))


def test_a_freeze_without_a_rule_comes_once():
    starts, ends = at(2026, 11, 27), at(2026, 11, 30)
    assert found("", starts, ends, "UTC", at(2026, 11, 1), at(2027, 11, 1)) == [(starts, ends)]
    assert found("", starts, ends, "UTC", ends, ends + DAY) == []


def test_the_last_day_of_each_month():
    starts, ends = at(2026, 1, 31, 0, "Europe/London"), at(2026, 2, 1, 0, "Europe/London")
    days = found("FREQ=MONTHLY;BYMONTHDAY=-1", starts, ends, "Europe/London", at(2026, 2, 1), at(2026, 7, 1))
    local = [begin.astimezone(ZoneInfo("Europe/London")).strftime("%m-%d %H") for begin, _ in days]
    assert local == ["02-28 00", "03-31 00", "04-30 00", "05-31 00", "06-30 00"]


def test_it_keeps_its_hour_over_both_clock_changes():
    zone = "Europe/Berlin"
    starts, ends = at(2026, 3, 1, 22, zone), at(2026, 3, 2, 6, zone)
    all_ = found("FREQ=WEEKLY", starts, ends, zone, at(2026, 3, 1), at(2026, 12, 1))
    hours = {(b.astimezone(ZoneInfo(zone)).hour, e.astimezone(ZoneInfo(zone)).hour) for b, e in all_}
    assert hours == {(22, 6)}


def test_a_night_in_which_the_clock_changes_is_longer_or_shorter():
    zone = "Europe/Berlin"
    starts, ends = at(2026, 3, 21, 22, zone), at(2026, 3, 22, 6, zone)
    nights = found("FREQ=DAILY", starts, ends, zone, at(2026, 3, 27), at(2026, 3, 31))
    assert sorted({end - begin for begin, end in nights}) == [7 * HOUR, 8 * HOUR]


@pytest.mark.parametrize("rule", ["nonsense", "FREQ=", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2", "FREQ=DAILY;COUNT=0"])
def test_a_rule_that_says_nothing_or_too_much_is_refused(rule):
    with pytest.raises(ValueError, match=r"rule|round|never|Write"):
        check_rule(rule, lasts=HOUR)


def test_a_freeze_that_begins_again_before_it_has_ended_is_refused():
    with pytest.raises(ValueError, match="before it has ended"):
        check_rule("FREQ=DAILY", lasts=2 * DAY)


@given(st.text(max_size=60))
def test_no_text_that_somebody_writes_breaks_it(text):
    with suppress(ValueError):  # its sentence is what the form shows
        check_rule(text, lasts=HOUR)


@given(
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY"]),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata"]),
    st.integers(0, 800),
    st.integers(1, 40),
)
def test_every_time_shares_a_moment_with_the_span_and_none_is_left_out(rule, zone, offset, width):
    starts = at(2026, 1, 1, 9, zone)
    ends = starts + 5 * HOUR
    since = at(2026, 1, 1) + timedelta(days=offset)
    until = since + timedelta(days=width)
    inside = found(rule, starts, ends, zone, since, until)
    assert all(begin < until and end > since for begin, end in inside)
    wide = found(rule, starts, ends, zone, at(2026, 1, 1), at(2029, 1, 1))
    assert inside == [(b, e) for b, e in wide if b < until and e > since]
    assert all(b.tzinfo is UTC for b, _ in inside)


def test_the_first_time_counts_whether_the_rule_names_its_day_or_not():
    starts, ends = at(2026, 11, 28), at(2026, 11, 30)
    days = found("FREQ=MONTHLY;BYMONTHDAY=-1", starts, ends, "UTC", at(2026, 11, 1), at(2026, 12, 1))
    assert days == [(starts, ends), (at(2026, 11, 30), at(2026, 12, 2))]


def test_an_hour_that_comes_twice_is_frozen_twice_and_one_that_never_comes_shortens_nothing_to_nothing():
    zone = "Europe/London"
    starts, ends = at(2026, 3, 1, 0, zone), at(2026, 3, 1, 0, zone) + HOUR * 1.5
    ((_, end),) = found("FREQ=DAILY", starts, ends, zone, at(2026, 10, 24, 23), at(2026, 10, 25, 3))
    assert end == at(2026, 10, 25, 1) + HOUR / 2  # half past one came twice
    starts, ends = at(2026, 3, 1, 1, zone) + HOUR / 2, at(2026, 3, 1, 2, zone)
    ((begin, end),) = found("FREQ=DAILY", starts, ends, zone, at(2026, 3, 29), at(2026, 3, 29, 12))
    assert begin < end
