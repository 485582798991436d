"""The rules of an export as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from types import MappingProxyType

from portal.assurance.exporting.enums import ExportState
from portal.lib.refusals import Refusal

LEASE = timedelta(minutes=3)  # longer than any step between two signs of life
TRIES = 3
LONGEST_WORK = timedelta(hours=2)
MOST_WAITING = 10  # of one person
KEEP_DAYS = 30  # until an administrator writes another rule
NARROWED = (
    "You may see less than when this file was made, so it is not handed out any more. Ask for it again; it then holds "
    "what you may see now."
)


class Refused(Refusal):
    """An export cannot be asked for, made or fetched. The sentence is shown to whoever asked."""


class TryLater(Exception):
    """An export cannot be made just now, for a reason that passes by itself."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[ExportState, ExportState]] = MappingProxyType(
    {
        "take": {ExportState.WAITING: ExportState.WORKING, ExportState.WORKING: ExportState.WORKING},
        "put back": {ExportState.WORKING: ExportState.WAITING},
        "finish": {ExportState.WORKING: ExportState.DONE},
        "fail": {ExportState.WAITING: ExportState.FAILED, ExportState.WORKING: ExportState.FAILED},
        "expire": {ExportState.DONE: ExportState.EXPIRED},
    }
)

_NOT_READY: MappingProxyType[ExportState, str] = MappingProxyType(
    {
        ExportState.WAITING: "This export is not made yet. It arrives in your inbox when it is.",
        ExportState.WORKING: "This export is being made. It arrives in your inbox when it is ready.",
        ExportState.FAILED: "This export failed, so there is no file. Ask for it again.",
        ExportState.EXPIRED: "The file of this export has expired. Ask for it again; it is made as things stand then.",
    }
)


def next_state(verb: str, state: str) -> ExportState:
    """Return the state that `verb` leads to; Refused is raised when it leads nowhere from here."""
    before = ExportState(state)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        raise Refused(f"This export is {before.label.lower()}: it cannot {verb}.")
    return after


def states_before(verb: str) -> list[str]:
    """Return the states from which `verb` leads on, for a condition in the database."""
    return [state.value for state in TRANSITIONS[verb]]


def check_fetch(state: str, *, is_requester: bool) -> None:
    """Raise Refused with its sentence unless the file can be fetched by this reader."""
    if not is_requester:
        raise Refused("Only whoever asked for an export fetches its file. Ask for one of your own.")
    if state != ExportState.DONE:
        raise Refused(_NOT_READY[ExportState(state)])


def check_rights(then: Iterable[str], now: Iterable[str]) -> None:
    """Raise Refused when the reader has lost any of the rights that the file was made with."""
    if set(then) - set(now):
        raise Refused(NARROWED)


def can_fetch(state: str, *, is_requester: bool) -> bool:
    """Tell whether the file can be fetched by this reader."""
    try:
        check_fetch(state, is_requester=is_requester)
    except Refused:
        return False
    return True


def percent(done: int, total: int | None) -> int:
    """Return how much is made, from 0 to 99: it is 100 only once the file is there."""
    return min(99, done * 100 // total) if total else 0


def too_long(started_at: datetime, at: datetime) -> bool:
    """Tell whether the making has taken longer than one export may."""
    return at - started_at > LONGEST_WORK
