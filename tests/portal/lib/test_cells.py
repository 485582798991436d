"""No cell starts a formula, whatever the data; what is harmless stays as it was."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib import cells

DANGEROUS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u207c\u208a\u208c\u2212\ufb29"
BLANKS = " \u00a0\u3000\u200b\ufeff\u2060\x00\x0b\x0c\x1f"
NASTY = st.text(
    st.one_of(st.sampled_from(DANGEROUS + BLANKS + "';\",|%"), st.characters(exclude_categories=["Cs"])), max_size=40
)


def calculates(text):
    """Judge as a careless spreadsheet would: blanks and invisible signs are passed over, then the first one counts."""
    return text.lstrip(BLANKS + "\t\r\n")[:1] in set(DANGEROUS)


def starts_a_formula(text):
    """Judge more strictly: a cell that begins with a tab or a line break counts as well."""
    return text[:1] in {"\t", "\r", "\n"} or calculates(text)


@given(NASTY)
def test_no_cell_starts_a_formula(text):
    assert not starts_a_formula(cells.harmless(text))
    assert not starts_a_formula(cells.in_csv(text))


@given(st.lists(NASTY, min_size=1, max_size=4))
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_starts_one_for_a_program_that_splits_elsewhere(separator, texts):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerow([cells.in_csv(text) for text in texts])
    for line in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=separator):
        for cell in line:
            assert not calculates(cell)


@given(NASTY)
@pytest.mark.parametrize("guard", [cells.harmless, cells.in_csv])
def test_a_cell_that_comes_back_is_the_text_or_one_without_apostrophes_of_its_own(guard, text):
    assert cells.unguarded(guard(text)) in {text, cells.unguarded(text)}
    assert "'" in text or cells.unguarded(guard(text)) == text


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs", "Po"], exclude_characters="@;"), min_size=1))
def test_what_is_harmless_is_left_alone(text):
    assert cells.in_csv(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        (" \u200b@SUM(A1)", "' \u200b@SUM(A1)"),
        ("\ttext", "'\ttext"),
        ("-5", "'-5"),
        ("SEV-1", "SEV-1"),
        ("ada@example.org", "ada@example.org"),
        ("first\n- second", "first\n'- second"),
        ('x;"=1', "x;'\"=1"),
        ("", ""),
    ],
)
def test_an_apostrophe_stands_before_what_could_be_a_formula(text, told):
    assert cells.in_csv(text) == told


def test_values_are_told_plainly():
    at = datetime(2026, 7, 1, 12, 30, 15, 5, tzinfo=UTC)
    assert [cells.in_csv(value) for value in (None, True, False, 7, at)] == [
        "",
        "yes",
        "no",
        "7",
        "2026-07-01T12:30:15.000005Z",
    ]
    assert cells.twice(at, ZoneInfo("Europe/London")) == ["2026-07-01T12:30:15.000005Z", "2026-07-01 13:30:15+01:00"]
    assert cells.twice(None, ZoneInfo("UTC")) == [None, None]
