"""One look at everything that is due: deadlines first, then the messages that they decided, then exports.

Every caller is an edge (a Celery task, `manage.py sweep`, the demo): it reads the clock and passes it in. Any number of
sweeps may run side by side; the claim of a deadline or a message is what keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from changes.sweeps import sweep_changes
from incidents import sweeps
from maintenance.sweeps import sweep_maintenance
from portal.actions.sweeps import sweep_actions
from portal.approvals.sweeps import sweep_approvals
from portal.assurance.exporting import sweeps as exports
from portal.assurance.sweeps import sweep_reviews
from portal.dashboard import custody
from portal.dashboard.duty import telling as duty
from portal.deadlines import services as deadlines
from portal.directory.sheet import delivering as sheet
from portal.notify import services as notify
from portal.runbooks.sweeps import sweep_runbooks

Clock = Callable[[], datetime]
DEADLINES = "deadlines"  # the name under which the pulse of the deadline sweep is kept
MOST_ROUNDS = 20  # a sweep ends before the next one but a few: the rest waits two seconds
MOST_BATCHES = 50
SWEEPS = (
    *(sweeps.sweep_incidents, sweep_approvals, sweep_actions, sweep_runbooks, sweep_changes, sweep_maintenance),
    sweep_reviews,
)


def sweep_deadlines(*, now: Clock) -> int:
    """Fire what is due in every domain and mark the pulse; return how many deadlines were settled.

    A full batch is followed by another one, so that a burst is worked off at once.
    """
    settled = 0
    for _ in range(MOST_ROUNDS):
        at = now()
        found = sum(sweep(at=at) for sweep in SWEEPS)
        deadlines.mark_sweep(DEADLINES, at=at)
        duty.look(at=at)
        custody.look(at=at)
        settled += found
        if not found:
            break
    return settled


def send_messages(*, now: Clock, lanes: list[str] | None = None) -> int:
    """Send what waits in the given lanes, in all of them when none is given; return how many were tried."""
    tried = 0
    for lane in lanes if lanes is not None else notify.lanes():
        for _ in range(MOST_BATCHES):
            found = notify.send_lane(lane, now=now)
            tried += found
            if not found:
                break
    return tried


def make_exports(*, now: Clock) -> int:
    """Make the files that are asked for, let old ones expire, and take the contact sheet off the machine each night.

    Return how many exports were taken.
    """
    take_sheet_away(now=now)
    return exports.make_exports(now=now)


def take_sheet_away(*, now: Clock) -> int:
    """Take the contact sheet off the machine once a night; return how many ways were tried."""
    return sheet.nightly(now=now)


def sweep_once(*, now: Clock, only: str = "") -> dict[str, int]:
    """Sweep deadlines, then messages, then exports; `only` names one of them to leave out the others."""
    parts: dict[str, Callable[[], int]] = {
        "deadlines": partial(sweep_deadlines, now=now),
        "messages": partial(send_messages, now=now),
        "exports": partial(make_exports, now=now),
    }
    return {name: part() if only in {"", name} else 0 for name, part in parts.items()}
