"""The table of a step: what fits when, a sentence for all that does not, and what no order of verbs can break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.runbooks.checklists.enums import SETTLED, StepState
from portal.runbooks.checklists.policy import NEEDS_REASON, TRANSITIONS, Refused, can, check_reason, next_state

VERBS = sorted(TRANSITIONS)


@given(st.sampled_from(VERBS), st.sampled_from(StepState))
def test_every_verb_leads_on_or_is_refused_with_a_sentence(verb, state):
    if can(verb, state):
        assert next_state(verb, state) in StepState
    else:
        with pytest.raises(Refused, match=r"^[A-Z].*\.$"):
            next_state(verb, state)


@given(st.lists(st.sampled_from(VERBS), max_size=40))
def test_whatever_is_tried_a_settled_step_opens_again_only_by_undoing(verbs):
    state = StepState.OPEN
    for verb in verbs:
        before = state
        if can(verb, state):
            state = next_state(verb, state)
        if before in {StepState.DONE, StepState.SKIPPED} and state != before:
            assert (verb, state) == ("undo", StepState.OPEN)
        if before == StepState.LEFT and state != before:
            assert (verb, state) == ("resume", StepState.OPEN)
        if state in SETTLED:
            assert can("undo", state)


@given(st.sampled_from(sorted(NEEDS_REASON)), st.sampled_from(["", "  ", "\u200b"]))
def test_a_verb_that_needs_a_reason_says_so(verb, reason):
    with pytest.raises(Refused, match=r"^Say in a sentence .*\.$"):
        check_reason(verb, reason)


def test_every_state_is_reached_and_left():
    reached = {after for moves in TRANSITIONS.values() for before, after in moves.items() if before != after}
    left = {before for moves in TRANSITIONS.values() for before, after in moves.items() if before != after}
    assert reached == left == set(StepState)
