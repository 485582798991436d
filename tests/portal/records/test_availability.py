"""Availability gross and net: windows leave net altogether, what overlaps counts once, clock changes do nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.records.availability import availability, in_percent

SINCE = datetime(2026, 10, 1, tzinfo=UTC)  # both clocks go back within the month after
UNTIL = SINCE + timedelta(days=40)
HOUR = timedelta(hours=1)
ZONES = [UTC, ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]


def spans():
    minutes = st.integers(-5000, 70_000)
    return st.lists(st.tuples(minutes, st.integers(0, 9000)).map(_span), max_size=12)


def _span(found):
    start = SINCE + timedelta(minutes=found[0])
    return start, start + timedelta(minutes=found[1])


def figures(outages, windows):
    return availability(outages, windows, since=SINCE, until=UNTIL)


@given(spans(), spans())
def test_both_are_shares_and_net_is_that_of_the_time_outside_of_windows(outages, windows):
    found = figures(outages, windows)
    assert 0 <= found.gross <= 1
    assert timedelta(0) <= found.excluded <= min(found.outage, found.planned)
    assert max(found.outage, found.planned) <= found.total
    assert (found.net is None) == (found.planned == found.total)
    assert found.net is None or 0 <= found.net <= 1


@given(spans(), spans())
def test_what_breaks_within_windows_alone_leaves_net_whole(outages, windows):
    found = figures(outages, [*windows, *outages])
    assert found.net in (1, None)


@given(spans(), spans())
def test_minutes_agree_with_counting_them_one_by_one(outages, windows):
    def minutes(given):
        whole = int((UNTIL - SINCE).total_seconds() // 60)
        first = [int((start - SINCE).total_seconds() // 60) for start, _ in given]
        last = [int((end - SINCE).total_seconds() // 60) for _, end in given]
        return {m for a, b in zip(first, last, strict=True) for m in range(max(a, 0), min(b, whole))}

    found = figures(outages, windows)
    assert found.outage == timedelta(minutes=len(minutes(outages)))
    assert found.excluded == timedelta(minutes=len(minutes(outages) & minutes(windows)))
    assert found.planned == timedelta(minutes=len(minutes(windows)))


@given(spans(), spans())
def test_saying_a_thing_twice_changes_nothing(outages, windows):
    assert figures(outages * 2, windows + windows[::-1]) == figures(outages, windows)


@given(spans(), spans(), st.sampled_from(ZONES))
def test_the_zone_that_moments_are_given_in_makes_no_difference(outages, windows, zone):
    def moved(given):
        return [(start.astimezone(zone), end.astimezone(zone)) for start, end in given]

    local = availability(moved(outages), moved(windows), since=SINCE.astimezone(zone), until=UNTIL.astimezone(zone))
    assert local == figures(outages, windows)


@given(spans())
def test_without_windows_both_are_the_same_and_with_a_window_over_all_nothing_is_left_to_say(outages):
    assert figures(outages, []).net == figures(outages, []).gross
    covered = figures(outages, [(SINCE - HOUR, UNTIL + HOUR)])
    assert (covered.net, covered.net_words) == (None, "none")


def test_more_windows_never_hide_an_outage_outside_of_them():
    outage = [(SINCE, SINCE + HOUR)]
    few, many = ([(UNTIL - hours * HOUR, UNTIL)] for hours in (1, 100))
    assert figures(outage, many).net < figures(outage, few).net < figures(outage, []).net


def test_an_hour_of_outage_half_within_a_window():
    found = figures([(SINCE, SINCE + HOUR)], [(SINCE + HOUR / 2, SINCE + 3 * HOUR)])
    assert (found.outage, found.excluded) == (HOUR, HOUR / 2)
    assert (found.gross_words, found.net_words) == ("99.895 %", "99.947 %")


def test_only_what_was_there_all_the_time_says_a_hundred():
    assert in_percent(1) == "100 %"
    assert in_percent(1 - 1e-9) == "99.999 %"


def test_no_time_at_all_is_refused():
    with pytest.raises(ValueError, match="no time"):
        availability([], [], since=SINCE, until=SINCE)
