"""Calendar files out and in: what is written is read back, what is garbage is refused with a sentence."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.directory.oncall import ical
from portal.directory.oncall.ical import Out

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HALF_A_YEAR = timedelta(days=183)


def read(content):
    return ical.read(content, starts=NOW, until=NOW + HALF_A_YEAR, zone=LONDON)


def calendar(*lines):
    events = "\r\n".join(lines)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}\r\nEND:VCALENDAR\r\n".encode()


def event(*lines):
    return ["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"]


@given(st.lists(st.integers(0, 4000), max_size=6, unique=True).map(sorted))
def test_what_is_written_is_read_back_over_a_clock_change(hours):
    moments = [NOW + timedelta(hours=hour) for hour in hours]
    out = [Out(f"{n}@x", f"Mei {n}", one, one + timedelta(minutes=30)) for n, one in enumerate(moments)]
    content = ical.write("On call", out, at=NOW, zone=LONDON)
    assert [(one.title, one.starts, one.until) for one in read(content)] == [(o.title, o.starts, o.until) for o in out]


def test_the_rules_of_the_zone_stand_in_the_file():
    content = ical.write("On call", [Out("1@x", "Mei", NOW, NOW + timedelta(days=9))], at=NOW, zone=LONDON)
    assert b"BEGIN:VTIMEZONE" in content
    assert b"TZID=Europe/London" in content


def test_a_repeating_entry_is_read_date_by_date_at_the_same_hour():
    lines = event(
        "SUMMARY:Mei", "DTSTART;TZID=Europe/London:20260323T090000", "DURATION:P7D", "RRULE:FREQ=WEEKLY;COUNT=2"
    )
    first, second = read(calendar(*lines))
    assert (first.starts, first.until) == (
        datetime(2026, 3, 23, 9, tzinfo=UTC),
        datetime(2026, 3, 30, 8, tzinfo=UTC),  # 09:00 in summer
    )
    assert second.starts == first.until


def test_a_day_and_a_time_without_a_zone_are_those_of_the_reader():
    found = read(calendar(*event("SUMMARY:Mei", "DTSTART;VALUE=DATE:20260401", "DTEND;VALUE=DATE:20260402",
                                 "ATTENDEE:mailto:Mei@Example.org")))  # fmt: skip
    assert [(one.starts, one.addresses) for one in found] == [
        (datetime(2026, 3, 31, 23, tzinfo=UTC), ("mei@example.org",))
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read"),
        (b"\x00\xff\xfe", "cannot be read"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT", "cannot be read"),
        (b"x" * (ical.LARGEST + 1), "larger than 512 KB"),
        (calendar(*event("DTSTART:20260401T000000Z", "RRULE:FREQ=SECONDLY")), "every minute or oftener"),
        (calendar(*event("DTSTART:20260401T000000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY")), "more than 200 turns"),
        (b"\r\n".join(event_line.encode() for event_line in event("DTSTART:20260401T000000Z")), "no calendar"),
    ],
)
def test_garbage_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(ical.Unreadable, match=sentence):
        read(content)


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: calendar(*event(text))))
def test_any_file_is_read_or_refused(content):
    with suppress(ical.Unreadable):
        read(content)
