"""The template's layout: where each section of a text belongs, and the text written in that order.

Only headings move, with what stands under them; lines stay as they were written. A section that the template calls by
the same words becomes its place; one that people call otherwise is put under its place with its own heading; one that
is not known stays in its order between the template's last parts. Arranging what is arranged changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.runbooks.markdown.blocks import Block, Kind, blocks_of
from portal.runbooks.markdown.columns import Grid, grid_of
from portal.runbooks.markdown.reading import Section, Text, read
from portal.runbooks.markdown.vocabulary import (
    OF_ISSUE,
    OF_PROCEDURE,
    TEMPLATE,
    Place,
    place_of,
    plain,
    role_of,
    template_place,
)

DEEPEST = 6
MOST_ROUNDS = 6
# Each of them is one procedure: what stands under its heading is a part of it, unless its own title says otherwise.
PROCEDURAL = (
    Place.STARTUP,
    Place.SHUTDOWN,
    Place.BACKUP,
    Place.DEPLOYMENT,
    Place.RECOVERY_STEPS,
    Place.SECURITY,
    Place.PROCESS,
)
# A place in which a section of its own, that nothing knows, is nothing odd: it stays there.
_HOLDS = {place for place, _, _ in TEMPLATE}


@dataclass
class Layout:
    """A text in the template's order. `others` are the sections that no place of the template knows."""

    front: list[str]
    title: Section
    places: dict[Place, Section] = field(default_factory=dict)
    others: list[Section] = field(default_factory=list)

    def ordered(self) -> Iterator[tuple[Section, int, Place | None]]:
        """Yield each section with the level of its heading and its place, as they are written.

        What stands under a place comes after the places of the template that are within it: first what everybody has.
        """
        inside: list[tuple[int, Place]] = []
        for place, level, _ in TEMPLATE:
            while inside and inside[-1][0] >= level:
                yield from self._under(*inside.pop())
            if place is Place.APPENDIX:
                yield from ((other, 2, None) for other in self.others)
            yield self.places[place], level, place
            inside.append((level, place))
        while inside:
            yield from self._under(*inside.pop())

    def _under(self, level: int, place: Place) -> Iterator[tuple[Section, int, Place | None]]:
        return ((part, level + 1, place) for part in self.places[place].parts)

    def sections(self) -> Iterator[tuple[Section, Place | None, tuple[str, ...]]]:
        """Yield every section with its place and the titles above it, in the order in which they are written."""
        yield self.title, None, ()
        for section, _, place in self.ordered():
            if place is not None and self.places[place] is section:
                yield section, place, ()
            else:
                above = (self.places[place].title,) if place is not None else ()
                yield from ((part, place, titles) for part, titles in section.walk(above))


def arrange(text: Text) -> Layout:
    """Return a text in the template's order."""
    root = text.root
    title = Section("", 1)
    layout = Layout(text.front, title)
    layout.places = {place: Section(words, level) for place, level, words in TEMPLATE}
    first = root.parts[0] if root.parts else None
    tops = list(root.parts)
    _join(title, root)
    if first is not None and first.level == 1 and template_place(first.title) is None:
        title.title, title.line = first.title, first.line
        _join(title, first)
        tops = [*first.parts, *tops[1:]]
    if _is_issue_itself(tops):
        unknown = [part for part in tops if place_of(part.title) is None]
        issue = Section(title.title or "Issue", 4, title.line, parts=unknown)
        tops = [issue, *(part for part in tops if part not in unknown)]
    for top in tops:
        _place(layout, top, None)
    return layout


def _is_issue_itself(tops: list[Section]) -> bool:
    """Tell whether a text is one entry of a guide: its own sections are symptoms, diagnosis, resolution."""
    return len({role_of(top.title) for top in tops} & OF_ISSUE) > 1


def _place(layout: Layout, section: Section, parent: Section | None) -> None:
    exact = template_place(section.title)
    if exact is not None:
        slot = layout.places[exact]
        into = slot
        if slot.line:  # a second one of the name stands under the first, so that no heading is lost
            into = Section(section.title, section.level, section.line)
            slot.parts.append(into)
        into.line = section.line
        _join(into, section)
        for part in section.parts:
            _place(layout, part, into)
        return
    own = any(parent is layout.places[place] for place in PROCEDURAL)
    found = place_of(section.title) if own else place_for(section)
    if found is not None:
        layout.places[found].parts.append(section)
    elif section.level == 1 and section.parts:
        alone = Section(section.title, 2, section.line, section.chunks)
        (parent.parts if parent is not None else layout.others).append(alone)
        for part in section.parts:
            _place(layout, part, None)
    else:
        (parent.parts if parent is not None else layout.others).append(section)


def place_for(section: Section) -> Place | None:
    """Return where a section belongs: by its title, else by what stands in it."""
    found = place_of(section.title)
    if found is not None:
        return found
    roles = {role_of(part.title) for part in section.parts} | {role_of(b.label) for b in labels(section)}
    if plain(section.title).startswith(("issue ", "problem ")) or len(roles & OF_ISSUE) > 1:
        return Place.ISSUES
    grids = [grid_of(tuple(block.header)) for block in section.blocks if block.kind is Kind.TABLE]
    known = [_GRID_PLACES[grid[0]] for grid in grids if grid is not None and grid[0] in _GRID_PLACES]
    if known and len(known) == len(section.blocks) - _texts(section):
        return known[0]
    if roles & OF_PROCEDURE or any(block.kind in {Kind.NUMBER, Kind.CHECK} for block in section.blocks):
        return Place.PROCEDURES
    return None


_GRID_PLACES = {
    Grid.VARIABLES: Place.VARIABLES,
    Grid.CONTACTS: Place.CONTACTS,
    Grid.THRESHOLDS: Place.MONITORING,
    Grid.SEVERITIES: Place.SEVERITIES,
    Grid.TASKS: Place.TASKS,
    Grid.FILES: Place.FILES,
    Grid.HISTORY: Place.HISTORY,
    Grid.LOGS: Place.LOGS,
}


def _texts(section: Section) -> int:
    return sum(block.kind is Kind.TEXT for block in section.blocks)


def labels(section: Section) -> Iterator[Block]:
    """Yield the labels among the blocks of a section."""
    return (block for block in section.blocks if block.kind is Kind.LABEL)


def _join(into: Section, section: Section) -> None:
    into.chunks = [*into.chunks, *section.chunks]


def write(layout: Layout) -> str:
    """Return a text in the template's layout."""
    lines: list[str] = [*layout.front, ""] if layout.front else []
    lines += [f"# {layout.title.title}".rstrip(), ""] if layout.title.title else []
    lines += _body(layout.title)
    for section, level, place in layout.ordered():
        own = place is not None and layout.places[place] is section
        lines += _heading(section, level) if own else _section(section, level)
    return "\n".join(lines).strip("\n") + "\n"


def _heading(section: Section, level: int) -> list[str]:
    return [f"{'#' * min(level, DEEPEST)} {section.title}", "", *_body(section)]


def _section(section: Section, level: int) -> Iterator[str]:
    yield from _heading(section, level)
    for part in section.parts:
        yield from _section(part, level + 1)


def _body(section: Section) -> list[str]:
    """Return the lines of a section: as they stand, but what is no Markdown yet written as it means."""
    out: list[str] = []
    for chunk in section.chunks:
        done = 0
        for block in blocks_of(chunk.lines, chunk.first):
            start = block.line - chunk.first
            out += chunk.lines[done:start]
            out += _as_markdown(block)
            done = start + len(block.lines)
        out += [*chunk.lines[done:], ""]
    return out


_SIGNS = {"•": "-", "▪": "-", "◦": "-", "‣": "-", "☐": "- [ ]", "☑": "- [x]", "☒": "- [x]"}


def _as_markdown(block: Block) -> list[str]:
    first = block.lines[0]
    sign = first.lstrip("> \t")[:1]
    if block.kind is Kind.TABLE and "|" not in "".join(block.lines[:2]):
        rows = [block.header, ["---"] * len(block.header), *block.rows]
        return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if sign in _SIGNS and block.kind in {Kind.BULLET, Kind.CHECK}:
        return [first.replace(sign, _SIGNS[sign], 1), *block.lines[1:]]
    return block.lines


def canonical(text: str) -> str:
    """Return a text in the template's layout: a fixed point, which reading and writing again leaves as it is."""
    for _ in range(MOST_ROUNDS):
        written = write(arrange(read(text)))
        if written == text:
            break
        text = written
    return text
