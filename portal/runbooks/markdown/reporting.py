"""What became of a file: counted, kept, recognised, and line by line what is only kept as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.runbooks.markdown import repairing
from portal.runbooks.markdown.blocks import Kind
from portal.runbooks.markdown.counting import count
from portal.runbooks.markdown.found import Content
from portal.runbooks.markdown.layout import Layout, arrange, canonical, write
from portal.runbooks.markdown.linking import Conflict, Known, conflicts, fill_in, leave_out
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.repairing import Repair
from portal.runbooks.markdown.secrets import Secret, secrets_in
from portal.runbooks.markdown.understanding import understand
from portal.runbooks.markdown.vocabulary import Place

_ONCE = frozenset({Place.PURPOSE, Place.SYSTEM, Place.CONTACTS, Place.RTO, Place.RPO, Place.HISTORY})
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is kept as text in its section."""

    line: int
    section: str
    text: str


@dataclass
class Reading:
    """A file as it was read: its text in the template's layout, and all that is said of it."""

    file: str
    source: str
    text: str
    written: str
    layout: Layout
    content: Content
    repairs: list[Repair]
    kept_as_text: list[Line]
    secrets: list[Secret]
    conflicts: list[Conflict] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        found, content = count(self.source), self.content
        kept = kept_characters(self.source, self.written)
        return {
            "file": self.file,
            "tables": {"found": found.tables, "structured": content.tables},
            "checkboxes": {"found": found.checkboxes, "structured": content.checkboxes},
            "numbered_steps": {"found": found.numbered_steps, "structured": content.numbered},
            "characters": {"read": len(_signs(self.source)), "kept": kept},
            "sections": [
                {"line": section.line, "title": section.title, "place": str(place or "")}
                for section, place, _ in self.layout.sections()
                if section.line
            ],
            "kept_as_text": [{"line": x.line, "section": x.section, "text": x.text} for x in self.kept_as_text],
            "conflicts": [{"line": x.line, "what": x.what, "text": x.text, "portal": x.portal} for x in self.conflicts],
            "repaired": [{"line": x.line, "found": x.found, "became": x.became} for x in self.repairs],
        }


def read_file(name: str, data: bytes, known: Known | None = None) -> Reading:
    """Read a file; it reads anything. `known` is what the portal keeps of the system that it is about."""
    known = known or Known()
    source, repairs = repairing.read(data)
    layout = arrange(read(source))
    content = understand(layout)
    return Reading(
        file=name,
        source=source,
        text=linked(canonical(source), known),
        written=filled(linked(canonical(source), known), known),
        layout=layout,
        content=content,
        repairs=repairs,
        kept_as_text=_kept(layout, content),
        secrets=secrets_in(source, content),
        conflicts=[*conflicts(content, known), *_twice(content)],
    )


def linked(text: str, known: Known) -> str:
    """Return a text in the template's layout without what the portal keeps."""
    layout = arrange(read(text))
    leave_out(layout, known)
    return canonical(write(layout))


def filled(text: str, known: Known) -> str:
    """Return a text in the template's layout with what the portal keeps: what an export is."""
    layout = arrange(read(text))
    fill_in(layout, known)
    return canonical(write(layout))


def _twice(content: Content) -> Iterator[Conflict]:
    """Yield the sections that a text has more than once, where there should be one."""
    seen: dict[str, tuple[str, int]] = {}
    for place, title, line in content.places:
        if place in _ONCE and place in seen:
            yield Conflict(line, f"Two sections for {place}", title, f"{seen[place][0]}, line {seen[place][1]}")
        seen.setdefault(place, (title, line))


def _kept(layout: Layout, content: Content) -> list[Line]:
    """Return the lines that are in no structure, in the order of the file."""
    lines = [Line(n, "", text) for n, text in enumerate(layout.front, start=1) if text.strip()]
    for section, _, _ in layout.sections():
        if section.line and section.line not in content.understood:
            lines.append(Line(section.line, section.title, section.title))
        words = (block for block in section.blocks if block.kind is not Kind.RULE)
        inside = {block.line + n for block in words for n in range(len(block.lines))}
        for number, text in section.numbered():
            if text.strip() and number in inside and number not in content.understood:
                lines.append(Line(number, section.title, text))
    return sorted(lines, key=lambda line: line.line)


def _signs(text: str) -> str:
    """Return a text without blanks: what is counted as its characters."""
    return "".join(text.split())


def kept_characters(source: str, text: str) -> int:
    """Return how many characters of a file stand in the text that is kept; signs of Markdown are no text.

    A word of the source that is missing counts as lost with all its letters; signs that only draw, such as the line
    under a heading, are counted with the source.
    """
    missing = Counter(_WORDS.findall(source)) - Counter(_WORDS.findall(text))
    lowered, whole = Counter(_WORDS.findall(text.lower())), _signs(text)
    lost = sum(
        len(word) * times
        for word, times in missing.items()
        if lowered[word.lower()] < times and not _is_parted(word, whole)
    )
    return len(_signs(source)) - lost


def _is_parted(word: str, whole: str) -> bool:
    """Tell whether glued words of a header, "StepActionOwner", stand in the text as its cells."""
    parts = re.findall(r"[A-Z][a-z]+", word)
    return len(parts) > 1 and "".join(parts) == word and "|".join(parts) in whole
