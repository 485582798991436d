"""The words that somebody searches for, and where they stand in a text.

A word is a run of letters and digits; accents and case make no difference. Every word is met by words that begin with
it, one of a single letter by itself alone. The indexes of both databases cut and fold texts in the same way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

LONGEST: Final = 200  # characters of what was typed that are read
LONGEST_WORD: Final = 60
MOST_WORDS: Final = 8
LONGEST_LINE: Final = 180
BEFORE: Final = 50  # characters kept before the first word that is met in a long line
WHOLE, BEGUN = 1.0, 0.7  # what a word counts that stands as it was typed, and one that only begins so
WORD = re.compile(r"[^\W_]+")
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
# Words that say nothing: they are left out while others stay.
_EMPTY = """
a an and are as at be but by can did do does for from had has have if in into is it its no not of on or our so than that
the their then there these they this to up was we were what when where which who will with you your
"""
EMPTY: Final = frozenset(_EMPTY.split())


def _plain() -> dict[int, int]:
    """Return the letters with accents and the ones without, for which the databases are told the same table."""
    found = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base, *marks = list(unicodedata.normalize("NFD", chr(code)))
        if marks and base.isascii() and all(map(unicodedata.combining, marks)):
            found[code] = ord(base)
    return found


PLAIN: Final = _plain()


def folded(text: str) -> str:
    """Return a text without accents and case; each character keeps its place in a composed text."""
    return text.lower() if text.isascii() else text.translate(PLAIN).lower()


def terms_of(words: str) -> tuple[str, ...]:
    """Return the words to search for, folded, each once; none when nothing that was typed is a word."""
    text = folded(unicodedata.normalize("NFC", words[:LONGEST]))
    found = dict.fromkeys(word[:LONGEST_WORD] for word in WORD.findall(text))
    said = [word for word in found if word not in EMPTY]
    return tuple((said or list(found))[:MOST_WORDS])


def meets(term: str, word: str) -> float:
    """Return what a folded word counts for a term: nothing where it does not begin with it."""
    if word == term:
        return WHOLE
    return BEGUN if len(term) > 1 and word.startswith(term) else 0.0


def weight(text: str, terms: Iterable[str]) -> dict[str, float]:
    """Return each term that a text meets, with what its best word counts."""
    words = set(WORD.findall(folded(unicodedata.normalize("NFC", text))))
    best = {term: max((meets(term, word) for word in words), default=0.0) for term in terms}
    return {term: counted for term, counted in best.items() if counted}


def line_of(texts: Sequence[str], terms: Sequence[str]) -> str:
    """Return the line that meets the most terms, the first of such lines; "" where none meets any."""
    lines = (line.strip() for text in texts for line in text.splitlines())
    ranked = [(sum(weight(line, terms).values()), line) for line in lines if line]
    best = max(ranked, key=lambda one: one[0], default=(0.0, ""))
    return _around(best[1], terms) if best[0] else ""


def _around(line: str, terms: Sequence[str]) -> str:
    """Return a long line cut to what stands around the first word that is met."""
    line = unicodedata.normalize("NFC", line)
    if len(line) <= LONGEST_LINE:
        return line
    first = next(_met(line, terms), (0, 0))[0]
    begin = max(0, min(first - BEFORE, len(line) - LONGEST_LINE))
    part = line[begin : begin + LONGEST_LINE]
    return f"{'…' if begin else ''}{part}{'…' if begin + LONGEST_LINE < len(line) else ''}"


def _met(text: str, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    for match in WORD.finditer(folded(text)):
        if any(meets(term, match[0]) for term in terms):
            yield match.span()


def marked(text: str, terms: Sequence[str]) -> SafeString:
    """Return a text as HTML, escaped, with every word marked that is met."""
    text = unicodedata.normalize("NFC", text)
    pieces: list[SafeString] = []
    end = 0
    for begin, until in _met(text, terms):
        pieces += [format_html("{}<mark>{}</mark>", text[end:begin], text[begin:until])]
        end = until
    return format_html_join("", "{}", ((piece,) for piece in (*pieces, text[end:])))


def marked_code(text: str, terms: Sequence[str]) -> SafeString:
    """Return a line of Markdown as `marked` does, what stands between backticks as code, strong words without stars."""
    pieces: list[SafeString] = []
    end = 0
    for found in CODE.finditer(text):
        pieces += [
            _plainly(text[end : found.start()], terms),
            format_html("<code>{}</code>", marked(found[2].strip(), terms)),
        ]
        end = found.end()
    return format_html_join("", "{}", ((piece,) for piece in (*pieces, _plainly(text[end:], terms))))


def _plainly(text: str, terms: Sequence[str]) -> SafeString:
    return marked(STRONG.sub(r"\1", text), terms)
