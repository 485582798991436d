"""Working calendars from rows: holidays of the library, own days on top, over clock changes and leap days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.directory import calendars
from portal.directory.models import Calendar, CalendarDay
from portal.lib.businesstime import end_of_business_day

MOMENTS = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2033, 1, 1, tzinfo=UTC).timestamp())
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def row(**fields):
    fields = {"name": "Company", "time_zone": "Europe/London", "opens": time(9), "closes": time(17, 30), **fields}
    return Calendar(**fields)


def day(text, name="Own day", *, working=False):
    return CalendarDay(date=date.fromisoformat(text), name=name, is_working=working)


def due(calendar, start, days=1):
    return end_of_business_day(calendar, start, days)


def test_public_holidays_are_days_off_by_their_english_name():
    calendar = calendars.build(row(country="DE"), [])
    assert calendar.days_off[date(2026, 10, 3)] == "German Unity Day"
    assert date(2026, 10, 2) not in calendar.days_off


def test_holidays_of_a_part_of_a_country_are_known():
    scotland = calendars.build(row(country="GB", subdivision="SCT"), [])
    england = calendars.build(row(country="GB", subdivision="ENG"), [])
    assert date(2026, 11, 30) in scotland.days_off
    assert date(2026, 11, 30) not in england.days_off


def test_any_year_is_known_when_it_is_asked_for():
    calendar = calendars.build(row(country="GB", subdivision="ENG"), [])
    assert all(date(year, 12, 25) in calendar.days_off for year in (2020, 2027, 2040))


def test_own_days_win_over_public_holidays():
    own = [day("2026-12-25", "We work", working=True), day("2026-12-24", "Company day")]
    calendar = calendars.build(row(country="GB", subdivision="ENG"), own)
    assert calendar.is_business_day(date(2026, 12, 25))
    assert not calendar.is_business_day(date(2026, 12, 24))
    assert calendar.why_not(date(2026, 12, 24)) == "Company day"


def test_a_working_saturday_counts():
    calendar = calendars.build(row(), [day("2026-11-21", "Stock-taking", working=True)])
    moment, why = due(calendar, datetime(2026, 11, 20, 10, tzinfo=UTC))
    assert moment == datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    assert any("Stock-taking" in sentence for sentence in why)


def test_the_deadline_over_christmas_names_what_it_skipped():
    calendar = calendars.build(row(country="GB", subdivision="ENG"), [])
    moment, why = due(calendar, datetime(2026, 12, 24, 12, tzinfo=UTC))
    assert moment == datetime(2026, 12, 29, 17, 30, tzinfo=UTC)
    assert any("Christmas Day" in sentence for sentence in why)


def test_a_country_that_the_library_forgets_has_no_holidays():
    assert dict(calendars.public_holidays("ZZ", "", 2026)) == {}


def test_a_zone_that_this_machine_forgets_reads_as_utc():
    assert calendars.build(row(time_zone="Mars/Base"), []).zone == ZoneInfo("UTC")


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@given(start=MOMENTS, days=st.integers(1, 15))
def test_a_deadline_is_closing_time_of_a_working_day_after_the_start(zone, start, days):
    calendar = calendars.build(row(time_zone=zone, country="GB", subdivision="ENG"), [])
    moment, _ = due(calendar, start, days)
    local, began = moment.astimezone(ZoneInfo(zone)), start.astimezone(ZoneInfo(zone))
    assert local.time() == time(17, 30)
    assert calendar.is_business_day(local.date())
    between = (began.date() + timedelta(days=n) for n in range(1, (local.date() - began.date()).days + 1))
    assert sum(calendar.is_business_day(date_) for date_ in between) == days


@given(start=MOMENTS)
def test_a_later_start_is_never_due_earlier(start):
    calendar = calendars.build(row(country="GB", subdivision="ENG"), [])
    assert due(calendar, start)[0] <= due(calendar, start + timedelta(hours=7))[0]
