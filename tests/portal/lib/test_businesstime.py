from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.businesstime import WorkCalendar, end_of_business_day

LONDON = ZoneInfo("Europe/London")
WEEK = frozenset(range(5))
COMPANY = WorkCalendar("Company", LONDON, WEEK, time(9), time(17, 30))

ZONES = ["Europe/London", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
CALENDARS = st.builds(
    WorkCalendar,
    name=st.just("Any"),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    opens=st.just(time(9)),
    closes=st.times(),
    days_off=st.dictionaries(DAYS, st.sampled_from(["Christmas Day", "Eid", "Company day"]), max_size=20),
    extra_days=st.dictionaries(DAYS, st.sampled_from(["Stock-taking", ""]), max_size=5),
)
MOMENTS = st.datetimes(
    datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2032-12-01"), timezones=st.just(UTC)
)


def local_day(calendar, moment):
    return moment.astimezone(calendar.zone).date()


def business_days(calendar, first, last):
    """Count the business days after `first`, up to and with `last`."""
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(calendar.is_business_day(day) for day in days)


@given(CALENDARS, MOMENTS, st.integers(1, 30))
def test_the_due_day_is_the_nth_business_day_after_the_local_start(calendar, start, days):
    due, _ = end_of_business_day(calendar, start, days)
    first, wanted = local_day(calendar, start), local_day(calendar, due)
    assert calendar.is_business_day(wanted)
    assert business_days(calendar, first, wanted) == days


@given(CALENDARS, MOMENTS, st.integers(1, 30))
def test_the_due_moment_is_the_closing_time_in_utc_and_after_the_start(calendar, start, days):
    due, _ = end_of_business_day(calendar, start, days)
    assert due.tzinfo is UTC
    assert due > start
    local = due.astimezone(calendar.zone)
    skipped_hour = local.replace(tzinfo=None) - datetime.combine(local.date(), calendar.closes)
    assert timedelta(0) <= skipped_hour <= timedelta(hours=1)


@given(CALENDARS, MOMENTS, st.integers(1, 29))
def test_more_days_are_never_due_sooner(calendar, start, days):
    assert end_of_business_day(calendar, start, days)[0] < end_of_business_day(calendar, start, days + 1)[0]


@given(CALENDARS, MOMENTS, MOMENTS, st.integers(1, 10))
def test_a_later_start_is_never_due_sooner(calendar, one, two, days):
    early, late = sorted((one, two))
    assert end_of_business_day(calendar, early, days)[0] <= end_of_business_day(calendar, late, days)[0]


@given(CALENDARS, MOMENTS, st.integers(1, 30))
def test_every_holiday_on_the_way_is_named(calendar, start, days):
    due, sentences = end_of_business_day(calendar, start, days)
    first, last = local_day(calendar, start), local_day(calendar, due)
    on_the_way = {day for day in calendar.days_off if first < day < last and not calendar.is_business_day(day)}
    text = " ".join(sentences)
    assert all(calendar.days_off[day] in text for day in on_the_way)
    assert ("not counted" in text) == (business_days(calendar, first, last) < (last - first).days)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_friday_evening_is_due_on_monday_and_says_so():
    due, sentences = end_of_business_day(COMPANY, at("2026-11-20T18:00"), 1)
    assert due == at("2026-11-23T17:30")
    assert sentences == ["Sat 21 Nov 2026 and Sun 22 Nov 2026 are not counted: weekend."]


def test_a_morning_is_due_on_the_next_day_not_on_the_same():
    assert end_of_business_day(COMPANY, at("2026-11-17T06:00"), 1) == (at("2026-11-18T17:30"), [])


def test_christmas_explains_itself():
    off = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 28): "Boxing Day"}
    calendar = WorkCalendar("Company", LONDON, WEEK, time(9), time(17, 30), off)
    due, sentences = end_of_business_day(calendar, at("2026-12-24T12:00"), 1)
    assert due == at("2026-12-29T17:30")
    assert sentences == [
        "Fri 25 Dec 2026 is not counted: Christmas Day.",
        "Sat 26 Dec 2026 and Sun 27 Dec 2026 are not counted: weekend.",
        "Mon 28 Dec 2026 is not counted: Boxing Day.",
    ]


def test_a_long_holiday_is_one_sentence():
    off = {date(2026, 12, day): "Closed" for day in range(21, 25)}
    calendar = WorkCalendar("Company", LONDON, WEEK, time(9), time(17, 30), off)
    sentences = end_of_business_day(calendar, at("2026-12-20T12:00"), 1)[1]
    assert sentences == ["Mon 21 Dec 2026 to Thu 24 Dec 2026 are not counted: Closed."]


def test_an_extra_day_counts_and_says_so():
    calendar = WorkCalendar("Company", LONDON, WEEK, time(9), time(17, 30), {}, {date(2026, 11, 21): "Stock-taking"})
    due, sentences = end_of_business_day(calendar, at("2026-11-20T18:00"), 1)
    assert (due, sentences) == (at("2026-11-21T17:30"), ["Sat 21 Nov 2026 is counted: Stock-taking."])


def test_the_clock_change_moves_the_moment_not_the_closing_time():
    assert end_of_business_day(COMPANY, at("2026-03-26T12:00"), 1)[0] == at("2026-03-27T17:30")
    assert end_of_business_day(COMPANY, at("2026-03-27T12:00"), 1)[0] == at("2026-03-30T16:30")
    assert end_of_business_day(COMPANY, at("2026-10-23T12:00"), 1)[0] == at("2026-10-26T17:30")


def test_the_leap_day_is_a_day():
    assert end_of_business_day(COMPANY, at("2028-02-28T12:00"), 1)[0] == at("2028-02-29T17:30")


def test_a_late_evening_counts_from_the_local_date():
    tokyo = WorkCalendar("Tokyo", ZoneInfo("Asia/Tokyo"), WEEK, time(9), time(18))
    assert end_of_business_day(tokyo, at("2026-11-17T20:00"), 1)[0] == at("2026-11-19T09:00")


def test_a_calendar_without_working_days_is_refused():
    never = WorkCalendar("Never", LONDON, frozenset(), time(9), time(17))
    with pytest.raises(ValueError, match="The calendar Never has no working day within a year"):
        end_of_business_day(never, at("2026-11-17T12:00"), 1)


def test_no_days_are_refused():
    with pytest.raises(ValueError, match="at least one business day"):
        end_of_business_day(COMPANY, at("2026-11-17T12:00"), 0)
