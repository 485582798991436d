"""The window board: what goes on now, what is next, what overruns and what was done; and one window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import Http404

from maintenance.enums import WindowKind, WindowState
from maintenance.looks import OVERRUN, WINDOW_LOOKS, Look
from maintenance.models import Window
from portal.directory.models import System
from portal.lib.visibility import in_scope
from portal.records import availability, linking
from portal.records.availability import Availability
from portal.records.models import Period

LATELY = timedelta(days=14)
MOST_AHEAD, MOST_DONE = 60, 30
SLOT = "change"
SPANS = (7, 30, 90)
"""Over how many days availability is shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A window as the board shows it. `done` is how much of its time is gone, in percent."""

    window: Window
    look: Look
    systems: str
    done: int

    @property
    def is_late(self) -> bool:
        """Whether it was completed after its end."""
        ended = self.window.completed_at
        return ended is not None and ended > self.window.ends_at + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board for one reader."""

    overrun: list[Line]
    now: list[Line]
    ahead: list[Line]
    done: list[Line]
    more: int


@dataclass(frozen=True, slots=True)
class Slot:
    """What a window is filled in with from a change: its name, its systems and its time."""

    record: Any
    reference: str
    title: str
    systems: list[System] = field(default_factory=list)
    starts: datetime | None = None
    ends: datetime | None = None


def look_of_window(window: Window, *, at: datetime) -> Look:
    """Return how a window looks now."""
    return OVERRUN if window.is_overrunning(at) else WINDOW_LOOKS[window.state]


def windows_for(user: Any) -> Any:
    """Return the windows that a reader may see, with their systems."""
    return Window.objects.visible_to(user).select_related("series").prefetch_related("systems")


def window_for(user: Any, reference: str) -> Window:
    """Return the window with this reference; Http404 is raised when there is none that the reader may see."""
    found: Window | None = windows_for(user).filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No window {reference} can be seen.")
    return found


def board_of(user: Any, *, at: datetime, system: System | None = None) -> Board:
    """Return the board, of one system or of all. Eight queries, however much there is."""
    rows = windows_for(user)
    if system is not None:
        rows = rows.filter(systems=system)
    running = [line_of(row, at=at) for row in rows.running().order_by("ends_at", "pk")]
    ahead = rows.filter(state=WindowState.SCHEDULED)
    over = rows.filter(state__in=[WindowState.COMPLETED, WindowState.CANCELLED], ends_at__gt=at - LATELY)
    done = [line_of(row, at=at) for row in over.order_by("-ends_at", "-pk")[:MOST_DONE]]
    return Board(
        [line for line in running if line.window.is_overrunning(at)],
        [line for line in running if not line.window.is_overrunning(at)],
        [line_of(row, at=at) for row in ahead.order_by("starts_at", "pk")[:MOST_AHEAD]],
        done,
        max(ahead.count() - MOST_AHEAD, 0),
    )


def line_of(window: Window, *, at: datetime) -> Line:
    """Return a window as the board shows it."""
    starts = min(window.begun_at or window.starts_at, window.starts_at)
    gone = (at - starts) / max(window.ends_at - starts, timedelta(seconds=1))
    names = ", ".join(system.name for system in window.systems.all())
    return Line(window, look_of_window(window, at=at), names, max(0, min(100, round(gone * 100))))


@dataclass(frozen=True, slots=True)
class Share:
    """One system with its figures."""

    system: System
    figures: Availability


@dataclass(frozen=True, slots=True)
class Shares:
    """The availability of the systems that had an outage or a window, the worst first, and other times to choose."""

    days: int
    rows: list[Share]
    tabs: list[tuple[int, str, bool]]


def shares_of(user: Any, days: int, *, at: datetime, system: System | None = None) -> Shares | None:
    """Return the availability of the last days; nothing where no system had an outage or a window. Two queries."""
    rows = System.objects.visible_to(user).filter(active=True)
    systems = {one.pk: one for one in (rows if system is None else rows.filter(pk=system.pk))}
    found = availability.read(list(systems), since=at - timedelta(days=days), until=at, user=user)
    named = f"&system={system.slug}" if system is not None else ""
    tabs = [(number, f"?days={number}{named}#avail", number == days) for number in SPANS]

    def worst_first(pk: int) -> tuple[float, float, str]:
        net = found[pk].net
        return 2.0 if net is None else net, found[pk].gross, systems[pk].name

    ordered = sorted(found, key=worst_first)
    return Shares(days, [Share(systems[pk], found[pk]) for pk in ordered], tabs) if found else None


def slot_of(user: Any, reference: str) -> Slot | None:
    """Return the slot of a change that a reader may see; nothing where there is none.

    The change is known by its reference and its periods alone: this part of the portal knows no model of it.
    """
    record = linking.by_reference(reference, user=user)
    if record is None:
        return None
    rows = _slots(record, user)
    systems = [row.system for row in rows]
    title = str(getattr(record, "title", "") or record)
    if not rows:
        return Slot(record, str(getattr(record, "reference", "")), title)
    return Slot(record, rows[0].reference, title, systems, rows[0].starts, rows[0].ends)


def _slots(record: models.Model, user: Any) -> list[Period]:
    type_ = ContentType.objects.get_for_model(record)
    rows = in_scope(Period.objects.filter(record_type=type_, record_id=record.pk, kind=SLOT), user)
    return list(rows.exclude(ends=None).select_related("system").order_by("system__name"))


def strays(window: Window, user: Any) -> Slot | None:
    """Return the slot of the change that a window was made for, where it is at another time by now."""
    if not window.change or window.state != WindowState.SCHEDULED:
        return None
    slot = slot_of(user, window.change)
    if slot is None or (slot.starts is not None and (slot.starts, slot.ends) == (window.starts_at, window.ends_at)):
        return None
    return slot


def siblings(window: Window, user: Any) -> Collection[Window]:
    """Return the next windows of the same series."""
    if window.kind != WindowKind.RECURRING:
        return []
    rows = windows_for(user).filter(series=window.series_id, starts_at__gt=window.starts_at)
    return list(rows.order_by("starts_at")[:5])
