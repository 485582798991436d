"""What is promised reaches down the dependencies, what is measured is judged by it, and contradictions are named."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.directory.enums import Verdict
from portal.directory.recovery.policy import NOTHING, Measured, Promise, Proof, conflicts, inherit, judge, verdict

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SPANS = st.none() | st.integers(0, 10_000).map(lambda minutes: timedelta(minutes=minutes))
SYSTEMS = st.integers(1, 8)
OWN = st.dictionaries(SYSTEMS, st.builds(Promise, rto=SPANS, rpo=SPANS))
EDGES = st.lists(st.tuples(SYSTEMS, SYSTEMS), max_size=20)


def test_what_was_measured_within_every_promise_is_met():
    assert verdict(Measured(HOUR, timedelta(0)), Promise(rto=HOUR, rpo=timedelta(0))) == Verdict.MET


def test_one_broken_promise_is_not_met_whatever_else_is_unknown():
    assert verdict(Measured(2 * HOUR, None), Promise(rto=HOUR, rpo=HOUR)) == Verdict.NOT_MET
    assert verdict(Measured(HOUR, HOUR, succeeded=False), Promise(rto=DAY, rpo=DAY)) == Verdict.NOT_MET


def test_a_promise_that_was_not_measured_leaves_it_unknown():
    assert verdict(Measured(HOUR, None), Promise(rto=HOUR, rpo=HOUR)) == Verdict.UNKNOWN
    assert verdict(Measured(HOUR, HOUR), NOTHING) == Verdict.UNKNOWN


@given(took=SPANS, lost=SPANS, rto=SPANS, rpo=SPANS)
def test_a_looser_promise_is_never_harder_to_keep(took, lost, rto, rpo):
    said = verdict(Measured(took, lost), Promise(rto=rto, rpo=rpo))
    looser = Promise(rto=rto and rto + HOUR, rpo=rpo and rpo + HOUR)
    if said == Verdict.MET:
        assert verdict(Measured(took, lost), looser) == Verdict.MET


def test_what_a_system_needs_inherits_its_promise():
    found = inherit({1: Promise(rto=HOUR)}, [(1, 2), (2, 3)])
    assert found[3].rto == HOUR
    assert found[3].sources == {"rto": 1}


def test_the_tightest_of_those_that_stand_on_it_counts_and_its_own_word_before_all():
    found = inherit(
        {1: Promise(rto=4 * HOUR), 2: Promise(rto=HOUR), 5: Promise(rto=DAY)}, [(1, 3), (2, 3), (2, 5), (5, 6)]
    )
    assert found[3].rto == HOUR
    assert found[5].rto == DAY
    assert found[6].rto == DAY


@given(own=OWN, edges=EDGES)
def test_inheriting_keeps_every_own_word_and_gives_the_tightest_from_above_even_in_circles(own, edges):
    found = inherit(own, edges)
    for name in ("rto", "rpo"):
        for pk in range(1, 9):
            mine = getattr(own.get(pk, NOTHING), name)
            got = getattr(found.get(pk, NOTHING), name)
            above = [getattr(found.get(top, NOTHING), name) for top, base in edges if base == pk]
            if mine is not None:
                assert got == mine
            else:
                assert got == min((span for span in above if span is not None), default=None) or got is None
                assert got is not None or all(span is None for span in above)


def test_a_system_that_promises_more_than_what_it_needs_is_named_with_what_to_do():
    promised = {1: Promise(rto=HOUR, rpo=DAY), 2: Promise(rto=4 * HOUR, rpo=DAY)}
    [conflict] = conflicts(promised, [(1, 2)])
    assert conflict.sentence({1: "Shop", 2: "Database"}) == (
        "Shop promises to be back within 1 h, and needs Database, which is promised only within 4 h. "
        "Tighten the one or loosen the other."
    )


@given(own=OWN, edges=EDGES)
def test_what_inherits_its_promise_never_contradicts_it(own, edges):
    promised = inherit(own, edges)
    for conflict in conflicts(promised, edges):
        assert getattr(own.get(conflict.base, NOTHING), conflict.name) is not None or any(
            base == conflict.base for _, base in edges
        )
        assert conflict.below > conflict.promised


def proof(took=HOUR, lost=HOUR, until=NOON + DAY, *, succeeded=True):
    return Proof("Restore test RST-000001", NOON - DAY, Measured(took, lost, succeeded), until)


PROMISE = Promise(rto=HOUR, rpo=HOUR)


def test_a_proof_that_holds_proves_and_says_until_when():
    judged = judge(PROMISE, proof(), at=NOON)
    assert judged.is_proven
    assert judged.reason == "Restore test RST-000001 on Mon 16 Nov kept it, and holds until Wed 18 Nov."


def test_an_overdue_proof_proves_no_more():
    judged = judge(PROMISE, proof(until=NOON - HOUR), at=NOON)
    assert not judged.is_proven
    assert judged.is_overdue
    assert "Measure it again." in judged.reason


def test_a_proof_is_held_against_what_is_promised_today():
    judged = judge(Promise(rto=HOUR / 2), proof(), at=NOON)
    assert judged.verdict == Verdict.NOT_MET
    assert judged.reason == "Restore test RST-000001 on Mon 16 Nov took 1 h; 30 min is promised."


def test_what_failed_was_never_measured_or_never_promised_says_so():
    assert judge(PROMISE, proof(succeeded=False), at=NOON).reason.endswith("failed.")
    assert judge(PROMISE, proof(lost=None), at=NOON).reason.endswith("did not measure how much data is lost.")
    assert judge(PROMISE, proof(lost=2 * HOUR), at=NOON).reason.endswith("lost the data of 2 h; 1 h is promised.")
    assert judge(PROMISE, None, at=NOON).reason == "It was never measured."
    assert not judge(NOTHING, proof(), at=NOON).is_promised
