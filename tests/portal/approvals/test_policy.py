"""The states of a request and of its stages, and who may decide."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.approvals import policy
from portal.approvals.enums import LIVE, RequestState, StageState
from portal.approvals.policy import Person, Refused
from portal.approvals.shown import Moved
from tests.factories.directory import NOON

ENDS = {"denied", "expired", "voided", "withdrawn", "final"}
OPEN = SimpleNamespace(position=1, name="Management", role="Manager", state="open")


def asked(**fields):
    plain = {"state": "pending", "requester_id": 1, "requester_name": "Kwame", "implementer_id": None, "outcome": ""}
    return SimpleNamespace(**{**plain, "decide_by": NOON + timedelta(hours=1), **fields})


def manager(**fields):
    return Person(**{"user_id": 7, "active": True, "roles": frozenset({"Manager"}), **fields})


@pytest.mark.parametrize("state", RequestState)
@pytest.mark.parametrize("verb", policy.TRANSITIONS)
def test_a_verb_leads_where_the_table_says_or_is_refused_with_a_sentence(verb, state):
    after = policy.TRANSITIONS[verb].get(state)
    if after is None:
        with pytest.raises(Refused) as refused:
            policy.next_state(verb, state)
        assert str(refused.value).endswith(".")
    else:
        assert policy.next_state(verb, state) == after


def test_nothing_leaves_an_end():
    lead_on = {before.value for moves in policy.TRANSITIONS.values() for before in moves}
    assert lead_on == {state.value for state in LIVE}
    assert {state.value for state in RequestState} == lead_on | ENDS


def test_every_state_can_be_reached():
    reached = {after for moves in policy.TRANSITIONS.values() for after in moves.values()} | {RequestState.PENDING}
    assert reached == set(RequestState)
    stages = {after for moves in policy.STAGE_TRANSITIONS.values() for after in moves.values()} | {StageState.WAITING}
    assert stages == set(StageState)


def test_a_manager_may_decide_on_what_others_ask():
    policy.check_decide(asked(), OPEN, manager(), at=NOON)
    assert policy.can_decide(asked(), OPEN, manager(), at=NOON)


@pytest.mark.parametrize(
    ("request_", "person", "sentence"),
    [
        (asked(requester_id=7), manager(), policy.OWN),
        (asked(implementer_id=7), manager(), policy.IMPLEMENTER),
        (asked(), manager(decided=True), policy.TWICE),
        (asked(), manager(active=False), policy.CLOSED_ACCOUNT),
        (asked(), manager(roles=frozenset()), "Only people with the role Manager decide at stage 1, Management."),
        (asked(decide_by=NOON - timedelta(seconds=1)), manager(), policy.LATE),
        (asked(state="final"), manager(), policy.OVER["final"]),
        (asked(state="voided", outcome="The RTO was changed."), manager(), "The RTO was changed."),
    ],
)
def test_whoever_may_not_decide_reads_why(request_, person, sentence):
    assert policy.why_not(request_, OPEN, person, at=NOON) == sentence
    assert not policy.can_decide(request_, OPEN, person, at=NOON)


def test_one_may_decide_in_the_last_second():
    assert policy.can_decide(asked(decide_by=NOON), OPEN, manager(), at=NOON)


@pytest.mark.parametrize(
    ("verdict", "reason", "fine"),
    [("approve", "", True), ("deny", " ", False), ("deny", "\u200b", False), ("deny", "x", True)],
)
def test_a_denial_needs_a_reason(verdict, reason, fine):
    if fine:
        policy.check_words(verdict, reason)
    else:
        with pytest.raises(Refused, match="Say in a sentence why you deny it"):
            policy.check_words(verdict, reason)


def test_the_sentence_of_a_change_names_what_changed():
    sentence = policy.changed([Moved("RTO", "60 min", "120 min"), Moved("RPO", "15 min", "")])
    assert sentence.endswith("Changed: RTO: 60 min > 120 min; RPO: 15 min > nothing.")


@pytest.mark.parametrize(
    ("old", "new", "begins"),
    [
        ("Amara", "Jonas", "Jonas carries it out in place of Amara."),
        ("", "Jonas", "Jonas carries it out."),
        ("Amara", "", "Amara no longer carries it out."),
    ],
)
def test_a_new_round_says_why(old, new, begins):
    assert policy.restarted(old=old, new=new).startswith(begins)
