"""The life of a message to an audience: what fits where, and the sentence where it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.communications.policy import TRANSITIONS, can, check_editable, checked_words, next_state
from incidents.enums import CommunicationState as State
from incidents.policy import Refused

ENDS = {State.SENT, State.WITHDRAWN}


@given(st.lists(st.sampled_from(sorted(TRANSITIONS))))
def test_nothing_leaves_sent_and_withdrawn_and_nothing_is_sent_twice(verbs):
    state, sent = State.DRAFTED, 0
    for verb in verbs:
        if can(verb, state):
            assert state not in ENDS
            state = next_state(verb, state)
            sent += verb == "send"
        else:
            with pytest.raises(Refused, match=r"\.$"):
                next_state(verb, state)
    assert sent <= 1


def test_what_waits_for_its_approval_cannot_go_out():
    with pytest.raises(Refused, match="waits for its approval"):
        next_state("send", State.WAITING)


@pytest.mark.parametrize("state", sorted(ENDS))
def test_the_words_of_what_ended_stay(state):
    with pytest.raises(Refused, match="Write a new message"):
        check_editable(state)


@pytest.mark.parametrize(
    ("subject", "text", "sentence"),
    [
        (" ", "x", "Give it a subject"),
        ("x", "\u200b", "Write what you tell them"),
        ("x" * 201, "x", "The subject has 201 characters"),
        ("x", "x" * 4001, "That is 4001 characters"),
    ],
)
def test_empty_and_endless_words_are_refused(subject, text, sentence):
    with pytest.raises(Refused, match=sentence):
        checked_words(subject, text)


def test_a_subject_stands_on_one_line():
    assert checked_words("a\r\nBcc: x", " b ") == ("a Bcc: x", "b")
