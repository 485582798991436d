"""What is shown is one text, of which two different records never have the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.approvals.shown import (
    NOTHING,
    Fact,
    Moved,
    canonical,
    differences,
    digest,
    fact,
    parsed,
    visible,
)

LABELS = st.text("abcdefgh ÄéZ0123()", min_size=1, max_size=12).filter(lambda text: text == text.strip())
VALUES = st.text(max_size=60)
FACTS = st.lists(st.builds(fact, LABELS, VALUES), max_size=6, unique_by=lambda one: one.label)


def test_a_text_reads_like_the_record():
    shown = canonical([fact("System", "Mail Intake (2)"), fact("RTO", 60), fact("Active", True), fact("Example", "")])
    assert shown == "System: Mail Intake (2)\nRTO: 60\nActive: yes\nExample: ⟨none⟩\n"


def test_lines_of_one_value_stay_together():
    shown = canonical([fact("Steps", "one\n  two\n"), fact("Name", "x")])
    assert shown == "Steps: one\n      two\n    \nName: x\n"
    assert parsed(shown) == [Fact("Steps", "one\n  two\n"), Fact("Name", "x")]


@given(FACTS)
def test_a_text_reads_back_into_the_same_facts(facts):
    assert parsed(canonical(facts)) == facts


@given(FACTS, FACTS)
def test_two_records_that_differ_have_two_digests(one, other):
    assert (digest(canonical(one)) == digest(canonical(other))) == (one == other)


@given(st.text(max_size=60))
def test_nothing_invisible_is_left(text):
    shown = visible(text)
    assert all(character.isprintable() or character in "\n\t" for character in shown)


def test_what_turns_the_order_of_reading_is_spelled_out():
    assert fact("Name", "safe\u202egnihton") == Fact("Name", "safe⟨U+202E⟩gnihton")
    assert fact("Name", "a\u200bb\x00") == Fact("Name", "a⟨U+200B⟩b⟨U+0000⟩")


def test_no_text_passes_for_nothing():
    assert fact("Name", None).value == fact("Name", "").value == NOTHING
    assert fact("Name", NOTHING).value != NOTHING


@pytest.mark.parametrize("label", ["", " x", "a: b", "two\nlines"])
def test_a_label_that_could_not_be_read_back_is_refused(label):
    with pytest.raises(ValueError, match="plain words"):
        fact(label, 1)


def test_two_facts_of_one_label_are_refused():
    with pytest.raises(ValueError, match="same label"):
        canonical([fact("Name", "a"), fact("Name", "b")])


def test_differences_are_told_fact_by_fact():
    old = canonical([fact("Name", "a"), fact("RTO", "60 min"), fact("Gone", "x"), fact("Same", "s")])
    new = canonical([fact("Name", "a"), fact("RTO", "120 min"), fact("Same", "s"), fact("New", None)])
    found = differences(old, new)
    assert found == [Moved("RTO", "60 min", "120 min"), Moved("New", "", NOTHING), Moved("Gone", "x", "")]
    assert [str(one) for one in found] == ["RTO: 60 min > 120 min", "New: nothing > nothing", "Gone: x > nothing"]


@given(FACTS)
def test_nothing_differs_from_itself(facts):
    assert differences(canonical(facts), canonical(facts)) == []
