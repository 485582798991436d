"""Templates are words with a closed set of fields, filled in once and never looked at again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.communications.words import FIELDS, problem_with, render, unknown_fields

VALUES = dict.fromkeys(FIELDS, "{title} {{ x }} {% load static %}")


def test_known_fields_are_filled_in():
    assert render("{reference}: {title}", {"reference": "INC-1", "title": "Slow"}) == "INC-1: Slow"


@pytest.mark.parametrize("text", ["{nonsense}", "{ title }", "{}", "{title!r}", "{title.__class__}", "{Title}", "{0}"])
def test_an_unknown_field_is_named_in_a_sentence(text):
    assert unknown_fields(text) == [text[1:-1]]
    assert f"There is no field {text}. The fields are {{reference}}" in problem_with(text)


@pytest.mark.parametrize("text", ["{title", "title}", "{{title}}", "a { b"])
def test_a_brace_that_stands_alone_is_refused(text):
    assert problem_with(text).startswith("A brace stands alone.")


def test_what_is_no_field_is_harmless_when_it_is_used_all_the_same():
    assert render("{{ x }} {% x %} {nonsense}", VALUES) == "{{ x }} {% x %} {nonsense}"


@given(st.text(alphabet="{}%x title.!r_") | st.text())
def test_no_text_breaks_the_filling_in_and_no_value_is_looked_at_again(text):
    filled = render(text, VALUES)
    if not problem_with(text):
        bare = filled
        for value in set(VALUES.values()):
            bare = bare.replace(value, "")
        assert "{" not in bare
        assert "}" not in bare
