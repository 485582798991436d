"""Working calendars as deadlines use them: a row of the directory with its public holidays and its own days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

import holidays

from portal.directory.models import Calendar, CalendarDay
from portal.lib.businesstime import WorkCalendar
from portal.lib.zones import zone_or_utc

LANGUAGE = "en_GB"  # holidays are named in it where the library can, else in the country's own language


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int) -> Mapping[date, str]:
    """Return the public holidays of one country, or one part of it, by date. Nothing for a country nobody knows."""
    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year, expand=False, language=_language(country)
        )
    except NotImplementedError:  # a country that a later version of the library no longer knows
        return MappingProxyType({})
    return MappingProxyType({day: name for day, name in sorted(found.items()) if day.year == year})


@lru_cache(maxsize=64)
def _language(country: str) -> str | None:
    known = holidays.country_holidays(country).supported_languages
    return next((language for language in (LANGUAGE, "en_US") if language in known), None)


class DaysOff(Mapping[date, str]):
    """The days off of a calendar by date: its own, and the public holidays of any year that is asked for.

    Iteration names the own days only, because the public ones have no end.
    """

    def __init__(self, country: str, subdivision: str, own: Mapping[date, str], working: Iterable[date]) -> None:
        self._country, self._subdivision = country, subdivision
        self._own, self._working = dict(own), frozenset(working)

    def __getitem__(self, day: date) -> str:
        if day in self._own:
            return self._own[day]
        if not self._country or day in self._working:
            raise KeyError(day)
        return public_holidays(self._country, self._subdivision, day.year)[day]

    def __iter__(self) -> Iterator[date]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def build(calendar: Calendar, own_days: Iterable[CalendarDay]) -> WorkCalendar:
    """Return the row as a working calendar. `own_days` are its lines; they win over the public holidays."""
    days = list(own_days)
    off = {day.date: day.name for day in days if not day.is_working}
    extra = {day.date: day.name for day in days if day.is_working}
    return WorkCalendar(
        name=calendar.name,
        zone=zone_or_utc(calendar.time_zone),
        weekdays=frozenset(int(number) for number in calendar.weekdays.split(",")),
        opens=calendar.opens,
        closes=calendar.closes,
        days_off=DaysOff(calendar.country, calendar.subdivision, off, extra),
        extra_days=extra,
    )
