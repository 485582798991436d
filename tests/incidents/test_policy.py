"""The state machine and the snapshot of a policy, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.enums import OPEN, Status
from incidents.policy import TRANSITIONS, Refused, Snapshot, can, check_reason, next_status


@pytest.mark.parametrize("verb", list(TRANSITIONS))
@pytest.mark.parametrize("status", list(Status))
def test_each_verb_either_leads_somewhere_or_refuses_with_a_sentence(verb, status):
    if can(verb, status):
        assert next_status(verb, status) in Status
    else:
        with pytest.raises(Refused, match=r"\.$"):
            next_status(verb, status)


def test_only_a_source_may_resolve_what_nobody_acknowledged():
    assert not can("resolve", Status.DECLARED)
    assert can("resolve by source", Status.DECLARED)


def test_every_state_is_reached_from_a_declaration():
    reached = {Status.DECLARED}
    while True:
        more = reached | {
            after for moves in TRANSITIONS.values() for before, after in moves.items() if before in reached
        }
        if more == reached:
            break
        reached = more
    assert reached == set(Status)


def test_a_closed_incident_opens_again_only_by_reopening():
    ways = {verb for verb, moves in TRANSITIONS.items() if moves.get(Status.CLOSED) in OPEN}
    assert ways <= {"reopen", "reopen by source"}


@pytest.mark.parametrize("reason", ["  ", "\u200b"])
def test_reopening_needs_a_reason(reason):
    with pytest.raises(Refused, match="why"):
        check_reason("reopen", reason)
    check_reason("reopen", "It came back.")


def snapshot(delays, repeat, final_wait=300):
    return Snapshot("P", 1, repeat, final_wait, tuple({"delay": delay, "targets": []} for delay in delays))


@given(st.lists(st.integers(0, 86400), min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 3600))
def test_a_policy_visits_each_step_once_a_round_and_then_is_exhausted(delays, repeat, final_wait):
    policy = snapshot(delays, repeat, final_wait)
    visited, place, waited = [(0, 0)], (0, 0), 0
    while (following := policy.after(*place)) is not None:
        place, waited = following[:2], waited + following[2]
        visited.append(place)
    assert visited == [(round_, step) for round_ in range(repeat + 1) for step in range(len(delays))]
    assert waited == sum(delays) * (repeat + 1) - delays[0] + final_wait * repeat


def test_a_snapshot_survives_being_kept_as_json():
    policy = snapshot([0, 60], 2)
    assert Snapshot.of(policy.as_json()) == policy
