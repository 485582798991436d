"""When a task is due: against python-dateutil, and against tables that were written by hand."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr
from hypothesis import given
from hypothesis import strategies as st

from maintenance.enums import Basis, Frequency, Shift
from maintenance.rules import Impossible, Rule, check
from maintenance.schedule import Due, dates, due_on, explain, following, next_due
from portal.lib.businesstime import WorkCalendar

LONDON, NEW_YORK, TOKYO = (ZoneInfo(name) for name in ("Europe/London", "America/New_York", "Asia/Tokyo"))
ZONES = (LONDON, NEW_YORK, TOKYO)
DAYS = 400
OFFICE = WorkCalendar(
    "Office", LONDON, frozenset(range(5)), time(9), time(17, 30), days_off={date(2026, 12, 25): "Christmas Day"}
)


def day(words):
    return date.fromisoformat(words)


def walk(rule, anchor, zone, number):
    """Return the next dates of a plan whose task is always done on the day it is due."""
    found, last = [], None
    for _ in range(number):
        last = following(rule, anchor, last.due_on if last else None, zone, fulfilled=last)
        found.append(last)
    return found


# rule, and what python-dateutil says of the same; of days that some months lack, what they have last
AGREED = {
    "daily": (Rule(Frequency.DAILY), lambda a: rrule(DAILY, dtstart=a)),
    "every 3 days": (Rule(Frequency.DAILY, every=3), lambda a: rrule(DAILY, interval=3, dtstart=a)),
    "weekly": (Rule(Frequency.WEEKLY), lambda a: rrule(WEEKLY, dtstart=a)),
    "every 5 weeks": (Rule(Frequency.WEEKLY, every=5), lambda a: rrule(WEEKLY, interval=5, dtstart=a)),
    "monthly": (
        Rule(Frequency.MONTHLY),
        lambda a: rrule(MONTHLY, dtstart=a, bymonthday=range(min(a.day, 28), a.day + 1), bysetpos=-1),
    ),
    "every 2 months": (
        Rule(Frequency.MONTHLY, every=2),
        lambda a: rrule(MONTHLY, interval=2, dtstart=a, bymonthday=range(min(a.day, 28), a.day + 1), bysetpos=-1),
    ),
    "annual": (
        Rule(Frequency.ANNUAL),
        lambda a: rrule(
            YEARLY, dtstart=a, bymonth=a.month, bymonthday=range(min(a.day, 28), a.day + 1), bysetpos=-1
        ),
    ),
    "second Tuesday": (
        Rule(Frequency.NTH_WEEKDAY, nth=2, weekday=1), lambda a: rrulestr("FREQ=MONTHLY;BYDAY=2TU", dtstart=a)
    ),
    "last Friday": (
        Rule(Frequency.NTH_WEEKDAY, nth=-1, weekday=4), lambda a: rrulestr("FREQ=MONTHLY;BYDAY=-1FR", dtstart=a)
    ),
    "last day": (Rule(Frequency.LAST_DAY), lambda a: rrulestr("FREQ=MONTHLY;BYMONTHDAY=-1", dtstart=a)),
    "custom": (
        Rule(Frequency.CUSTOM, rrule="FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=3"),
        lambda a: rrulestr("FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=3", dtstart=a),
    ),
}  # fmt: skip


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("name", AGREED)
def test_every_rule_agrees_with_dateutil_on_each_of_400_anchors(name, zone):
    rule, theirs = AGREED[name]
    for number in range(DAYS):
        anchor = date(2027, 11, 20) + timedelta(days=number)  # over the 29 February of 2028
        wall = datetime.combine(anchor, time.min)
        wanted = [moment.date() for moment, _ in zip(theirs(wall), range(4), strict=False)]
        found = walk(rule, anchor, zone, 4)
        assert [one.scheduled_on for one in found] == wanted, anchor
        for one in found:
            assert one.due_at.astimezone(zone).replace(tzinfo=None) == datetime.combine(one.due_on, time(17))


@pytest.mark.parametrize("name", AGREED)
def test_the_next_date_is_the_first_one_after_whatever_day_it_was_done(name):
    rule, theirs = AGREED[name]
    anchor = date(2027, 12, 31)
    every = theirs(datetime.combine(anchor, time.min))
    for number in range(DAYS):
        done = anchor + timedelta(days=number)
        wanted = every.after(datetime.combine(done, time.min)).date()
        assert following(rule, anchor, done, LONDON).scheduled_on == wanted, done


# anchor, rule, and the first dates as a calendar on the wall shows them
BY_HAND = [
    ("2026-01-31", Rule(Frequency.MONTHLY), "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31"),
    ("2028-01-31", Rule(Frequency.MONTHLY), "2028-01-31 2028-02-29 2028-03-31"),
    ("2026-01-30", Rule(Frequency.MONTHLY), "2026-01-30 2026-02-28 2026-03-30"),
    ("2026-11-30", Rule(Frequency.MONTHLY, every=3), "2026-11-30 2027-02-28 2027-05-30"),
    ("2028-02-29", Rule(Frequency.ANNUAL), "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29"),
    ("2096-02-29", Rule(Frequency.ANNUAL, every=4), "2096-02-29 2100-02-28 2104-02-29"),  # 2100 is no leap year
    ("2026-02-10", Rule(Frequency.LAST_DAY), "2026-02-28 2026-03-31 2026-04-30"),
    ("2028-02-01", Rule(Frequency.LAST_DAY), "2028-02-29 2028-03-31"),
    ("2026-12-31", Rule(Frequency.LAST_DAY, every=2), "2026-12-31 2027-02-28 2027-04-30"),
    ("2026-12-28", Rule(Frequency.WEEKLY), "2026-12-28 2027-01-04"),
    ("2026-03-10", Rule(Frequency.NTH_WEEKDAY, nth=2, weekday=1), "2026-03-10 2026-04-14 2026-05-12"),
    ("2026-03-11", Rule(Frequency.NTH_WEEKDAY, nth=2, weekday=1), "2026-04-14 2026-05-12"),
    ("2026-01-01", Rule(Frequency.CUSTOM, rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), "2028-02-29 2032-02-29"),
]  # fmt: skip


@pytest.mark.parametrize(("anchor", "rule", "wanted"), BY_HAND)
def test_month_ends_and_leap_years_are_those_of_the_table(anchor, rule, wanted):
    found = walk(rule, day(anchor), LONDON, len(wanted.split()))
    assert [str(one.scheduled_on) for one in found] == wanted.split()


# zone, day, hour on the wall, moment in UTC
CLOCKS = [
    (LONDON, "2026-03-28", "01:30", "2026-03-28T01:30"),
    (LONDON, "2026-03-29", "00:30", "2026-03-29T00:30"),
    (LONDON, "2026-03-29", "01:30", "2026-03-29T01:30"),  # does not exist: clocks show 02:30
    (LONDON, "2026-03-29", "17:00", "2026-03-29T16:00"),
    (LONDON, "2026-10-25", "01:30", "2026-10-25T00:30"),  # comes twice: the first one
    (LONDON, "2026-10-25", "17:00", "2026-10-25T17:00"),
    (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:30"),  # does not exist: clocks show 03:30
    (NEW_YORK, "2026-03-07", "17:00", "2026-03-07T22:00"),
    (NEW_YORK, "2026-03-08", "17:00", "2026-03-08T21:00"),
    (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),  # comes twice: the first one
    (NEW_YORK, "2026-11-01", "17:00", "2026-11-01T22:00"),
    (TOKYO, "2026-03-29", "08:00", "2026-03-28T23:00"),
]


@pytest.mark.parametrize(("zone", "on", "at", "utc"), CLOCKS)
def test_the_hour_is_right_over_both_clock_changes(zone, on, at, utc):
    rule = Rule(Frequency.DAILY, at=time.fromisoformat(at))
    wanted = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert next_due(rule, day("2026-01-01"), day(on) - timedelta(days=1), zone) == wanted


def test_a_day_is_that_of_the_plans_place():
    rule, late = Rule(Frequency.DAILY), datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    assert following(rule, day("2026-01-01"), late, LONDON).due_on == day("2026-06-03")  # there it is the 2nd already
    assert following(rule, day("2026-01-01"), late, NEW_YORK).due_on == day("2026-06-02")


def test_what_is_done_early_is_not_due_again_for_the_same_date():
    rule, anchor = Rule(Frequency.MONTHLY), day("2026-01-31")
    march = due_on(rule, day("2026-03-31"), LONDON)
    assert following(rule, anchor, day("2026-03-25"), LONDON, fulfilled=march).scheduled_on == day("2026-04-30")


def test_a_floating_plan_counts_from_when_it_was_done():
    rule = Rule(Frequency.MONTHLY, basis=Basis.FLOATING)
    assert following(rule, day("2026-01-31"), None, LONDON).due_on == day("2026-01-31")
    assert following(rule, day("2026-01-31"), day("2026-01-20"), LONDON).due_on == day("2026-02-20")
    assert following(rule, day("2026-01-31"), day("2026-01-31"), LONDON).due_on == day("2026-02-28")


def test_what_is_done_as_needed_is_due_anyway_after_its_ceiling():
    rule = Rule(Frequency.AS_NEEDED, ceiling_days=30)
    assert following(rule, day("2026-01-01"), None, LONDON).due_on == day("2026-01-31")
    assert following(rule, day("2026-01-01"), day("2026-01-20"), LONDON).due_on == day("2026-02-19")


@pytest.mark.parametrize(
    ("shift", "on", "wanted"),
    [
        (Shift.NEXT, "2026-12-26", "2026-12-28"),  # Saturday
        (Shift.NEXT, "2026-12-25", "2026-12-28"),  # Christmas Day is a Friday
        (Shift.PREVIOUS, "2026-12-25", "2026-12-24"),
        (Shift.NEXT, "2026-12-24", "2026-12-24"),
        (Shift.NONE, "2026-12-26", "2026-12-26"),
    ],
)
def test_a_date_that_is_not_worked_is_moved(shift, on, wanted):
    rule = Rule(Frequency.ANNUAL, shift=shift, calendar=OFFICE)
    found = following(rule, day(on), None, LONDON)
    assert (found.scheduled_on, found.due_on) == (day(on), day(wanted))


@pytest.mark.parametrize("shift", [Shift.NEXT, Shift.PREVIOUS])
def test_dates_that_are_moved_to_the_same_day_are_one_task(shift):
    found = walk(Rule(Frequency.DAILY, shift=shift, calendar=OFFICE), day("2026-12-21"), LONDON, 10)
    days = [one.due_on for one in found]
    assert days == sorted(set(days))
    assert all(OFFICE.is_business_day(one) for one in days)


REFUSED = [
    (Rule(Frequency.DAILY, every=0), "every 1 to 1096 days"),
    (Rule(Frequency.ANNUAL, every=11), "every 1 to 10 years"),
    (Rule(Frequency.NTH_WEEKDAY, nth=5, weekday=0), "Not every month has such a weekday"),
    (Rule(Frequency.NTH_WEEKDAY, weekday=7), "Choose a day of the week"),
    (Rule(Frequency.CUSTOM), "Write the rule"),
    (Rule(Frequency.CUSTOM, rrule="every other Tuesday"), "cannot be read"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=HOURLY"), "more than once a day"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=DAILY;COUNT=3"), "no end in its rule"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "within twelve years"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31"), "within twelve years"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=DAILY;INTERVAL=0"), "INTERVAL is a number from 1"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=WEEKLY;INTERVAL=-1;BYDAY=MO"), "INTERVAL is a number from 1"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=DAILY;BYMONTH=1;BYYEARDAY=366"), "within twelve years"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=DAILY;BYDAY=MO;BYSETPOS=3"), "Leave it out of a daily rule"),
    (Rule(Frequency.CUSTOM, rrule="DTSTART:20240101T000000Z RRULE:FREQ=DAILY"), "cannot be read"),
    (Rule(Frequency.CUSTOM, rrule="FREQ=YEARLY;BYEASTER=400"), "cannot be read"),
    (Rule(Frequency.LAST_DAY, basis=Basis.FLOATING), "A floating plan counts from when it was last done"),
    (Rule(Frequency.AS_NEEDED), "due anyway"),
    (Rule(Frequency.DAILY, shift=Shift.NEXT), "Choose the calendar"),
]


@pytest.mark.parametrize(("rule", "sentence"), REFUSED)
def test_an_impossible_rule_is_refused_with_a_sentence(rule, sentence):
    with pytest.raises(Impossible, match=sentence):
        check(rule, day("2026-01-01"))


@pytest.mark.parametrize("anchor", [date.min, date(1969, 12, 31), date(2200, 1, 2), date.max])
def test_a_first_date_at_the_end_of_the_calendar_is_refused(anchor):
    with pytest.raises(Impossible, match="Check the year"):
        check(Rule(Frequency.DAILY), anchor)


def test_a_calendar_without_working_days_is_no_calendar():
    never = WorkCalendar("Never", LONDON, frozenset(), time(9), time(17))
    with pytest.raises(Impossible, match="no working day"):
        following(Rule(Frequency.DAILY, shift=Shift.NEXT, calendar=never), day("2026-01-01"), None, LONDON)


EXPLAINED = [
    (Rule(Frequency.MONTHLY), "2026-01-31", "2026-01-31",
     ["Every month, counted from Sat 31 Jan 2026: Sat 28 Feb 2026. February 2026 has no 31st, so its last day counts.",
      "At 17:00 by the clock of Europe/London."]),
    (Rule(Frequency.WEEKLY, every=2, basis=Basis.FLOATING), "2026-01-05", "2026-01-07",
     ["Every 2 weeks after it was last done, on Wed 7 Jan 2026: Wed 21 Jan 2026.",
      "At 17:00 by the clock of Europe/London."]),
    (Rule(Frequency.ANNUAL, shift=Shift.NEXT, calendar=OFFICE), "2026-12-25", None,
     ["Every year, and Fri 25 Dec 2026 is its first date.",
      "Fri 25 Dec 2026 is not worked (Christmas Day), so it is due on the next working day, Mon 28 Dec 2026.",
      "At 17:00 by the clock of Europe/London."]),
    (Rule(Frequency.DAILY, at=time(1, 30)), "2026-03-01", "2026-03-28",
     ["Every day, counted from Sun 1 Mar 2026: Sun 29 Mar 2026.", "At 02:30 by the clock of Europe/London.",
      "01:30 does not exist there on that day: the clocks go forward."]),
    (Rule(Frequency.DAILY, at=time(1, 30)), "2026-03-01", "2026-10-24",
     ["Every day, counted from Sun 1 Mar 2026: Sun 25 Oct 2026.", "At 01:30 by the clock of Europe/London.",
      "01:30 comes twice there on that day: the first one counts."]),
    (Rule(Frequency.AS_NEEDED, ceiling_days=90), "2026-01-01", None,
     ["It is done when it is needed; never done since Thu 1 Jan 2026, it is due after 90 days anyway: Wed 1 Apr 2026.",
      "At 17:00 by the clock of Europe/London."]),
    (Rule(Frequency.NTH_WEEKDAY, nth=-1, weekday=4), "2026-01-01", None,
     ["The last Friday of every month, from Thu 1 Jan 2026 on: Fri 30 Jan 2026.",
      "At 17:00 by the clock of Europe/London."]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "anchor", "done", "wanted"), EXPLAINED)
def test_a_due_date_explains_itself(rule, anchor, done, wanted):
    assert explain(rule, day(anchor), day(done) if done else None, LONDON) == wanted


RULES = st.one_of(
    st.builds(Rule, st.sampled_from([Frequency.DAILY, Frequency.WEEKLY]), every=st.integers(1, 30),
              basis=st.sampled_from(Basis), at=st.times()),
    st.builds(Rule, st.sampled_from([Frequency.MONTHLY, Frequency.ANNUAL]), every=st.integers(1, 10),
              basis=st.sampled_from(Basis), at=st.times(), shift=st.sampled_from(Shift), calendar=st.just(OFFICE)),
    st.builds(Rule, st.just(Frequency.NTH_WEEKDAY), nth=st.sampled_from([1, 2, 3, 4, -1]), weekday=st.integers(0, 6)),
    st.builds(Rule, st.just(Frequency.LAST_DAY), every=st.integers(1, 24)),
    st.builds(Rule, st.just(Frequency.AS_NEEDED), ceiling_days=st.integers(1, 1096)),
)  # fmt: skip


@given(RULES, st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(0, DAYS), st.sampled_from(ZONES))
def test_the_next_date_lies_after_the_last_and_explains_itself(rule, anchor, later, zone):
    first = following(rule, anchor, None, zone)
    second = following(rule, anchor, first.due_on + timedelta(days=later), zone, fulfilled=first)
    assert isinstance(second, Due)
    assert second.scheduled_on > first.scheduled_on or rule.frequency == Frequency.AS_NEEDED
    assert second.due_on > first.due_on
    assert all(explain(rule, anchor, first.due_on + timedelta(days=later), zone, fulfilled=first))


def test_the_dates_of_a_rule_have_no_gaps_wherever_they_are_asked_from():
    for rule, _ in AGREED.values():
        anchor = day("2026-01-31")
        every = [one for one, _ in zip(dates(rule, anchor), range(60), strict=False)]
        for one, other in pairwise(every):
            assert next(dates(rule, anchor, after=one)) == other
