"""What was typed becomes words; the words are found and marked in a text."""

from html import unescape

import pytest
from django.utils.html import strip_tags
from hypothesis import given
from hypothesis import strategies as st

from portal.search.words import LONGEST_LINE, MOST_WORDS, folded, line_of, marked, marked_code, terms_of, weight


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("restart relay", ("restart", "relay")),
        ("Restart, RESTART; relay!", ("restart", "relay")),
        ("/var/log/nginx/error.log", ("var", "log", "nginx", "error")),
        ("kubectl get pods -n prod", ("kubectl", "get", "pods", "n", "prod")),
        ("DESK_URL", ("desk", "url")),
        ("Müller\u2019s café", ("muller", "s", "cafe")),
        ("the disk of the host", ("disk", "host")),
        ("to be or not to be", ("to", "be", "or", "not")),
        ('"*" AND OR NEAR(', ("near",)),
        ("🔥 \x00 ''' %%% ___", ()),
        ("", ()),
    ],
)
def test_what_was_typed_becomes_words(typed, terms):
    assert terms_of(typed) == terms


def test_only_the_first_words_are_read():
    assert len(terms_of(" ".join(f"w{n}" for n in range(5000)))) == MOST_WORDS
    assert terms_of("x" * 10_000) == ("x" * 60,)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text):
    terms = terms_of(text)
    assert all(term.isalnum() for term in terms)
    line_of([text], terms)
    marked(text, terms)


@given(st.text(max_size=60))
def test_a_word_finds_itself(text):
    for term in terms_of(text)[:1]:
        assert weight(text, [term])[term] >= 0.7 or len(term) == 60


def test_a_word_is_met_by_what_begins_with_it_and_best_by_itself():
    assert weight("restarting", ["restart"])["restart"] < weight("restart", ["restart"])["restart"]
    assert not weight("unrestart", ["restart"])
    assert weight("a b c", ["b"])
    assert not weight("beta", ["b"])


def test_the_line_that_has_the_most_words_is_shown():
    text = "Look at the relay\nRestart the relay at once\nRestart it"
    assert line_of([text], ["restart", "relay"]) == "Restart the relay at once"
    assert line_of([text], ["outbox"]) == ""


def test_a_long_line_is_cut_around_the_word():
    line = line_of([f"{'filler ' * 100}needle{' filler' * 100}"], ["needle"])
    assert "needle" in line
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) <= LONGEST_LINE + 2


def test_marks_are_the_only_markup():
    assert marked("<b>Café</b> & relays", ["cafe", "relay"]) == (
        "&lt;b&gt;<mark>Café</mark>&lt;/b&gt; &amp; <mark>relays</mark>"
    )


def test_code_of_markdown_reads_as_code():
    assert marked_code("**Restart** with `systemctl <unit>` and ``a`b``", ["restart", "systemctl"]) == (
        "<mark>Restart</mark> with <code><mark>systemctl</mark> &lt;unit&gt;</code> and <code>a`b</code>"
    )
    assert marked_code("a lone ` and 2 ** 3, __init__", []) == "a lone ` and 2 ** 3, __init__"


@given(st.text(alphabet="ab`*< &_", max_size=60))
def test_markdown_keeps_every_letter(text):
    shown = strip_tags(marked_code(text, ["a"]))
    assert [letter for letter in unescape(shown) if letter in "ab<&_"] == [c for c in text if c in "ab<&_"]


def test_folding_keeps_every_letter_in_its_place():
    text = "ÀÉÎÕÜçñÅź Straße"
    assert len(folded(text)) == len(text)
    assert folded(text) == "aeioucnaz straße"
