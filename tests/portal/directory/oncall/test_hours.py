"""The hours of a week in words."""

# ruff: noqa: DTZ001 - the clock on the wall shows no zone

from contextlib import suppress
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.directory.oncall import hours

words = st.lists(
    st.tuples(st.sampled_from(hours.DAYS), st.sampled_from(hours.DAYS), st.times(), st.times()).map(
        lambda row: f"{row[0]}-{row[1]} {row[2]:%H:%M}-{row[3]:%H:%M}"
    ),
    max_size=3,
).map("; ".join)


def test_nothing_written_means_always():
    assert hours.parse("  ") == ()


def test_days_run_over_the_end_of_the_week():
    assert [window.weekday for window in hours.parse("Sat-Mon 10:00-14:00")] == [0, 5, 6]


def test_hours_may_run_over_midnight_and_to_its_end():
    night, day = hours.parse("Mon 18:00-09:00; Tue 00:00-24:00")
    assert night.on(date(2026, 11, 16)) == (datetime(2026, 11, 16, 18), datetime(2026, 11, 17, 9))
    assert day.on(date(2026, 11, 17)) == (datetime(2026, 11, 17), datetime(2026, 11, 18))


def test_full_names_and_single_figures_are_understood():
    assert hours.parse("Monday - friday 9:00 \u2013 17:30")[0] == hours.Window(0, time(9), time(17, 30))


@pytest.mark.parametrize("text", ["always", "Mon", "Mon 9-17", "Mon 25:00-26:00", "Xxx 09:00-10:00", "Mon 09:61-10:00"])
def test_what_is_not_understood_is_refused_with_an_example(text):
    with pytest.raises(hours.Unreadable, match="Write days and hours as in Mon-Fri"):
        hours.parse(text)


@given(words)
def test_the_normal_form_reads_as_the_same_hours(text):
    try:
        wanted = hours.parse(text)
    except hours.Unreadable:
        return
    assert hours.parse(hours.normal(text)) == wanted
    assert hours.normal(hours.normal(text)) == hours.normal(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with suppress(hours.Unreadable):
        hours.parse(text)
