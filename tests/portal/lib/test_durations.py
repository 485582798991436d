import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.durations import DAY, HOUR, MINUTE, minutes, parse, words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (52, "52 s"),
        (60, "1 min"),
        (248, "4 min 08 s"),
        (38 * MINUTE, "38 min"),
        (2 * HOUR, "2 h"),
        (2 * HOUR + 6 * MINUTE, "2 h 06 min"),
        (DAY, "1 day"),
        (3 * DAY + 4 * HOUR + 59, "3 days 4 h"),
        (-90, "1 min 30 s"),
        (59.99, "59 s"),
    ],
)
def test_a_span_in_words(seconds, text):
    assert words(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (43 * MINUTE + 46, "43 min"),
        (2 * HOUR + 6 * MINUTE + 59, "2 h 06 min"),
        (3 * DAY + 59, "3 days"),
        (-90, "1 min"),
    ],
)
def test_a_span_told_to_others_has_no_seconds(seconds, text):
    assert minutes(seconds) == text


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90 min", timedelta(minutes=90)),
        ("4 h", timedelta(hours=4)),
        ("1 d", timedelta(days=1)),
        ("2 h 06 min", timedelta(hours=2, minutes=6)),
        ("3 days 4 h", timedelta(days=3, hours=4)),
        (" 1.5H ", timedelta(minutes=90)),
        ("15minutes", timedelta(minutes=15)),
        ("2 weeks", timedelta(days=14)),
        ("30 secs", timedelta(seconds=30)),
    ],
)
def test_a_span_that_somebody_wrote(text, span):
    assert parse(text) == span


@pytest.mark.parametrize("text", ["", "soon", "90", "-5 min", "4 h later", "5 min 4", "9" * 70 + " s"])
def test_what_is_no_span_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="Write a span such as 90 min"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"), [("4 parsecs", "“parsecs” is no unit"), ("200 weeks 5 d 99999 d", "century")]
)
def test_a_wrong_unit_and_too_long_a_span_say_so(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(text)


@given(st.integers(0, HOUR - 1))
def test_below_an_hour_words_lose_nothing(seconds):
    assert parse(words(seconds)) == timedelta(seconds=seconds)


@given(st.integers(0, 90 * 366 * DAY))
def test_words_never_say_more_and_lose_less_than_their_smaller_unit(seconds):
    lost = seconds - parse(words(seconds)).total_seconds()
    assert 0 <= lost < (1 if seconds < HOUR else MINUTE if seconds < DAY else HOUR)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(text):
    with contextlib.suppress(ValueError):
        assert parse(text) >= timedelta(0)
