"""The table of custody: what fits when, and a sentence for everything that does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.records.evidence.enums import State
from portal.records.evidence.policy import ONLY_UNSEALED, TRANSITIONS, Refused, can, next_state


@given(st.sampled_from(sorted(TRANSITIONS)), st.sampled_from(State), st.booleans())
def test_every_verb_leads_on_or_is_refused_with_a_sentence(verb, state, sealed):
    if can(verb, state, sealed=sealed):
        assert next_state(verb, state, sealed=sealed) in State
    else:
        with pytest.raises(Refused, match=r"^[A-Z].*\.$"):
            next_state(verb, state, sealed=sealed)


@given(st.lists(st.sampled_from(sorted(TRANSITIONS)), max_size=30))
def test_release_is_the_end_whatever_is_tried(verbs):
    state, sealed, released = State.HELD, False, False
    for verb in verbs:
        if can(verb, state, sealed=sealed):
            state = next_state(verb, state, sealed=sealed)
            sealed = sealed or verb == "seal"
        released = released or state == State.RELEASED
        assert not released or state == State.RELEASED
        assert not (sealed and any(can(closed, state, sealed=sealed) for closed in ONLY_UNSEALED))


def test_it_is_read_in_every_state():
    assert all(can(verb, state, sealed=True) for verb in ("view", "download", "verify") for state in State)
