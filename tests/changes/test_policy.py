"""The life of a change as a table."""

import pytest

from changes.enums import ChangeType, Outcome, Status
from changes.policy import NEEDS_REASON, TRANSITIONS, Ends, Refused, can, check_close, check_reason, next_status

EVERY = [(verb, status) for verb in TRANSITIONS for status in Status]


@pytest.mark.parametrize(("verb", "status"), EVERY)
def test_every_verb_leads_on_or_is_refused_with_a_sentence(verb, status):
    if can(verb, status):
        assert next_status(verb, status) in Status
    else:
        with pytest.raises(Refused) as refused:
            next_status(verb, status)
        assert str(refused.value).endswith(".")


def test_nothing_leaves_closed_and_cancelled():
    assert not [verb for verb in TRANSITIONS if can(verb, Status.CLOSED) or can(verb, Status.CANCELLED)]


def test_only_starting_leads_to_in_progress_and_to_verifying_only_verifying():
    ways = {verb for verb, moves in TRANSITIONS.items() if Status.IN_PROGRESS in moves.values()}
    assert ways == {"start", "start as an emergency", "roll back"}
    assert {verb for verb, moves in TRANSITIONS.items() if Status.VERIFYING in moves.values()} == {"verify"}


@pytest.mark.parametrize("verb", sorted(NEEDS_REASON))
def test_a_verb_that_weighs_asks_why(verb):
    with pytest.raises(Refused, match="Say in a sentence why"):
        check_reason(verb, " \u200b")


@pytest.mark.parametrize(
    ("type_", "outcome", "ends", "sentence"),
    [
        (ChangeType.NORMAL, Outcome.SUCCESSFUL, Ends(rolled_back=True), "It was rolled back"),
        (ChangeType.NORMAL, Outcome.ROLLED_BACK, Ends(review="Yes"), "never rolled back"),
        (ChangeType.NORMAL, Outcome.FAILED, Ends(), "post-implementation review"),
        (ChangeType.EMERGENCY, Outcome.SUCCESSFUL, Ends(), "post-implementation review"),
        (ChangeType.NORMAL, Outcome.SUCCESSFUL, Ends(demands=["A review is open."]), "A review is open"),
    ],
)
def test_an_end_that_does_not_fit_is_refused(type_, outcome, ends, sentence):
    with pytest.raises(Refused, match=sentence):
        check_close(type_, outcome, ends)
