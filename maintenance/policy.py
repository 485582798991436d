"""The rules of maintenance as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import MappingProxyType

from maintenance.enums import PlanState, State
from portal.lib import times
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal

PREFIX = "MNT"
BACKUP = "BKP"
RESTORE = "RST"
MOST_GRACE = 366  # days
MOST_LEAD = 366
EARLIEST = 1970  # the year
SILENCE_LEVEL = 3  # of the incident that a silent backup opens, or the nearest that is no worse
ANSWER_WITHIN = timedelta(minutes=5)
CLOCK_SLACK = timedelta(minutes=5)  # by which the clock of a machine that reports may be ahead


class Refused(Refusal):
    """A verb does not fit the plan or the occurrence as it stands. The sentence is shown to the user."""


class NotYours(Refused):
    """Whoever acts has no part in this act, however the occurrence stands."""


# verb: {state before: state after}
PLAN: MappingProxyType[str, dict[PlanState, PlanState]] = MappingProxyType(
    {
        "put in force": {PlanState.DRAFT: PlanState.IN_FORCE},
        "revise": {PlanState.DRAFT: PlanState.DRAFT, PlanState.IN_FORCE: PlanState.IN_FORCE},
        "retire": {PlanState.DRAFT: PlanState.RETIRED, PlanState.IN_FORCE: PlanState.RETIRED},
        "take up again": {PlanState.RETIRED: PlanState.DRAFT},
    }
)
OCCURRENCE: MappingProxyType[str, dict[State, State]] = MappingProxyType(
    {
        "complete": {State.OPEN: State.COMPLETED},
        "hand in": {State.OPEN: State.TO_SIGN},
        "sign off": {State.TO_SIGN: State.COMPLETED},
        "send back": {State.TO_SIGN: State.OPEN},
        "skip": {State.OPEN: State.SKIPPED},
        "withdraw": {State.OPEN: State.WITHDRAWN, State.TO_SIGN: State.WITHDRAWN},
    }
)
NEEDS_REASON = frozenset({"skip", "send back", "retire", "take up again", "withdraw"})

_REFUSALS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("complete", State.TO_SIGN): "It is done already and waits for somebody else to sign it off.",
        ("hand in", State.TO_SIGN): "It is done already and waits for somebody else to sign it off.",
        ("complete", State.COMPLETED): "It was done already. The next date has its own line.",
        ("hand in", State.COMPLETED): "It was done already. The next date has its own line.",
        ("sign off", State.OPEN): "It is not done yet. Whoever does it hands it in first.",
        ("sign off", State.COMPLETED): "It was signed off already, or asks for no signature.",
        ("skip", State.TO_SIGN): "It is done already. Sign it off, or send it back with what is missing.",
        ("put in force", PlanState.IN_FORCE): "This plan is in force already.",
        ("put in force", PlanState.RETIRED): "This plan was retired. Take it up again first.",
        ("revise", PlanState.RETIRED): "This plan was retired and stands as it was. Take it up again first.",
        ("retire", PlanState.RETIRED): "This plan was retired already.",
    }
)


def next_plan_state(verb: str, state: str) -> PlanState:
    """Return the state that a verb leads a plan to; Refused is raised where it leads nowhere from here."""
    before = PlanState(state)
    after = PLAN[verb].get(before)
    if after is None:
        raise Refused(_REFUSALS.get((verb, before)) or f"This plan is {before.label.lower()}: you cannot {verb} it.")
    return after


def next_state(verb: str, state: str) -> State:
    """Return the state that a verb leads an occurrence to; Refused is raised where it leads nowhere from here."""
    before = State(state)
    after = OCCURRENCE[verb].get(before)
    if after is None:
        raise Refused(_REFUSALS.get((verb, before)) or f"This one is {before.label.lower()}: you cannot {verb} it.")
    return after


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


def check_done_at(done_at: datetime, *, starts_at: datetime, at: datetime, late: bool, why: str) -> None:
    """Refuse a completion in the future, before its start, or on an earlier day without a reason.

    `late` says that the day it was done is not the day it is written down; `why` is the reason for that.
    """
    if done_at > at:
        raise Refused("It cannot have been done in the future. Give the moment at which it was done.")
    if done_at < starts_at:
        raise Refused(
            f"It cannot have been done before {times.exact(starts_at)}: what was done until then counts for the date "
            "before."
        )
    if late and is_blank(why):
        raise Refused("It was done on an earlier day. Say in a sentence why it is written down only now.")


def check_years(*moments: date | None) -> None:
    """Refuse a day or a moment of which somebody has mistyped the year."""
    if any(moment is not None and moment.year < EARLIEST for moment in moments):
        raise Refused(f"That is before {EARLIEST}. Check the year.")


def check_run(
    started_at: datetime | None, finished_at: datetime, newest_data_at: datetime | None, *, at: datetime
) -> None:
    """Refuse a run of a backup that cannot have been: in the future, over before it began, with data from after it."""
    check_years(started_at, finished_at, newest_data_at)
    if finished_at > at + CLOCK_SLACK:
        raise Refused("It cannot have finished in the future. Check the clock of the machine that makes the backup.")
    if started_at is not None and started_at > finished_at:
        raise Refused("It ends before it starts. Check the two moments.")
    if newest_data_at is not None and newest_data_at > finished_at:
        raise Refused("It cannot hold data that is newer than its end. Check the moment of the newest data.")


def check_restore(
    started_at: datetime, ended_at: datetime, newest_recovered_at: datetime | None, *, at: datetime
) -> None:
    """Refuse a restore that is faster than physics, lies in the future, or brought back what was not there yet."""
    check_years(started_at, ended_at, newest_recovered_at)
    if ended_at > at + CLOCK_SLACK:
        raise Refused("It cannot have ended in the future. Record it once it is over.")
    if ended_at <= started_at:
        raise Refused("It ends before it starts, or as it starts. Check the two moments.")
    if newest_recovered_at is not None and newest_recovered_at > started_at:
        raise Refused("What came back cannot be newer than the beginning of the test. Check the moment of the data.")
