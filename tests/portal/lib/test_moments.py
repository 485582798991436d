"""A moment that somebody types is read on their clock, also in the nights on which it changes."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.utils import timezone

from portal.lib.moments import MomentField


def read(words, zone="Europe/London"):
    with timezone.override(zone):
        return MomentField(required=False).clean(words)


@pytest.mark.parametrize(
    ("words", "zone", "wanted"),
    [
        ("2026-11-17T13:48", "Europe/London", datetime(2026, 11, 17, 13, 48, tzinfo=UTC)),
        ("2026-10-25T01:30", "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # it comes twice
        ("2027-03-28T01:30", "Europe/London", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # it never comes
        ("2026-11-01T01:30", "America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-11-17T13:48Z", "Asia/Tokyo", datetime(2026, 11, 17, 13, 48, tzinfo=UTC)),
        ("", "Europe/London", None),
    ],
)
def test_a_moment_is_read_on_the_readers_clock(words, zone, wanted):
    assert read(words, zone) == wanted


@pytest.mark.parametrize("words", ["0001-01-01T00:00", "1969-12-31T12:00", "2200-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_mistyped_year_is_refused_with_a_sentence(words, zone):
    with pytest.raises(forms.ValidationError, match="Check the year"):
        read(words, zone)


def test_what_is_no_moment_is_refused():
    with pytest.raises(forms.ValidationError):
        read("tomorrow")
