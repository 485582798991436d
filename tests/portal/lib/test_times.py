"""Moments and spans are said in the words of the portal."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from portal.lib import times

NOW = datetime(2026, 11, 17, 14, 26, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _london():
    with timezone.override(ZoneInfo("Europe/London")):
        yield


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW, "0 s ago"),
        (NOW - timedelta(seconds=41), "41 s ago"),
        (NOW - timedelta(minutes=38), "38 min ago"),
        (NOW - timedelta(hours=2, minutes=6), "2 h ago"),
        (NOW - timedelta(hours=22, minutes=21), "yesterday"),
        (NOW - timedelta(days=5), "Thu 12 Nov"),
        (NOW - timedelta(days=400), "Mon 13 Oct 2025"),
        (NOW + timedelta(minutes=12), "in 12 min"),
        (NOW + timedelta(hours=1, minutes=34), "in 1 h 34 min"),
        (NOW + timedelta(hours=3, minutes=34), "today 18:00"),
        (NOW + timedelta(hours=19, minutes=34), "tomorrow 10:00"),
        (NOW + timedelta(days=2), "Thu 19 Nov"),
    ],
)
def test_a_moment_is_said_relative_to_now(moment, words):
    assert times.relative(moment, NOW) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW - timedelta(minutes=38), "38 min ago"),
        (NOW - timedelta(hours=22), "yesterday"),
        (NOW - timedelta(days=2), "2 days ago"),
        (NOW - timedelta(days=400), "400 days ago"),
        (NOW + timedelta(hours=19, minutes=34), "tomorrow 10:00"),
        (NOW + timedelta(days=1, hours=10), "in 2 days"),
        (NOW + timedelta(days=1400), "in 1,400 days"),
    ],
)
def test_beside_its_date_a_moment_is_so_many_days_away(moment, words):
    assert times.distance(moment, NOW) == words


def test_yesterday_is_a_day_of_the_readers_zone():
    late_evening_in_new_york = datetime(2026, 11, 17, 3, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("America/New_York")):
        assert times.relative(late_evening_in_new_york, NOW + timedelta(hours=4)) == "yesterday"
    assert times.relative(late_evening_in_new_york, NOW + timedelta(hours=4)) == "14 h ago"


def test_words_that_are_kept_give_a_moment_in_utc_whatever_zone_it_was_given_in():
    assert times.in_utc(datetime(2026, 7, 17, 13, 48, tzinfo=ZoneInfo("Europe/London"))) == "Fri 17 Jul 2026, 12:48 UTC"


def test_an_exact_moment_names_its_zone():
    moment = datetime(2026, 7, 17, 13, 48, 2, tzinfo=UTC)
    assert times.exact(moment) == "Fri 17 Jul 2026, 14:48:02 BST"
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        assert times.exact(moment) == "Fri 17 Jul 2026, 19:18:02 IST"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (52, "52 s"),
        (248, "4 min 08 s"),
        (38 * 60 + 12, "38 min"),
        (2 * 3600 + 6 * 60, "2 h 06 min"),
        (26 * 3600, "1 day 2 h"),
        (timedelta(minutes=15), "15 min"),
        (-193, "3 min 13 s"),
    ],
)
def test_a_span_is_said_no_finer_than_it_is_useful(seconds, words):
    assert times.duration(seconds) == words


@pytest.mark.parametrize(("seconds", "figures"), [(0, "0:00"), (2292, "38:12"), (5892, "1:38:12")])
def test_a_running_span_is_shown_as_a_stopwatch(seconds, figures):
    assert times.stopwatch(seconds) == figures
