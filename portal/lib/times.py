"""Moments and spans in the words of the portal. Pure functions: nothing here reads a clock.

Moments are shown in the active time zone (the reader's), and the zone is always named where the moment is exact.
"""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from portal.lib import durations
from portal.lib.durations import HOUR, MINUTE


def exact(moment: datetime) -> str:
    """The moment to the second with its zone: "Tue 17 Nov 2026, 13:48:02 GMT"."""
    local = timezone.localtime(moment)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"


def in_utc(moment: datetime) -> str:
    """The moment to the minute in UTC, for words that are kept: "Tue 17 Nov 2026, 13:48 UTC"."""
    there = moment.astimezone(UTC)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M} UTC"


def day(moment: datetime, now: datetime) -> str:
    """The local day: "Thu 19 Nov", with the year when it is not the year of `now`."""
    local, here = timezone.localtime(moment), timezone.localtime(now)
    year = "" if local.year == here.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}"


def clock(moment: datetime) -> str:
    """The local hour and minute: "13:48"."""
    return f"{timezone.localtime(moment):%H:%M}"


def relative(moment: datetime, now: datetime) -> str:
    """How far the moment is from `now`: "38 min ago", "in 12 min", "tomorrow 10:00"; a day away, its date."""
    seconds = round((moment - now).total_seconds())
    return _ahead(moment, now, seconds) if seconds > 0 else _past(moment, now, -seconds)


def distance(moment: datetime, now: datetime) -> str:
    """As `relative`, but a day away and farther in days: "in 4 days", "28 days ago". For beside the date itself."""
    days = (timezone.localtime(moment).date() - timezone.localtime(now).date()).days
    if -2 < days < 2:
        return relative(moment, now)
    return f"in {days:,} days" if days > 0 else f"{-days:,} days ago"


def _ahead(moment: datetime, now: datetime, seconds: int) -> str:
    if seconds < 2 * HOUR:
        return f"in {_coarse(seconds)}"
    days = (timezone.localtime(moment).date() - timezone.localtime(now).date()).days
    if days == 0:
        return f"today {clock(moment)}"
    if days == 1:
        return f"tomorrow {clock(moment)}"
    return day(moment, now)


def _past(moment: datetime, now: datetime, seconds: int) -> str:
    if seconds < HOUR:
        return f"{_coarse(seconds)} ago"
    days = (timezone.localtime(now).date() - timezone.localtime(moment).date()).days
    if seconds < 12 * HOUR or days == 0:
        return f"{seconds // HOUR} h ago"
    return "yesterday" if days == 1 else day(moment, now)


def _coarse(seconds: int) -> str:
    return durations.words(seconds - seconds % MINUTE if seconds >= MINUTE else seconds)


def duration(span: float | timedelta) -> str:
    """A span in words, to the second below ten minutes: "52 s", "4 min 08 s", "38 min", "2 h 06 min", "3 days 4 h".

    `span`: seconds or a timedelta.
    """
    seconds = _seconds(span)
    return durations.words(seconds) if seconds < 10 * MINUTE else _coarse(seconds)


def stopwatch(span: float | timedelta) -> str:
    """A running span in figures: "38:12", from an hour on "1:38:12". `span`: seconds or a timedelta."""
    seconds = _seconds(span)
    hours, rest = divmod(seconds, HOUR)
    minutes, left = divmod(rest, MINUTE)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def _seconds(span: float | timedelta) -> int:
    return abs(int(span.total_seconds() if isinstance(span, timedelta) else span))
