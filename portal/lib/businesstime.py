"""Business days: when a promise "by the end of the next business day" falls due, and why. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_FARTHEST_DAYS = 400


@dataclass(frozen=True)
class WorkCalendar:
    """Working days and hours in one place.

    `weekdays` are the working days, Monday is 0. `days_off` names holidays; `extra_days` names days that are worked
    whatever else is true of them. Opening and closing times are local times of `zone`.
    """

    name: str
    zone: ZoneInfo
    weekdays: frozenset[int]
    opens: time
    closes: time
    days_off: Mapping[date, str] = field(default_factory=dict)
    extra_days: Mapping[date, str] = field(default_factory=dict)

    def is_business_day(self, day: date) -> bool:
        """Tell whether `day` is worked."""
        if day in self.extra_days:
            return True
        return day.weekday() in self.weekdays and day not in self.days_off

    def why_not(self, day: date) -> str:
        """Return why `day` is not worked: the holiday's name, or "weekend"."""
        return self.days_off.get(day) or "weekend"


def end_of_business_day(calendar: WorkCalendar, start: datetime, days: int) -> tuple[datetime, list[str]]:
    """Return the closing time of the n-th business day after the local date of `start`, in UTC, and why.

    The sentences name every day that was skipped, and every extra day that counted. ValueError is raised when `days`
    is below 1, or when the calendar has no working day for more than a year.
    """
    if days < 1:
        raise ValueError("Count at least one business day.")
    day = start.astimezone(calendar.zone).date()
    skipped: list[date] = []
    extra: list[date] = []
    left, idle = days, 0
    while left:
        day += timedelta(days=1)
        if calendar.is_business_day(day):
            left, idle = left - 1, 0
            if day in calendar.extra_days:
                extra.append(day)
        else:
            skipped.append(day)
            idle += 1
        if idle > _FARTHEST_DAYS:
            raise ValueError(f"The calendar {calendar.name} has no working day within a year. Give it working days.")
    due = datetime.combine(day, calendar.closes, calendar.zone).astimezone(UTC)
    return due, [*_skipped_sentences(calendar, skipped), *_extra_sentences(calendar, extra)]


def _skipped_sentences(calendar: WorkCalendar, days: list[date]) -> list[str]:
    sentences: list[str] = []
    run: list[date] = []
    for day in days:
        follows = run and day - run[-1] == timedelta(days=1) and calendar.why_not(day) == calendar.why_not(run[-1])
        if run and not follows:
            sentences.append(_skipped_sentence(calendar, run))
            run = []
        run.append(day)
    if run:
        sentences.append(_skipped_sentence(calendar, run))
    return sentences


def _skipped_sentence(calendar: WorkCalendar, run: list[date]) -> str:
    why = calendar.why_not(run[0])
    if len(run) == 1:
        return f"{_day(run[0])} is not counted: {why}."
    joint = "and" if len(run) == 2 else "to"
    return f"{_day(run[0])} {joint} {_day(run[-1])} are not counted: {why}."


def _extra_sentences(calendar: WorkCalendar, days: list[date]) -> list[str]:
    return [f"{_day(day)} is counted: {calendar.extra_days[day] or 'an extra working day'}." for day in days]


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
