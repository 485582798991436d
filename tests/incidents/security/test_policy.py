"""The classification proposes the worst level that an answer names, and says which one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.enums import FunctionalImpact, InformationImpact, Recoverability
from incidents.security.policy import LEVELS, propose


@pytest.mark.parametrize(
    ("answers", "level", "why"),
    [
        (("high", "", ""), 1, "A critical service is lost to everybody."),
        (("low", "privacy", "regular"), 1, "Personal data was seen or taken."),
        (("medium", "integrity", ""), 2, "A critical service is lost to some of its users, and data was changed"),
        (("no-effect", "no-loss", "supplemented"), 3, "Recovering needs more people or means."),
        (("no-effect", "no-loss", "regular"), 4, "Nothing is lost"),
    ],
)
def test_the_worst_answer_decides_and_is_named(answers, level, why):
    found = propose(**dict(zip(LEVELS, answers, strict=True)))
    assert found.level == level
    assert found.why.startswith(why)


def test_without_an_answer_nothing_is_proposed():
    assert propose(functional_impact="", information_impact="", recoverability="") is None


answers_of = {
    "functional_impact": st.sampled_from(["", *FunctionalImpact.values]),
    "information_impact": st.sampled_from(["", *InformationImpact.values]),
    "recoverability": st.sampled_from(["", *Recoverability.values]),
}


@given(st.fixed_dictionaries(answers_of))
def test_a_worse_answer_never_proposes_a_milder_level(answers):
    before = propose(**answers)
    for question, levels in LEVELS.items():
        worst = min(levels, key=levels.get)
        after = propose(**{**answers, question: worst})
        assert before is None or after.level <= before.level
