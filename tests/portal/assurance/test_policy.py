"""The tables of engagements and reviews, and what holds for every way through them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.assurance import policy
from portal.assurance.enums import DECIDED, EngagementState, ItemState, ReviewKind, ReviewState
from portal.assurance.policy import ITEMS, Person, Refused
from tests.factories.directory import NOON

DAY = timedelta(days=1)
KINDS = st.sampled_from(list(ReviewKind))
VERBS = st.lists(st.sampled_from([verb for moves in ITEMS.values() for verb in moves]), max_size=12)


@given(KINDS, VERBS)
def test_an_item_moves_only_along_its_table(kind, verbs):
    state = ItemState.OPEN
    for verb in verbs:
        lawful = state in ITEMS[kind].get(verb, {})
        assert (verb in policy.verbs_from(kind, state)) == lawful
        if lawful:
            state = policy.next_item_state(kind, verb, state)
            assert state != ItemState.OPEN, "nothing becomes undecided"
        else:
            with pytest.raises(Refused) as refused:
                policy.next_item_state(kind, verb, state)
            assert str(refused.value).endswith(".")


@given(KINDS)
def test_every_state_of_an_item_can_be_reached_and_left_for_a_decision(kind):
    reached = {ItemState.OPEN}
    for _ in ItemState:
        reached |= {after for moves in ITEMS[kind].values() for before, after in moves.items() if before in reached}
    own = {state for moves in ITEMS[kind].values() for pair in moves.items() for state in pair}
    assert own == reached
    for state in reached - set(DECIDED):
        onward = {state}
        for _ in ItemState:
            onward |= {after for moves in ITEMS[kind].values() for before, after in moves.items() if before in onward}
        assert onward & set(DECIDED), f"{state} is a dead end"


def test_what_was_revoked_settled_or_gone_is_the_end():
    for kind, ends in (
        (ReviewKind.CHANGES, (ItemState.SETTLED, ItemState.FOLLOWED_UP)),
        (ReviewKind.ACCESS, (ItemState.REVOKED, ItemState.GONE)),
    ):
        assert all(policy.verbs_from(kind, end) == [] for end in ends)


@given(st.dictionaries(st.sampled_from([state.value for state in ItemState]), st.integers(0, 5)))
def test_a_review_is_signed_exactly_when_every_item_is_decided(counts):
    waiting = sum(number for state, number in counts.items() if state not in DECIDED)
    if waiting:
        with pytest.raises(Refused, match=f"{waiting} of {sum(counts.values())}"):
            policy.check_sign(counts, "All seen")
    else:
        policy.check_sign(counts, "All seen")
        with pytest.raises(Refused, match="what you attest"):
            policy.check_sign(counts, " ")


@given(st.integers(1, 5), st.one_of(st.none(), st.integers(1, 5)), KINDS)
def test_nobody_decides_on_their_own(user_id, about_id, kind):
    person = Person(user_id, active=True, roles=frozenset({"Manager"}), superuser=True)
    if user_id == about_id:
        with pytest.raises(Refused):
            policy.check_not_own(kind, person, about_id)
    else:
        policy.check_not_own(kind, person, about_id)


@given(st.integers(-40, 40), st.booleans())
def test_an_engagement_runs_exactly_between_its_dates(days, revoked):
    at = NOON + days * DAY
    state = policy.engagement_state(
        starts=NOON - 10 * DAY, ends=NOON + 10 * DAY, revoked_at=NOON if revoked else None, at=at
    )
    if revoked:
        assert state == EngagementState.ENDED
    else:
        assert (state == EngagementState.RUNNING) == (-10 <= days < 10)
    assert (state in policy.ENGAGEMENT["end"]) == (state in (EngagementState.PLANNED, EngagementState.RUNNING))


def test_a_signed_review_and_one_called_off_are_the_end():
    for state in (ReviewState.SIGNED, ReviewState.CALLED_OFF):
        for verb in policy.REVIEW:
            with pytest.raises(Refused):
                policy.next_review_state(verb, state)
        with pytest.raises(Refused):
            policy.check_review_open(state)


@given(st.booleans(), st.frozensets(st.sampled_from(["Manager", "Auditor"])), st.frozensets(st.integers(1, 3)))
def test_a_reviewer_is_named_or_has_a_role_and_can_sign_in(active, roles, named):
    person = Person(1, active=active, roles=roles)
    expected = active and (1 in named or "Manager" in roles)
    assert policy.is_reviewer(person, named=named, roles=["Manager"]) == expected
