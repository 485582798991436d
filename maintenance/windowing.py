"""What the engine does for windows: begins and ends them at their time, and shouts when one overruns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from maintenance import window_messages as messages
from maintenance import window_policy as policy
from maintenance.enums import WindowState
from maintenance.models import Window
from maintenance.services.common import SYSTEM, say
from maintenance.services.windows import BEGIN, WINDOW, begin_locked, end_locked
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.lib import durations

OVERRUN = "overrun"
Batch = list[tuple[Deadline, Window]]


def sweep_windows(*, at: datetime) -> int:
    """Move every window whose time has come, and return how many deadlines fired."""
    fired = 0
    with acting(by=SYSTEM, origin="task", at=at, reason="The time of the window had come."):
        while True:
            count = deadlines.fire_due(kinds=[WINDOW], at=at, lock=lock, handle=handle).count
            fired += count
            if not count:
                return fired


def lock(ids: list[int], _at: datetime) -> Mapping[int, Window]:
    """Lock the windows in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Window.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return {row.pk: row for row in rows}


def handle(batch: Batch, at: datetime) -> None:
    """Begin, end or shout, in the order in which it was due."""
    for deadline, window in batch:
        if deadline.key == BEGIN:
            if window.state == WindowState.SCHEDULED and window.starts_at <= at:
                begin_locked(window, by=SYSTEM, at=at)
        elif window.state == WindowState.IN_PROGRESS and window.closes_itself and window.ends_at <= at:
            end_locked(window, at=at)
        elif window.is_running and window.ends_at <= at:
            _shout(window, deadline, at=at)


def _shout(window: Window, deadline: Deadline, *, at: datetime) -> None:
    """Tell the contacts of its systems and the managers that a window goes on after its end, and when to say so again.

    What an outage held back is said once.
    """
    late = durations.words((at - window.ends_at).total_seconds())
    told = messages.tell(
        window, kind=messages.OVERRUN, key=f"{deadline.key}:{deadline.generation}", at=at, also=messages.managers()
    )
    detail = " ".join(filter(None, ["From its end on people are paged as usual.", messages.words_of(told)]))
    since = f" by {late}" if (at - window.ends_at).total_seconds() >= 60 else ""
    say(window, OVERRUN, f"saw it overrun its end{since}", by=SYSTEM, at=at, detail=detail)
    shouted = deadlines.of(window, [WINDOW]).filter(key=OVERRUN).count()
    deadlines.start(
        kind=WINDOW, subject=window, key=OVERRUN, generation=shouted + 1, started_at=window.ends_at,
        due_at=policy.next_shout(window.ends_at, at=at),
    )  # fmt: skip
