"""The rules of maintenance windows as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType

from maintenance.enums import WindowState
from maintenance.policy import Refused
from portal.lib.blank import is_blank

PREFIX = "MNW"
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=7)
FARTHEST = timedelta(days=366)
"""How far ahead a window is planned."""
EARLY = timedelta(hours=1)
"""How long before its start somebody may begin it by hand."""
OVERRUN_AFTER = (timedelta(0), timedelta(hours=1), timedelta(hours=4))
"""How long after its end a window that goes on is shouted about; after that every day."""
DAY = timedelta(days=1)

# verb: {state before: state after}
WINDOW: MappingProxyType[str, dict[WindowState, WindowState]] = MappingProxyType(
    {
        "begin": {WindowState.SCHEDULED: WindowState.IN_PROGRESS},
        "move": {WindowState.SCHEDULED: WindowState.SCHEDULED},
        "cancel": {WindowState.SCHEDULED: WindowState.CANCELLED},
        "verify": {WindowState.IN_PROGRESS: WindowState.VERIFYING},
        "work on": {WindowState.VERIFYING: WindowState.IN_PROGRESS},
        "complete": {WindowState.VERIFYING: WindowState.COMPLETED},
        "end by itself": {WindowState.IN_PROGRESS: WindowState.COMPLETED},
        "extend": {
            WindowState.IN_PROGRESS: WindowState.IN_PROGRESS,
            WindowState.VERIFYING: WindowState.VERIFYING,
        },
    }
)
NEEDS_REASON = frozenset({"move", "cancel", "work on", "extend"})

_S = WindowState
_REFUSALS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("begin", _S.IN_PROGRESS): "It is in progress already.",
        ("begin", _S.VERIFYING): "The work is done and is being verified. Take the work up again if something is left.",
        ("move", _S.IN_PROGRESS): "It is in progress. Extend it if its time does not suffice.",
        ("move", _S.VERIFYING): "It is being verified. Extend it if its time does not suffice.",
        ("cancel", _S.IN_PROGRESS): "It is in progress. Say that the work is over, verify and complete it.",
        ("cancel", _S.VERIFYING): "The work was done. Complete it once the systems are verified.",
        ("verify", _S.SCHEDULED): "It has not begun yet. Begin it first.",
        ("verify", _S.VERIFYING): "It is being verified already.",
        ("complete", _S.SCHEDULED): "It has not begun yet. Cancel it if it is not needed any more.",
        ("complete", _S.IN_PROGRESS): "Verify its systems first: say that the work is over, look, then complete it.",
        ("extend", _S.SCHEDULED): "It has not begun yet. Move it to another time instead.",
        ("work on", _S.IN_PROGRESS): "The work goes on already.",
    }
)


def next_window_state(verb: str, state: str) -> WindowState:
    """Return the state that a verb leads a window to; Refused is raised where it leads nowhere from here."""
    before = WindowState(state)
    after = WINDOW[verb].get(before)
    if after is None:
        is_over = before in (WindowState.COMPLETED, WindowState.CANCELLED)
        usual = f"This window is {before.label.lower()}" + (
            ". Plan another one." if is_over else f": you cannot {verb} it."
        )
        raise Refused(_REFUSALS.get((verb, before)) or usual)
    return after


def check_window_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


def check_times(
    starts_at: datetime, ends_at: datetime, *, at: datetime, slack: timedelta = timedelta(minutes=5)
) -> None:
    """Refuse a window that ends before it starts, lies in the past, too far ahead, or is too short or too long."""
    if ends_at <= starts_at:
        raise Refused("It would end before it starts. Give an end after its start.")
    if starts_at < at - slack:
        raise Refused("Its start has passed. Give one that is still to come, or open a window by hand now.")
    if starts_at > at + FARTHEST:
        raise Refused("That is more than a year ahead. Check the date.")
    check_length(ends_at - starts_at)


def check_length(length: timedelta) -> None:
    """Refuse a window that is too short to be one, or so long that pages would be held back for a week."""
    if length < SHORTEST:
        raise Refused("A window lasts five minutes at least. Give a later end.")
    if length > LONGEST:
        raise Refused("A window lasts seven days at most: as long as it lasts, nobody is paged. Plan several.")


def may_begin(starts_at: datetime, *, at: datetime) -> bool:
    """Tell whether its time is near enough to begin it by hand."""
    return at >= starts_at - EARLY


def check_begin(starts_at: datetime, *, at: datetime) -> None:
    """Refuse to begin a window long before its time."""
    if not may_begin(starts_at, at=at):
        raise Refused(
            "It begins by itself at its time, and by hand within the hour before. Move it if you work earlier."
        )


def next_shout(ends_at: datetime, *, at: datetime) -> datetime:
    """Return when an overrun that goes on is shouted about next: never a moment that has passed."""
    for after in OVERRUN_AFTER:
        if ends_at + after > at:
            return ends_at + after
    last = ends_at + OVERRUN_AFTER[-1]
    return last + DAY * ((at - last) // DAY + 1)
