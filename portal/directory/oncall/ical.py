"""On-call as a calendar file: turns out, and the events of a file in. Pure: no query, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

LARGEST = 512 * 1024
MOST_EVENTS = 200
MOST_COMPONENTS = 2000
LONGEST = timedelta(days=366)
TOO_OFTEN = {"SECONDLY", "MINUTELY"}


class Unreadable(ValueError):
    """The file is no calendar that can be taken in; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Out:
    """One event that is written: its name for good, its title, and its time."""

    uid: str
    title: str
    starts: datetime
    until: datetime
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Into:
    """One event that was read: its title, the people it names by address, and its time."""

    title: str
    addresses: tuple[str, ...]
    starts: datetime
    until: datetime


def write(name: str, events: Iterable[Out], *, at: datetime, zone: ZoneInfo, product: str = "On call") -> bytes:
    """Return a calendar of these events, with times in that zone and the zone's rules beside them."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//Watchbook//{product}//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval;value=duration", "PT1H")
    for one in events:
        event = icalendar.Event()
        event.add("uid", one.uid)
        event.add("summary", one.title)
        event.add("dtstamp", at.astimezone(UTC))
        event.add("dtstart", one.starts.astimezone(zone))
        event.add("dtend", one.until.astimezone(zone))
        event.add("transp", "TRANSPARENT")
        if one.detail:
            event.add("description", one.detail)
        if one.url:
            event.add("url", one.url)
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return calendar.to_ical()


def read(content: bytes, *, starts: datetime, until: datetime, zone: ZoneInfo) -> list[Into]:
    """Return the events of a file in that time, repeating ones date by date, in order.

    Times without a zone are those of `zone`. Unreadable is raised with a sentence for what is no calendar, too large,
    or holds too many events.
    """
    if len(content) > LARGEST:
        raise Unreadable(f"The file is larger than {LARGEST // 1024} KB. Export a shorter time.")
    try:
        return _within(_calendar(content), starts, until, zone)
    except Unreadable:
        raise
    except Exception as problem:  # the libraries raise many kinds for what is garbage
        raise Unreadable("The file cannot be read as a calendar. Export it again as iCalendar (.ics).") from problem


def _calendar(content: bytes) -> icalendar.Calendar:
    calendar = icalendar.Calendar.from_ical(content)
    if not isinstance(calendar, icalendar.Calendar):
        raise Unreadable("The file holds no calendar. Choose a file whose name ends in .ics.")
    if len(calendar.subcomponents) > MOST_COMPONENTS:
        raise Unreadable(f"The file holds more than {MOST_COMPONENTS:,} entries. Export a shorter time.")
    return calendar


def _within(calendar: icalendar.Calendar, starts: datetime, until: datetime, zone: ZoneInfo) -> list[Into]:
    for component in calendar.walk("VEVENT"):
        rules = component.get("rrule", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if {str(one).upper() for one in rule.get("FREQ", [])} & TOO_OFTEN:
                raise Unreadable("The file holds an entry that repeats every minute or oftener. Take it out first.")
    occurrences = recurring_ical_events.of(calendar, skip_bad_series=True).between(starts, until)
    if len(occurrences) > MOST_EVENTS:
        raise Unreadable(f"The file holds more than {MOST_EVENTS} turns in this time. Export a shorter one.")
    found = [_event(event, zone) for event in occurrences]
    return sorted(
        (one for one in found if one.until > max(one.starts, starts)),
        key=lambda one: (one.starts, one.until, one.title),
    )


def _event(event: icalendar.Event, zone: ZoneInfo) -> Into:
    starts, until = _moment(event.start, zone), _moment(event.end, zone)
    if until - starts > LONGEST:
        until = starts + LONGEST
    named = event.get("attendee", [])
    attendees = named if isinstance(named, list) else [named]
    addresses = tuple(str(one).lower().removeprefix("mailto:") for one in attendees[:10])
    return Into(" ".join(str(event.get("summary", "")).split())[:200], addresses, starts, until)


def _moment(given: date | datetime, zone: ZoneInfo) -> datetime:
    """Return a day or a time of a file as a moment in UTC."""
    moment = given if isinstance(given, datetime) else datetime.combine(given, time(0))
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
