"""Any text as a tree of sections. Every line stays as it was written, in the section that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from portal.runbooks.markdown.blocks import (
    ITEM,
    Block,
    Kind,
    blocks_of,
    closing_of,
    fence_end,
    glued_end,
    is_table_at,
    mark_of,
    opens_fence,
)

_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S.*)$")
_CLOSING = re.compile(r"[ \t]+#+[ \t]*$")
_UNDER = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_LONGEST_PLAIN = 60


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines that follow each other in a file; `first` is the number of the first."""

    first: int
    lines: list[str]


@dataclass
class Section:
    """A heading and what stands under it. `line` is its number in the file, 0 for what was not in it.

    Sections of one title are joined: then `chunks` come from several places of the file.
    """

    title: str
    level: int
    line: int = 0
    chunks: list[Lines] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)

    @property
    def body(self) -> list[str]:
        """Return the lines under the heading, with a blank one between those of several places."""
        found: list[str] = []
        for chunk in self.chunks:
            found += [*([""] if found else []), *chunk.lines]
        return found

    @property
    def first(self) -> int:
        """Return the number of the first line under the heading; 0 without one."""
        return self.chunks[0].first if self.chunks else 0

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Yield the lines under the heading, each with its number in the file."""
        for chunk in self.chunks:
            yield from enumerate(chunk.lines, start=chunk.first)

    def replace(self, lines: list[str]) -> None:
        """Let other lines stand under the heading."""
        self.chunks = [Lines(self.first, lines)] if lines else []
        self.__dict__.pop("blocks", None)

    @cached_property
    def blocks(self) -> list[Block]:
        """Return the lines under the heading as blocks."""
        return [block for chunk in self.chunks for block in blocks_of(chunk.lines, chunk.first)]

    def walk(self, above: tuple[str, ...] = ()) -> Iterator[tuple[Section, tuple[str, ...]]]:
        """Yield it and all that is under it, each with the titles above it."""
        yield self, above
        for part in self.parts:
            yield from part.walk((*above, self.title))


@dataclass
class Text:
    """A file: what stands before it (`front`, between dashes), its title, and its sections under a root."""

    front: list[str]
    root: Section
    lines: list[str]


def read(text: str) -> Text:
    """Return a text as a tree. It reads anything; a text without a heading is read as plain text."""
    lines = text.split("\n")
    start = _front(lines)
    headings = dict(_headings(lines, start)) or dict(_plain_headings(lines, start))
    return Text(lines[:start], _tree(lines, start, headings), lines)


def _front(lines: Sequence[str]) -> int:
    """Return the line after the facts between dashes that some tools put before a text."""
    if lines[0].rstrip() != "---":
        return 0
    for at in range(1, min(len(lines), 100)):
        if lines[at].rstrip() in {"---", "..."}:
            return at + 1
        if lines[at].strip() and not re.match(r"^([\w-]+\s*:|\s+|#|-\s)", lines[at]):
            return 0
    return 0


Heading = tuple[int, tuple[int, str, int]]  # the line, and: level, title, how many lines it takes


def _headings(lines: Sequence[str], start: int) -> Iterator[Heading]:
    at = start
    while at < len(lines):
        if opens_fence(lines[at]):
            at = fence_end(lines, at)
            continue
        if "<!--" in lines[at]:
            at = _comment_end(lines, at)
            continue
        atx = _ATX.match(lines[at])
        if atx and (title := _closed(atx[2])):
            yield at, (len(atx[1]), title, 1)
        elif _is_underlined(lines, at):
            yield at, (1 if lines[at + 1].strip()[0] == "=" else 2, lines[at].strip(), 2)
            at += 1
        at += 1


def _closed(title: str) -> str:
    """Return a title without closing signs; "" for one without a letter or figure, such as a line of signs."""
    while (shorter := _CLOSING.sub("", title).strip()) != title:
        title = shorter
    return title if any(letter.isalnum() for letter in title) else ""


def _comment_end(lines: Sequence[str], at: int) -> int:
    """Return the line after a comment that closes before the next heading; else the next line."""
    if "-->" in lines[at].split("<!--", 1)[1]:
        return at + 1
    for n in range(at + 1, len(lines)):
        if _ATX.match(lines[n]) or opens_fence(lines[n]):
            break
        if "-->" in lines[n]:
            return n + 1
    return at + 1


def _is_underlined(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    alone = at == 0 or not lines[at - 1].strip()
    return (
        alone
        and at + 1 < len(lines)
        and bool(_UNDER.match(lines[at + 1]))
        and bool(re.match(r"^ {0,3}[^\s>|#<`~=+*-]", line))
        and not ITEM.match(line)
        and _closed(line.strip()) == line.strip()
        and len(line) <= 100
    )


def _plain_headings(lines: Sequence[str], start: int) -> Iterator[Heading]:
    """Yield what must be headings in a text without any sign: short lines alone, or right above a list."""
    seen = False
    at = start
    while at < len(lines):
        if opens_fence(lines[at]):
            at = fence_end(lines, at)
            continue
        line = lines[at].strip()
        before = lines[at - 1] if at > start else ""
        after = lines[at + 1] if at + 1 < len(lines) else ""
        short = 0 < len(line) <= _LONGEST_PLAIN and line[0].isupper() and line[-1] not in ".:,;!?|"
        fits = (not before.strip() or ITEM.match(before)) and (not after.strip() or ITEM.match(after))
        glued = glued_end(lines, at) > at or is_table_at(lines, at)
        if short and fits and not glued and not ITEM.match(lines[at]) and _closed(line) == line:
            yield at, (3 if after.strip() and seen else 2 if seen else 1, line, 1)
            seen = True
        at += 1


def _tree(lines: Sequence[str], start: int, headings: dict[int, tuple[int, str, int]]) -> Section:
    root = Section("", 0)
    above, now = [root], root
    ends = [*sorted(headings), len(lines)]
    root.chunks = _trimmed(lines, start, ends[0])
    for at, end in pairwise(ends):
        level, title, takes = headings[at]
        now = Section(title, level, at + 1)
        now.chunks = _trimmed(lines, at + takes, end)
        while above[-1].level >= level:
            above.pop()
        above[-1].parts.append(now)
        above.append(now)
    return root


def _trimmed(lines: Sequence[str], start: int, end: int) -> list[Lines]:
    """Return the lines without blank ones at both ends, an open fence closed; nothing of blank ones alone."""
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    body = list(lines[start:end])
    at = 0
    while at < len(body):
        if opens_fence(body[at]):
            if closing_of(body, at) is None:
                body.append(mark_of(body[at]))
            at = fence_end(body, at)
        else:
            at += 1
    return [Lines(start + 1, body)] if body else []


__all__ = ["Block", "Kind", "Section", "Text", "read"]
