"""The rules of a step as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from types import MappingProxyType

from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal
from portal.runbooks.checklists.enums import SETTLED, StepState

PREFIX = "CHK"
MOST_STEPS = 400
LONGEST_STEP = 500


class Refused(Refusal):
    """Something does not fit the step as it stands. The sentence is shown to the user."""


class Taken(Refused):
    """It was done already. The sentence names who was first and the time; `own` says that it was whoever asks."""

    def __init__(self, sentence: str, *, own: bool = False) -> None:
        super().__init__(sentence)
        self.own = own


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[StepState, StepState]] = MappingProxyType(
    {
        "tick": {StepState.OPEN: StepState.DONE, StepState.FAILED: StepState.DONE},
        "fail": {StepState.OPEN: StepState.FAILED},
        "skip": {StepState.OPEN: StepState.SKIPPED, StepState.FAILED: StepState.SKIPPED},
        "undo": dict.fromkeys(SETTLED, StepState.OPEN),
        "hand over": {state: state for state in (StepState.OPEN, StepState.FAILED)},
        "note": {state: state for state in StepState},
        "attach": {state: state for state in StepState},
        "end": {StepState.OPEN: StepState.LEFT},
        "resume": {StepState.LEFT: StepState.OPEN},
    }
)
NEEDS_REASON = frozenset({"fail", "skip", "undo", "end", "resume"})

OVER = "This checklist has ended. Resume it first; that takes a reason."
SUBJECT_OVER = "{subject} is over, so no checklist is worked for it any more."
NO_PLAN = "“{name}” has no steps, so there is nothing to work."
ONCE = "“{name}” was started already. Go on with it, or resume it."
_NOTHING_TO_UNDO = "Nothing was done with this step yet, so there is nothing to undo."
_WHY = MappingProxyType(
    {
        "fail": "Say in a sentence what went wrong. It is kept.",
        "skip": "Say in a sentence why this step is left out. It is kept.",
        "undo": "Say in a sentence why it is opened again. What happened before stays in the record.",
        "end": "Say in a sentence why it ends with steps left open. It is kept.",
        "resume": "Say in a sentence why it goes on. It is kept.",
    }
)


def next_state(verb: str, state: str) -> StepState:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = StepState(state)
    after = TRANSITIONS[verb].get(before)
    if after is not None:
        return after
    if before == StepState.LEFT:
        raise Refused(OVER)
    if verb == "undo":
        raise Refused(_NOTHING_TO_UNDO)
    raise Refused(f"It is {before.label.lower()} already, so you cannot {verb} it. Undo it first.")


def can(verb: str, state: str) -> bool:
    """Tell whether `verb` fits a step that stands so."""
    return StepState(state) in TRANSITIONS[verb]


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(_WHY[verb])
