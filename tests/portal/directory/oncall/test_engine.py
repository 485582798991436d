"""Rotations against a brute-force oracle: the clock on the wall, read minute by minute."""

# ruff: noqa: DTZ001 - the clock on the wall shows no zone

from array import array
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.directory.oncall import engine, hours
from portal.directory.oncall.engine import Rotation, Segment

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe")
MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
TWO_YEARS = timedelta(days=730)
# The clock changes of these zones, and what is a quiet week for all of them.
CHANGES = (
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 7, 1, tzinfo=UTC),
)
EPOCH = datetime(2000, 1, 1)


@cache
def shown(zone, starts, minutes):
    """Return for each minute the latest time that the clock on the wall has shown so far, in minutes."""
    found, latest = array("l"), 0
    here = ZoneInfo(zone)
    for number in range(-4 * 60, minutes):
        wall = (starts + number * MINUTE).astimezone(here).replace(tzinfo=None)
        latest = max(latest, (wall - EPOCH) // MINUTE)
        if number >= 0:
            found.append(latest)
    return found


def rotation(zone="Europe/London", people=3, first=datetime(2026, 1, 5, 9), step=timedelta(days=7), **more):
    return Rotation(
        1, tuple(range(1, people + 1)), ZoneInfo(zone), first, step, **{"starts": START - timedelta(days=400), **more}
    )


def oracle(rota, zone, starts, minutes):
    """Return who holds the duty at each minute: the turn whose time the clock has shown last."""
    first, step = (rota.first - EPOCH) // MINUTE, rota.step // MINUTE
    count = len(rota.members)
    return [rota.members[(wall - first) // step % count] for wall in shown(zone, starts, minutes)]


def told(segments, starts, minutes):
    """Return who holds the duty at each minute by segments that follow one another without gap or overlap."""
    assert segments[0].starts == starts
    assert segments[-1].until == starts + minutes * MINUTE
    assert all(one.until == two.starts for one, two in pairwise(segments))
    found = []
    for one in segments:
        assert (one.until - one.starts) % MINUTE == timedelta()
        found += [one.contact_id] * ((one.until - one.starts) // MINUTE)
    return found


steps = st.one_of(
    st.integers(1, 72).map(lambda n: timedelta(hours=n)),
    st.integers(1, 10).map(lambda n: timedelta(days=n)),
    st.integers(1, 3).map(lambda n: timedelta(weeks=n)),
)
firsts = st.builds(
    datetime.combine,
    st.dates(date(2025, 6, 1), date(2027, 6, 1)),
    st.times(max_value=time(4)).map(lambda t: t.replace(second=0, microsecond=0)),
) | st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1)).map(lambda d: d.replace(second=0, microsecond=0))


@settings(max_examples=60)
@given(st.sampled_from(ZONES), st.sampled_from(CHANGES), firsts, steps, st.integers(1, 5))
def test_one_person_holds_each_minute_around_every_clock_change(zone, change, first, step, people):
    starts, minutes = change - timedelta(days=2), 4 * 24 * 60
    rota = rotation(zone, people, first, step)
    assert told(rota.segments(starts, starts + minutes * MINUTE), starts, minutes) == oracle(
        rota, zone, starts, minutes
    )


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=8)
@given(firsts, steps, st.integers(1, 5))
def test_one_person_holds_each_minute_of_two_years(zone, first, step, people):
    minutes = TWO_YEARS // MINUTE
    rota = rotation(zone, people, first, step)
    assert told(rota.segments(START, START + TWO_YEARS), START, minutes) == oracle(rota, zone, START, minutes)


# Hours of the week as they are written, and as spans of minutes from Monday on: the night of a Friday ends on Saturday.
WEEK = 7 * 24 * 60
NIGHTS = ("Mon-Fri 18:00-09:00", [(day * 1440 + 18 * 60, day * 1440 + 33 * 60) for day in range(5)])
SUNDAYS = ("Sun 01:15-02:45", [(6 * 1440 + 75, 6 * 1440 + 165)])  # where clocks change
ALWAYS = ("", [(0, WEEK)])
MONDAY = (datetime(2000, 1, 3) - EPOCH) // MINUTE

near_a_change = st.builds(
    lambda change, minutes: (change - START) // MINUTE + minutes, st.sampled_from(CHANGES), st.integers(-180, 180)
)
takings = st.lists(
    st.tuples(
        near_a_change | st.integers(-5000, TWO_YEARS // MINUTE),
        st.integers(1, 300) | st.integers(1, 30 * 24 * 60),
        st.integers(11, 14),
    ),
    max_size=30,
)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=5)
@given(st.tuples(firsts, steps), st.tuples(firsts, steps), st.sampled_from([NIGHTS, SUNDAYS, ALWAYS]), takings)
def test_layers_and_overrides_leave_one_person_for_each_minute_of_two_years(zone, below, above, hours_of, by_hand):
    minutes = TWO_YEARS // MINUTE
    lower = rotation(zone, 3, *below)
    upper = rotation(zone, 4, *above, windows=hours.parse(hours_of[0]))
    painted = array("b", oracle(lower, zone, START, minutes))
    times = {minute % WEEK for first, last in hours_of[1] for minute in range(first, last)}
    for minute, (wall, who) in enumerate(
        zip(shown(zone, START, minutes), oracle(upper, zone, START, minutes), strict=True)
    ):
        if (wall - MONDAY) % WEEK in times:
            painted[minute] = who
    by_hand = sorted(by_hand, key=lambda one: one[0])  # of those that overlap, the one that started last counts
    for first, length, who in by_hand:
        painted[max(first, 0) : max(first + length, 0)] = array("b", [who]) * len(
            painted[max(first, 0) : max(first + length, 0)]
        )
    shifts = [Segment(START + a * MINUTE, START + (a + b) * MINUTE, who, ("shift", 1)) for a, b, who in by_hand]
    end = START + TWO_YEARS
    held = engine.stack([lower.segments(START, end), upper.segments(START, end), engine.overrides(shifts, START, end)])
    assert told(held, START, minutes) == list(painted)


@given(st.sampled_from(ZONES), st.sampled_from(CHANGES), firsts, steps, st.integers(-3000, 3000))
def test_a_moment_and_a_stretch_of_time_say_the_same(zone, change, first, step, minutes):
    rota, at = rotation(zone, 4, first, step), change + minutes * MINUTE
    found = rota.segments(at - timedelta(days=1), at + timedelta(days=1))
    assert [one.contact_id for one in found if one.starts <= at < one.until] == [rota.holder(at)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_handoff_at_nine_stays_at_nine_all_year(zone):
    found = rotation(zone).segments(START, START + TWO_YEARS)
    assert {engine.wall(one.starts, ZoneInfo(zone)).time() for one in found[1:]} == {time(9)}


def test_an_hour_that_is_skipped_hands_over_when_the_skipping_is_done():
    london = ZoneInfo("Europe/London")
    assert engine.first_moment(datetime(2026, 3, 29, 1, 30), london) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # its clock is put forward by half an hour
    assert engine.first_moment(datetime(2026, 10, 4, 2, 15), lord_howe) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


def test_an_hour_that_comes_twice_hands_over_the_first_time():
    assert engine.first_moment(datetime(2026, 10, 25, 1, 30), ZoneInfo("Europe/London")) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@given(st.sampled_from([*ZONES, "Pacific/Apia", "UTC"]), st.lists(firsts, min_size=2, max_size=2).map(sorted))
def test_a_later_time_on_the_wall_is_never_an_earlier_moment(zone, times):
    early, late = (engine.first_moment(one, ZoneInfo(zone)) for one in times)
    assert early <= late


def test_a_layer_counts_only_in_its_hours():
    rota = rotation(step=timedelta(days=1), windows=hours.parse("Mon-Fri 18:00-09:00"))
    monday = datetime(2026, 6, 1, tzinfo=UTC)  # in London an hour ahead
    assert rota.holder(monday + timedelta(hours=16, minutes=59)) is None
    assert rota.holder(monday + timedelta(hours=17)) is not None
    assert rota.holder(monday + timedelta(hours=31, minutes=59)) is not None
    assert rota.holder(monday + timedelta(hours=32)) is None
    assert rota.holder(monday - timedelta(hours=1)) is None  # the night of a Sunday is not in its hours


@given(st.sampled_from(ZONES), st.sampled_from(CHANGES), steps, st.integers(-6000, 6000))
def test_hours_say_the_same_of_a_moment_and_of_a_stretch_of_time(zone, change, step, minutes):
    rota = rotation(zone, step=step, windows=hours.parse("Mon-Fri 18:00-09:00; Sat 01:15-02:20; Sun 00:00-24:00"))
    at = change + minutes * MINUTE
    found = rota.segments(at - timedelta(days=3), at + timedelta(days=3))
    held = [one.contact_id for one in found if one.starts <= at < one.until]
    assert held == ([] if (who := rota.holder(at)) is None else [who])
    assert all(one.until <= two.starts for one, two in pairwise(found))


def test_a_working_calendar_narrows_the_hours():
    worked = {date(2026, 6, 1): (time(9), time(17))}
    rota = rotation(working=worked.get)
    assert [(one.starts.hour, one.until.hour) for one in rota.segments(START, START + TWO_YEARS)] == [(8, 16)]
    both = rotation(working=worked.get, windows=hours.parse("Mon 12:00-20:00"))
    assert [(one.starts.hour, one.until.hour) for one in both.segments(START, START + TWO_YEARS)] == [(11, 16)]


def test_a_layer_counts_from_its_beginning_until_its_end():
    rota = rotation(starts=START, until=START + timedelta(days=10))
    assert rota.holder(START - MINUTE) is None
    assert rota.holder(START) is not None
    assert rota.holder(START + timedelta(days=10)) is None
    assert rota.segments(START - TWO_YEARS, START + TWO_YEARS)[-1].until == START + timedelta(days=10)
    assert rotation(people=0).segments(START, START + TWO_YEARS) == []


# Layers and overrides against the simplest thing that could be right: a list with a cell for each hour.

HOURS = 60
pieces = st.lists(st.integers(0, HOURS), max_size=10, unique=True).map(sorted)


def at_hour(number):
    return START + timedelta(hours=number)


@st.composite
def layers(draw):
    cuts = draw(pieces)
    spans = [pair for pair in pairwise(cuts) if draw(st.booleans())]
    return [Segment(at_hour(a), at_hour(b), draw(st.integers(1, 4)), ("layer", 1)) for a, b in spans]


shifts = st.lists(
    st.builds(
        lambda a, b, who: Segment(at_hour(a), at_hour(a + b), who, ("shift", 1)),
        st.integers(-5, HOURS + 5),
        st.integers(1, 30),
        st.integers(1, 4),
    ),
    max_size=8,
)


def cells(segments):
    """Paint the segments one after the other."""
    found = [None] * HOURS
    for one in segments:
        for hour in range(HOURS):
            if one.starts <= at_hour(hour) < one.until:
                found[hour] = one.contact_id
    return found


@given(st.lists(layers(), max_size=4), shifts)
def test_whatever_lies_on_top_holds_each_hour_once(stacked, by_hand):
    over = engine.overrides(by_hand, START, at_hour(HOURS))
    found = engine.stack([*stacked, over])
    painted = [one for layer in stacked for one in layer] + sorted(by_hand, key=lambda one: one.starts)
    assert cells(found) == cells(painted)
    assert all(one.until <= two.starts for one, two in pairwise(found))
    assert all(one.starts < one.until for one in found)
    assert cells(engine.merged(found)) == cells(found)


@given(layers())
def test_gaps_are_what_nobody_holds(held):
    found = engine.gaps(held, START, at_hour(HOURS))
    empty = cells(Segment(first, last, 9) for first, last in found)
    assert [who is None for who in cells(held)] == [who == 9 for who in empty]
