"""How many tables, checkboxes and numbered steps a text has: counted line by line, without the reader.

The report holds this against what the reader made of the text, so that it must not share the reader's eyes: a step
that the reader does not see is counted here all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})([^`]*)$")
_RULE = re.compile(r"^[\s>]*\|?[\s:-]*-[\s|:-]*$")
_CHECK = re.compile(r"^[\s>]*(?:(?:[-*+•]|\d+[.)])\s+\[[ xX✓✔]?\]|[☐☑☒])\s+\S")
_NUMBER = re.compile(r"^[\s>]*\d{1,3}[.)]\s+\S")
_BOX_IN_CELL = re.compile(r"(?:^|\|)\s*(?:\[[ xX✓✔]?\]|[☐☑☒])(?=\s|\||$)")
_COPIED = re.compile(r"^\s*(\d{1,4})\s+\S")
_EMPTY_CHECK = re.compile(r"^[\s>]*\d+[.)]\s+\[[ xX]?\]\s*$")


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted in a text."""

    tables: int
    checkboxes: int
    numbered_steps: int


def count(text: str) -> Counts:
    """Count what stands outside of code. A table copied as lines of text, numbered from 1, is one as well."""
    lines = _outside_code(text.split("\n"))
    tables = sum(
        "|" in above and bool(_RULE.match(line)) and ("|" in line or above.strip().startswith("|"))
        for above, line in pairwise(lines)
    )
    copied, run = 0, 0
    for line in lines:
        found = _COPIED.match(line)
        run = run + 1 if found and int(found[1]) == run + 1 else (1 if found and found[1] == "1" else 0)
        copied += run == 3
    numbered = sum(bool(_NUMBER.match(line)) and not _EMPTY_CHECK.match(line) for line in lines)
    boxes = sum(bool(_CHECK.match(line)) for line in lines) + sum(_boxes_in_tables(lines))
    return Counts(tables + copied, boxes, numbered)


def _boxes_in_tables(lines: list[str]) -> Iterator[int]:
    """Yield how many boxes stand in the cells of each row of a table."""
    inside = False
    for line in lines:
        if "|" not in line:
            inside = False
        elif _RULE.match(line):
            inside = True
        elif inside:
            yield len(_BOX_IN_CELL.findall(line))


def _outside_code(lines: list[str]) -> list[str]:
    kept, mark = [], ""
    for line in lines:
        fence = _FENCE.match(line)
        if mark:
            if fence and not fence[2].strip() and fence[1].startswith(mark):
                mark = ""
            kept.append("")
        elif fence:
            mark = fence[1]
            kept.append("")
        else:
            kept.append(line)
    return kept
