"""How two versions differ: section by section, line by line, and within a line word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from portal.runbooks.markdown.blocks import fence_end, opens_fence

AROUND = 2  # lines that are shown beside what changed
_HEADING = re.compile(r"^(#{1,6}) (.+)$")
_WORDS = re.compile(r"\s+|[^\s]+")
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a line; `changed` where the other line has others."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: "-" gone, "+" new, " " the same, "…" some lines that are the same."""

    sign: str
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Section:
    """A section of which something differs."""

    title: str
    lines: list[Line] = field(default_factory=list)
    removed: int = 0
    added: int = 0


def sections_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield each heading of a text with the lines under it, but for empty ones; what stands before the first as "" """
    lines, title, body, at = text.split("\n"), "", list[str](), 0
    while at < len(lines):
        heading = _HEADING.match(lines[at])
        if opens_fence(lines[at]):
            end = fence_end(lines, at)
            body += lines[at:end]
            at = end
            continue
        if heading:
            yield from _section(title, body)
            title, body = heading[2], []
        else:
            body.append(lines[at])
        at += 1
    yield from _section(title, body)


def _section(title: str, body: Sequence[str]) -> Iterator[tuple[str, str]]:
    text = "\n".join(body).strip("\n")
    if text.strip():
        yield title, text


def differences(old: str, new: str) -> list[Section]:
    """Return the sections in which two texts differ, in the order of the newer one; those that are gone last."""
    before, after = _keyed(old), _keyed(new)
    keys = [*after, *(key for key in before if key not in after)]
    return [
        _differing(key[0], before.get(key, ""), after.get(key, "")) for key in keys if before.get(key) != after.get(key)
    ]


def _keyed(text: str) -> dict[tuple[str, int], str]:
    """Return the sections of a text by title, the second one of a title with its number."""
    found: dict[tuple[str, int], str] = {}
    for title, body in sections_of(text):
        number = 1
        while (title, number) in found:
            number += 1
        found[title, number] = body
    return found


def _differing(title: str, old: str, new: str) -> Section:
    before, after = old.split("\n") if old else [], new.split("\n") if new else []
    section = Section(title)
    for act, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if act == "equal":
            section.lines += _around(before[a:b], first=a == 0, last=b == len(before))
            continue
        section.removed += b - a
        section.added += d - c
        section.lines += _changed(before[a:b], after[c:d])
    return section


def _around(lines: Sequence[str], *, first: bool, last: bool) -> Iterator[Line]:
    head, tail = (0 if first else AROUND), (0 if last else AROUND)
    if len(lines) <= head + tail + 1:
        yield from (Line(" ", (Piece(line),)) for line in lines)
        return
    yield from (Line(" ", (Piece(line),)) for line in lines[:head])
    yield Line("…", (Piece(f"{len(lines) - head - tail} lines are the same"),))
    yield from (Line(" ", (Piece(line),)) for line in lines[len(lines) - tail :])


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    paired = list(zip(before, after, strict=False))
    words = [_words(one, other) for one, other in paired]
    yield from (Line("-", old) for old, _ in words)
    yield from (Line("-", (Piece(line),)) for line in before[len(paired) :])
    yield from (Line("+", new) for _, new in words)
    yield from (Line("+", (Piece(line),)) for line in after[len(paired) :])


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return two lines with the words that differ marked; lines that have little in common stay whole."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return (Piece(old),), (Piece(new),)
    left, right = [], []
    for act, a, b, c, d in matcher.get_opcodes():
        left.append(Piece("".join(before[a:b]), act != "equal"))
        right.append(Piece("".join(after[c:d]), act != "equal"))
    return tuple(x for x in left if x.text), tuple(x for x in right if x.text)
