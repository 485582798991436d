"""The lines of one section as blocks: tables, list items, fences of code, and text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(`{3,}|~{3,})(.*)$")
ITEM = re.compile(r"^(?P<indent>[\s>]*)(?P<mark>[-*+•▪◦‣☐☑☒]|\d{1,9}[.)])(?:\s+(?P<text>.*))?$")
CHECK = re.compile(r"^\[(?P<mark>[ xX✓✔]?)\](?:\s+|$)(?P<text>.*)$")
_BOX = re.compile(r"^\s*(?:\[[ xX✓✔]?\]|[☐☑☒])(?:\s|$)")
_DELIMITER = re.compile(r"^[\s>]*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_LABEL = re.compile(
    r"^(?P<bullet>[\s>]*(?:[-*+•]\s+)?)(?:(?:\*\*|__)(?P<bold>[^*_\n]{1,60}?)\s*(?P<in>:)?\s*(?:\*\*|__)\s*(?P<out>[:\u2013\u2014-])?"
    r"|(?P<plain>[A-Za-z][A-Za-z /()&-]{1,40}?)(?P<colon>:))(?:\s+|$)(?P<value>.*)$"
)
_NUMBERED = re.compile(r"^\s*(\d{1,4})\s+(\S.*)$")
_GLUED = re.compile(r"^(?:[A-Z][a-z]+){2,}$")
_OWNED = re.compile(r"^(?P<text>.*[.!?;])\s+(?P<owner>[\w/-]+)$")
_RULE = re.compile(r"^[\s>]*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}|<!--\s*-->)$")
_YEAR = 1000
FEWEST_NUMBERED = 3


class Kind(StrEnum):
    """What a block is."""

    TEXT = "text"
    CODE = "code"
    TABLE = "table"
    NUMBER = "number"
    CHECK = "check"
    BULLET = "bullet"
    LABEL = "label"
    RULE = "rule"


@dataclass(slots=True)
class Block:
    """Some lines of a section, and what they are.

    `line` is the number of the first in the file. Of an item `text` is its words, `detail` the lines that belong to it,
    `depth` how far it is indented, `number` what was written before it. Of a label `label` and `text` are its two
    sides. Of a table `header` and `rows`, of code `text` is the code and `label` its language.
    """

    kind: Kind
    line: int
    lines: list[str]
    text: str = ""
    label: str = ""
    depth: int = 0
    number: str = ""
    checked: bool = False
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    detail: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Return the number of its last line."""
        return self.line + len(self.lines) - 1


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table; a pipe after a backslash, or in code, is no border."""
    line = line.strip().lstrip("> \t").strip()
    line = line.removeprefix("|")
    found, now, code = [], "", False
    for at, letter in enumerate(line):
        if letter == "`":
            code = not code and line.find("`", at + 1) > 0
        if letter == "|" and not code and not now.endswith("\\"):
            found.append(now.strip())
            now = ""
        else:
            now += letter
    if now.strip() or not found:
        found.append(now.strip())
    return found


def is_table_at(lines: Sequence[str], at: int) -> bool:
    """Tell whether a table begins at a line: a header over dashes."""
    if at + 1 >= len(lines) or "|" not in lines[at] or "-" not in lines[at + 1]:
        return False
    return bool(_DELIMITER.match(lines[at + 1])) and ("|" in lines[at + 1] or lines[at].strip().startswith("|"))


def is_borderless_at(lines: Sequence[str], at: int) -> bool:
    """Tell whether rows between pipes begin at a line, with no dashes under the first."""
    pair = lines[at : at + 2]
    return len(pair) == 2 and all(
        x.strip().startswith("|") and x.strip().endswith("|") and x.count("|") > 2 for x in pair
    )


def fence_end(lines: Sequence[str], at: int) -> int:
    """Return the line after a fence of code that opens at a line; the end of the lines where nothing closes it."""
    closed = closing_of(lines, at)
    return len(lines) if closed is None else closed + 1


def closing_of(lines: Sequence[str], at: int) -> int | None:
    """Return the line that closes the fence opened at a line; nothing when none does."""
    mark = mark_of(lines[at])
    closing = re.compile(rf"^[\s>]*{re.escape(mark[:1])}{{{len(mark)},}}\s*$")
    return next((n for n in range(at + 1, len(lines)) if closing.match(lines[n])), None)


def mark_of(line: str) -> str:
    """Return the backticks or tildes that open a fence; "" when none does."""
    opened = FENCE.match(line)
    return opened[1] if opened else ""


def opens_fence(line: str) -> bool:
    """Tell whether a line opens a fence: code between three backticks in one line is no fence."""
    found = FENCE.match(line)
    return bool(found) and not (found[1][0] == "`" and "`" in found[2])  # type: ignore[index]


def glued_end(lines: Sequence[str], at: int) -> int:
    """Return the line after a run of lines numbered 1, 2, 3 without a point, as a copied table leaves them; else `at`.

    Its first line may be a header whose words are glued together, such as "StepActionOwner".
    """
    start = at + 1 if _GLUED.match(lines[at].strip()) else at
    end = start
    while end < len(lines) and (found := _NUMBERED.match(lines[end])) and int(found[1]) == end - start + 1:
        end += 1
    return end if end - start >= FEWEST_NUMBERED else at


def blocks_of(lines: Sequence[str], first: int = 1) -> Iterator[Block]:
    """Yield the blocks of some lines, the first of which has the number `first`. Blank lines are in none."""
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        block = _block_at(lines, at, first)
        yield block
        at += len(block.lines)


def _block_at(lines: Sequence[str], at: int, first: int) -> Block:
    line, number = lines[at], first + at
    item, glued = ITEM.match(line), glued_end(lines, at)
    if opens_fence(line) and not item:
        end = fence_end(lines, at)
        block = Block(Kind.CODE, number, list(lines[at:end]), "\n".join(_inside(lines[at:end])))
        block.label = FENCE.match(line)[2].strip()  # type: ignore[index]
    elif _RULE.match(line):
        block = Block(Kind.RULE, number, [line])
    elif is_table_at(lines, at) or is_borderless_at(lines, at):
        block = _table(lines, at, number)
    elif glued > at:
        block = _glued(list(lines[at:glued]), number)
    elif item and not _is_mere_number(item):
        block = _item(lines, at, number, item)
    else:
        block = _words(line, number)
    return block


def _words(line: str, number: int) -> Block:
    label = _LABEL.match(line)
    if label and not ITEM.match(line) and _is_label(label):
        return Block(Kind.LABEL, number, [line], label["value"].strip(), (label["bold"] or label["plain"]).strip())
    return Block(Kind.TEXT, number, [line], line.strip())


def _is_label(label: re.Match[str]) -> bool:
    """Tell whether a line is led by a label: words before a colon, or bold ones that nothing but brackets follow."""
    if label["plain"] or label["in"] or label["out"]:
        return True
    return not label["value"] or bool(re.fullmatch(r"\([^)]*\):?", label["value"]))


def _inside(lines: Sequence[str]) -> list[str]:
    body = list(lines[1:])
    if body and FENCE.match(body[-1]):
        body.pop()
    return body


def _table(lines: Sequence[str], at: int, number: int) -> Block:
    bordered = is_table_at(lines, at)
    end = at + (2 if bordered else 1)
    while end < len(lines) and "|" in lines[end] and lines[end].strip() and not opens_fence(lines[end]):
        end += 1
    header = cells(lines[at])
    rows = [
        (row + [""] * len(header))[: max(len(header), len(row))] for row in map(cells, lines[at + 1 + bordered : end])
    ]
    return Block(Kind.TABLE, number, list(lines[at:end]), header=header, rows=rows)


def _glued(lines: list[str], number: int) -> Block:
    header = ["Step", "Action", "Owner"]
    if _GLUED.match(lines[0].strip()):
        header = re.findall(r"[A-Z][a-z]+", lines[0])
        body = lines[1:]
    else:
        body = lines
    rows = []
    for line in body:
        count, words = _NUMBERED.match(line).groups()  # type: ignore[union-attr]
        owned = _OWNED.match(words)
        row = [count, owned["text"], owned["owner"]] if owned and len(header) > 2 else [count, words]
        rows.append(row + [""] * (len(header) - len(row)))
    return Block(Kind.TABLE, number, lines, header=header, rows=rows)


def _is_mere_number(item: re.Match[str]) -> bool:
    """Tell whether a number with a point is a year that a sentence begins or ends with, and no step."""
    mark = item["mark"]
    return mark[0].isdigit() and int(mark[:-1]) >= _YEAR


def is_box(cell: str) -> bool:
    """Tell whether a cell of a table is a box to tick, or begins with one."""
    return _BOX.match(cell) is not None


def _item(lines: Sequence[str], at: int, number: int, item: re.Match[str]) -> Block:
    text, mark = (item["text"] or "").strip(), item["mark"]
    depth = len(item["indent"].replace("\t", "    ").replace(">", ""))
    end = at + 1 if not opens_fence(lines[at]) else fence_end(lines, at)
    end = _detail_end(lines, end, depth)
    found = CHECK.match(text)
    numbered = mark[0].isdigit()
    kind = Kind.CHECK if found or mark in "☐☑☒" else Kind.NUMBER if numbered else Kind.BULLET
    block = Block(kind, number, list(lines[at:end]), found["text"].strip() if found else text)
    block.depth, block.number, block.detail = depth, mark if numbered else "", list(lines[at + 1 : end])
    block.checked = bool(found and found["mark"].strip()) or mark in "☑☒"
    return block


def _detail_end(lines: Sequence[str], at: int, depth: int) -> int:
    """Return the line after what belongs to an item: what is indented further, and the rest of its sentence."""
    end = at
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
            continue
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip(" >"))
        if ITEM.match(line) or is_table_at(lines, at) or is_borderless_at(lines, at):
            break
        if indent <= depth and (at > end or _begins_anew(line)):
            break
        at = end = fence_end(lines, at) if opens_fence(line) else at + 1
    return end


def _begins_anew(line: str) -> bool:
    label = _LABEL.match(line)
    return (
        opens_fence(line)
        or bool(label and (label["bold"] or not label["value"]))
        or bool(_RULE.match(line))
        or line.lstrip().startswith(("#", "|", ">", "<"))
    )
