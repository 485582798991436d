"""Checklists in a text: tables of steps with owners, lists that are called so, and duties by day, week and month."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portal.runbooks.markdown.blocks import Block, Kind, is_box
from portal.runbooks.markdown.columns import Grid, grid_of
from portal.runbooks.markdown.found import Checklist, ChecklistStep, Content
from portal.runbooks.markdown.layout import Layout
from portal.runbooks.markdown.reading import Section
from portal.runbooks.markdown.vocabulary import Role, plain, role_of

_CADENCE = re.compile(r"\b(daily|weekly|monthly|quarterly|yearly|annual|emergency)\b")
_CALLED_SO = re.compile(r"\b(check ?lists?|common procedures)\b")
_NUMBERED = re.compile(r"^(.*\bchecklist\b.*?)\s*\d+$", re.IGNORECASE)
_OWNER = re.compile(r"owners?|who|responsible|teams?|roles?")
_TICKED = re.compile(r"^\s*(?:\[[ xX✓✔]?\]|[☐☑☒])(?=\s|$)")
_ITEMS = (Kind.NUMBER, Kind.CHECK, Kind.BULLET)


def found(layout: Layout, content: Content) -> Iterator[Checklist]:
    """Yield the checklists of a text, in its order. Parts such as "Checklist item 1", "2" are one checklist."""
    taken: set[int] = set()
    sections = sorted((section for section, _, _ in layout.sections()), key=lambda section: section.line)
    for section in sections:
        if section.line in taken and section.line:
            continue
        checklist = _in_table(section) or _in_boxes(section) or _in_parts(section) or _in_lists(section)
        if checklist is None or not checklist.steps:
            continue
        taken.update(part.line for part, _ in section.walk())
        content.understood.update(step.line for step in checklist.steps)
        content.understood.update(part.line for part, _ in section.walk() if part.line)
        groups = {step.group for step in checklist.steps}
        content.understood.update(block.line for block in section.blocks if block.label and block.label in groups)
        yield checklist


def _in_table(section: Section) -> Checklist | None:
    for block in section.blocks:
        grid = grid_of(tuple(block.header)) if block.kind is Kind.TABLE else None
        if grid is None or grid[0] is not Grid.STEPS or "owner" not in grid[1] or "action" not in grid[1]:
            continue
        columns = grid[1]
        steps = (
            ChecklistStep(row[columns["action"]], number, row[columns["owner"]])
            for number, row in enumerate(block.rows, start=_first_row(block))
            if row[columns["action"]].strip()
        )
        return Checklist(section.title, section.line, tuple(steps))
    return None


def _in_boxes(section: Section) -> Checklist | None:
    """Return a table whose rows have a box to tick: the words of a step are those of its longest other cell."""
    for block in section.blocks:
        rows = [
            (number, row) for number, row in enumerate(block.rows, start=_first_row(block)) if any(map(is_box, row))
        ]
        if block.kind is not Kind.TABLE or not rows:
            continue
        owner = next((at for at, cell in enumerate(block.header) if _OWNER.fullmatch(plain(cell))), None)
        steps = tuple(_boxed(number, row, owner) for number, row in rows)
        return Checklist(section.title, section.line, tuple(step for step in steps if step.text))
    return None


def _boxed(number: int, row: list[str], owner: int | None) -> ChecklistStep:
    said = [_TICKED.sub("", cell).strip() for at, cell in enumerate(row) if at != owner]
    who = row[owner].strip() if owner is not None and owner < len(row) else ""
    return ChecklistStep(_words(max(said, key=len, default="")), number, who)


def _first_row(block: Block) -> int:
    """Return the line of the first row of a table."""
    return block.line + len(block.lines) - len(block.rows)


def _in_parts(section: Section) -> Checklist | None:
    parts = [part for part in section.parts if _NUMBERED.match(part.title)]
    if len(parts) < 2:
        return None
    steps = [step for part in parts for step in _steps(part.blocks, part.title)]
    said = " ".join(section.body).lower()
    name = "Release checklist" if "release checklist" in said else section.title
    return Checklist(name, section.line, tuple(steps))


def _in_lists(section: Section) -> Checklist | None:
    said = plain(section.title)
    cadence = _CADENCE.search(said)
    steps = _steps(section.blocks, "")
    if cadence and re.search(r"operations?|procedures?|tasks|duties|checks?|maintenance|routine", said):
        return Checklist(section.title, section.line, tuple(steps), cadence[1])
    ticked = any(block.kind is Kind.CHECK for block in section.blocks)
    if _CALLED_SO.search(said) and (steps or section.parts):
        inner = [step for part in section.parts for step in _steps(part.blocks, part.title)]
        return Checklist(section.title, section.line, (*steps, *inner))
    return (
        None if not ticked or not said.endswith("checklist") else Checklist(section.title, section.line, tuple(steps))
    )


def _steps(blocks: list[Block], group: str) -> list[ChecklistStep]:
    """Return the items among some blocks; a bold line above some of them is their group."""
    steps = []
    for block in blocks:
        if block.kind is Kind.LABEL and not block.lines[0].lstrip().startswith(("-", "*   ")):
            group = block.label
        bulleted = block.kind is Kind.LABEL and block.lines[0].lstrip()[:2] in {"- ", "* ", "+ "}
        measured = role_of(group) in {Role.THRESHOLDS, Role.METRICS}
        if block.kind in _ITEMS and block.text and not measured:
            detail = "\n".join(block.detail).strip("\n")
            steps.append(ChecklistStep(_words(block.text), block.line, group=group, detail=detail))
        elif bulleted:
            steps.append(ChecklistStep(f"{block.label}: {block.text}", block.line, group=group))
    return steps


def _words(text: str) -> str:
    return re.sub(r"^(?:\*\*|__)(.+?)(?:\*\*|__)", r"\1", text)
