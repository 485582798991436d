"""What a text says beside its steps, commands and tables of settings: its prose, section by section, for search.

Whatever becomes a row of its own is left out, so that nobody finds it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from portal.runbooks.markdown import shutdown
from portal.runbooks.markdown.blocks import FENCE, Block, Kind, cells
from portal.runbooks.markdown.found import Content, Fact, Issue, Objective, Procedure, Row
from portal.runbooks.markdown.layout import Layout

_EMPHASIS = re.compile(r"\*\*|__|^[\s>]*(?:[-*+•▪◦‣]|#{1,6})\s+|^[\s>]+")
_WORD = re.compile(r"\w{2}")  # the number of an empty step says nothing
_RULED = re.compile(r"^[\s|:-]*$")
_SAID = (Kind.TEXT, Kind.LABEL)


@dataclass(frozen=True, slots=True)
class Passage:
    """The prose of one section, a line of it a line; `entry` where the section is a procedure or an entry itself."""

    title: str
    line: int
    above: tuple[str, ...]
    text: str
    entry: bool
    shuts_down: bool


def passages_of(layout: Layout, content: Content) -> Iterator[Passage]:
    """Yield each section that has a line of its own, those without prose too: they say where the next one begins."""
    rows, steps, other = _lines(content)
    entries = {one.line for one in _entries(content)}
    held = shutdown.lines_of(layout)
    for section, _, above in layout.sections():
        if not section.line:
            continue
        said: list[str] = []
        for block in section.blocks:
            became = block.line in steps or (
                block.kind in _SAID and block.line in content.understood and block.line not in other
            )
            said += [] if became or block.kind is Kind.RULE else _prose(block, rows)
        yield Passage(
            section.title, section.line, above, "\n".join(filter(_WORD.search, said)), section.line in entries,
            section.line in held,
        )  # fmt: skip


def _entries(content: Content) -> list[Procedure | Issue]:
    return [*content.procedures, *content.issues]


def _lines(content: Content) -> tuple[set[int], set[int], set[int]]:
    """Return the lines that become rows, those of steps, and those that are understood but become no row."""
    rows = {row.line for many in (content.thresholds, content.files, content.variables, content.logs) for row in many}
    for command in content.commands:
        rows.update(range(command.line, command.line + command["command"].count("\n") + 1))
    steps = {step.line for entry in _entries(content) for step in entry.steps}
    kept: tuple[Row | Fact | Objective, ...] = (
        *content.facts, *content.contacts, *content.dashboards, *content.metrics, *content.response_times,
        *content.severities, *content.tasks, *content.objectives, *content.references, *content.history,
    )  # fmt: skip
    return rows, steps, {one.line for one in kept}


def _prose(block: Block, rows: set[int]) -> list[str]:
    """Return the lines of a block that become no row, without the signs of Markdown."""
    lines = [(at, line) for at, line in enumerate(block.lines, start=block.line) if at not in rows]
    if block.kind is Kind.TABLE:
        settings = len(lines) < len(block.lines)
        told = [line for _, line in lines if not _RULED.match(line)]
        return [" · ".join(filter(None, cells(line))) for line in told[1 if settings else 0 :]]
    return [_EMPHASIS.sub("", line).strip() for _, line in lines if not FENCE.match(line)]
