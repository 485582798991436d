"""Tables that are understood by their columns."""

from __future__ import annotations

import re

from portal.runbooks.markdown.blocks import Block, Kind, blocks_of
from portal.runbooks.markdown.columns import Grid, grid_of
from portal.runbooks.markdown.found import Content, Objective, Row
from portal.runbooks.markdown.times import minutes_of
from portal.runbooks.markdown.vocabulary import Role

_PROMISE = re.compile(
    r"^(?P<kind>rto|rpo|recovery (?:time|point) objective)\b(?:\s*\([^)]*\))?(?:\s+for)?(?P<tier>.*)$", re.IGNORECASE
)


def read(content: Content, block: Block, title: str) -> None:
    """Read the rows of a table into what is understood; a table whose columns are not known stays a table."""
    found = grid_of(tuple(block.header))
    if found is None:
        _promised_rows(content, block)
        return
    grid, columns = found
    head = block.line + len(block.lines) - len(block.rows)
    if head > block.line:
        content.understood.update(range(block.line, head))
    into = _into(content, grid)
    for number, row in enumerate(block.rows, start=head):
        values = {name: row[at] for name, at in columns.items()}
        if not any(value.strip() for value in values.values()):
            continue
        content.understood.add(number)
        if grid is Grid.OBJECTIVES:
            _promises(content, values, number, title)
        elif into is not None:
            into.append(Row(values, number))


def _into(content: Content, grid: Grid) -> list[Row] | None:
    """Return the list that the rows belong to. Steps with an owner are a checklist, which is read by itself."""
    return {
        Grid.CONTACTS: content.contacts,
        Grid.THRESHOLDS: content.thresholds,
        Grid.SEVERITIES: content.severities,
        Grid.TASKS: content.tasks,
        Grid.FILES: content.files,
        Grid.VARIABLES: content.variables,
        Grid.HISTORY: content.history,
        Grid.LOGS: content.logs,
    }.get(grid)


def _promises(content: Content, values: dict[str, str], line: int, title: str) -> None:
    for kind in (Role.RTO, Role.RPO):
        words = values.get(kind.value, "").strip()
        if words:
            content.objectives.append(Objective(kind, words, line, values.get("tier") or title, minutes_of(words)))


def _promised_rows(content: Content, block: Block) -> None:
    """Read the rows that begin with RTO or RPO, of a table whose columns say nothing."""
    head = block.line + len(block.lines) - len(block.rows)
    for number, row in enumerate(block.rows, start=head):
        kind = _PROMISE.match(row[0].strip("* `")) if len(row) > 1 else None
        if kind is None or not row[1].strip():
            continue
        role = Role.RTO if kind["kind"].lower() in {"rto", "recovery time objective"} else Role.RPO
        words = row[1].strip()
        content.objectives.append(Objective(role, words, number, kind["tier"].strip(" :-"), minutes_of(words)))
        content.understood.add(number)


def blocks_in(item: Block) -> list[Block]:
    """Return what belongs to an item, without its indentation, as blocks."""
    return [block for block in blocks_of(item.detail, item.line + 1) if block.kind is not Kind.TEXT]
