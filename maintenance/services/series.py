"""The verbs of a series of windows: begin it, end it, and make its windows ahead of their time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from maintenance import window_policy as policy
from maintenance.enums import WindowKind, WindowState
from maintenance.models import Window, WindowSeries
from maintenance.policy import Refused
from maintenance.schedule import Impossible, check, dates, due_on
from maintenance.services.common import SYSTEM, say
from maintenance.services.windows import cancel_locked, keep
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.directory.models import System
from portal.lib.blank import is_blank
from portal.records import services as records

AHEAD = timedelta(days=28)
"""How long before its time a window of a series stands; the next one always does."""
MOST_AT_ONCE = 100
COLUMNS = frozenset(
    ("title", "note", "frequency", "every", "nth", "weekday", "rule", "anchor", "start_time", "minutes", "time_zone")
) | {"closes_itself"}


def start_series(
    values: Mapping[str, Any], systems: Iterable[System], *, by: By, at: datetime, reason: str = ""
) -> WindowSeries:
    """Begin a series; its next windows stand at once. Refused says what cannot be."""
    unknown = set(values) - COLUMNS
    if unknown:
        raise ValueError(f"A series has no {', '.join(sorted(unknown))} to write.")
    named = list(systems)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        series = WindowSeries(**values)
        stamp(series, "made", by=by, at=at)
        _check(series, named)
        series.save()
        series.systems.set(named)
        if not open_series(series, by=by, at=at):
            raise Refused("By this rule none of its windows is still to come. Choose another one.")
    return series


def _check(series: WindowSeries, systems: list[System]) -> None:
    if is_blank(series.title):
        raise Refused("Say in a few words what is done.")
    if not systems:
        raise Refused("Name at least one system: only of those named is nobody paged.")
    try:
        series.clean_fields(exclude=["made_at", "made_by"])
        check(series.as_rule(), series.anchor)
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from None
    except Impossible as problem:
        raise Refused(str(problem)) from None
    policy.check_length(timedelta(minutes=series.minutes))


def open_series(series: WindowSeries, *, by: By = SYSTEM, at: datetime) -> int:
    """Make the windows of a series that fall into the weeks ahead, the next one at least; return how many.

    The caller holds its lock. What passed while nothing ran is left out: nobody was to be told of it. So is what would
    have begun before the series was planned: nobody excuses a failure afterwards.
    """
    last = series.windows.order_by("-scheduled_on").values_list("scheduled_on", flat=True).first()
    made = 0
    for day in _coming(series, last, at=at):
        due = due_on(series.as_rule(), day, series.zone)
        ends_at = due.due_at + timedelta(minutes=series.minutes)
        if ends_at <= at or due.due_at < series.made_at:
            continue
        stands = made or (last is not None and series.windows.filter(ends_at__gt=at).exists())
        if due.due_at > at + AHEAD and stands:
            break
        _make(series, day, due.due_at, ends_at, by=by, at=at)
        made += 1
        if made >= MOST_AT_ONCE:
            break
    return made


def _coming(series: WindowSeries, last: date | None, *, at: datetime) -> Iterable[date]:
    yesterday = at.astimezone(series.zone).date() - timedelta(days=8)
    after = max(last, yesterday) if last is not None else yesterday
    try:
        yield from dates(series.as_rule(), series.anchor, after=after)
    except Impossible:
        return


def _make(series: WindowSeries, day: date, starts_at: datetime, ends_at: datetime, *, by: By, at: datetime) -> None:
    window = Window(
        reference=records.next_reference(policy.PREFIX), title=series.title, note=series.note, series=series,
        kind=WindowKind.RECURRING, scheduled_on=day, starts_at=starts_at, ends_at=ends_at,
        closes_itself=series.closes_itself,
    )  # fmt: skip
    stamp(window, "made", by=by, at=at)
    window.save()
    window.systems.set(series.systems.all())
    keep(window, at=at)
    say(window, "planned", f"planned it by its rule: {series.as_rule().phrase}", by=by, at=at)


@transaction.atomic
def open_ahead(*, at: datetime) -> int:
    """Make the windows that every series lacks in the weeks ahead; return how many. Any number of these may run."""
    held = WindowSeries.objects.filter(ended_at=None).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return sum(open_series(series, at=at) for series in held)


def end_series(series: WindowSeries, *, by: By, at: datetime, reason: str = "") -> WindowSeries:
    """End a series: its windows that have not begun are cancelled. Refused is raised for one that has ended."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        row: WindowSeries = WindowSeries.objects.select_for_update(of=("self",)).get(pk=series.pk)
        if row.ended_at is not None:
            raise Refused(f"It was ended already, by {row.ended_by}.")
        policy.check_window_reason("cancel", reason)
        stamp(row, "ended", by=by, at=at)
        row.save()
        waiting = row.windows.filter(state=WindowState.SCHEDULED).order_by("pk")
        for window in waiting.select_for_update(of=("self",)):
            cancel_locked(window, by=by, at=at, reason=reason)
    return row
