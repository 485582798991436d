"""What is understood of a text in the template's layout. What is not stays where it is, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from portal.runbooks.markdown import checklists, tables
from portal.runbooks.markdown.blocks import Block, Kind, is_box
from portal.runbooks.markdown.found import Content, Fact, Issue, Objective, Procedure, Row, Step
from portal.runbooks.markdown.layout import PROCEDURAL, Layout, labels, place_for
from portal.runbooks.markdown.reading import Section
from portal.runbooks.markdown.times import minutes_of
from portal.runbooks.markdown.vocabulary import OF_ISSUE, OF_PROCEDURE, Place, Role, place_of, plain, role_of

_SYSTEM = (Role.SYSTEM_NAME, Role.VERSION, Role.OWNER, Role.LAST_UPDATED, Role.ON_CALL)
_SAID = (Role.OBJECTIVE, Role.FREQUENCY, Role.RESTORE_TEST, Role.ROLLBACK)
_ITEMS = frozenset({Kind.NUMBER, Kind.CHECK, Kind.BULLET})
_EMPHASIS = r"(?:\*\*|__)?"
_OBJECTIVE = re.compile(
    rf"^(?:[-*+•]\s+)?{_EMPHASIS}\s*(?:target\s+)?(?:(?P<rto>rto|recovery time objective(?: \(rto\))?)"
    rf"|(?P<rpo>rpo|recovery point objective(?: \(rpo\))?))(?:\s*\((?P<what>[^)]*)\))?\s*(?:target)?"
    rf"\s*{_EMPHASIS}\s*[:=]\s*{_EMPHASIS}\s*(?P<said>\S.*)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"^step\s+(?P<number>\d{1,3})\s*[:.)\u2013\u2014-]?\s*(?P<text>\S.*)$", re.IGNORECASE)
_MEASURE = re.compile(r"^(?P<metric>[\w /%().-]{2,60}?)\s*:\s*(?P<bound>[<>≤≥=~]+\s*\d.*|\d+(?:\.\d+)?\s*%.*)$")


def understand(layout: Layout) -> Content:
    """Return what is understood of a text."""
    content = Content(title=layout.title.title)
    if layout.title.line:
        content.understood.add(layout.title.line)
    for section, place, above in layout.sections():
        _Reader(content, section, place, above).read()
    content.checklists = list(checklists.found(layout, content))
    return content


class _Reader:
    """Reads one section into what is understood so far."""

    def __init__(self, content: Content, section: Section, place: Place | None, above: tuple[str, ...]) -> None:
        self.content, self.section, self.above = content, section, above
        own = place_of(section.title)
        self.place = own or place_for(section) or (place if not above else None)
        self.under = place  # where it was put, by whatever is above it
        self.role = role_of(section.title) if above else None
        if section.line and (own is not None or self.role is not None):
            content.understood.add(section.line)
        if own is not None and section.line:
            content.places.append((own, section.title, section.line))

    def read(self) -> None:
        self._count()
        for block in self.section.blocks:
            if block.kind is Kind.TABLE:
                tables.read(self.content, block, self.section.title)
            self._objective(block)
        self._facts()
        self._lines()
        self._commands()
        self._entry()
        if self.place is Place.PURPOSE and self.section.body:
            self.content.purpose = self.content.purpose or "\n".join(self.section.body).strip()

    def _count(self) -> None:
        for block in _deep(self.section.blocks):
            if block.kind is Kind.TABLE:
                self.content.tables += 1
                self.content.checkboxes += sum(is_box(cell) for row in block.rows for cell in row)
            elif block.text and block.kind in {Kind.NUMBER, Kind.CHECK}:
                self.content.checkboxes += block.kind is Kind.CHECK
                self.content.numbered += bool(block.number)
                self.content.understood.add(block.line)

    # What is said of the system, and what was promised.

    def _facts(self) -> None:
        if self.place is not Place.SYSTEM:
            return
        for block in self.section.blocks:
            name, value = pair(block)
            role = role_of(name) if name else None
            if role in _SYSTEM:
                self.content.understood.add(block.line)
                self.content.facts.append(Fact(role, value, block.line))

    def _objective(self, block: Block) -> None:
        found = _OBJECTIVE.match(block.lines[0].strip()) if block.kind is not Kind.TABLE else None
        if found is not None:
            kind = Role.RTO if found["rto"] else Role.RPO
            self._promise(kind, found["said"], block.line, found["what"] or self._tier())
        elif self.place in {Place.RTO, Place.RPO} and block.kind in {Kind.TEXT, Kind.BULLET, Kind.LABEL}:
            name, value = pair(block)
            kind = Role.RTO if self.place is Place.RTO else Role.RPO
            words = value or block.text
            self._promise(kind, words or name, block.line, name if words else "")

    def _promise(self, kind: Role, words: str, line: int, tier: str = "") -> None:
        said = re.sub(r"\*\*|__", "", words).strip()
        self.content.objectives.append(Objective(kind, said, line, tier, minutes_of(said)))
        self.content.understood.add(line)

    def _tier(self) -> str:
        known = self.place in {Place.RTO, Place.RPO, Place.RECOVERY, Place.PURPOSE, Place.SYSTEM}
        return "" if known or not self.above else self.section.title

    # Lines whose place says what they are.

    def _lines(self) -> None:
        lists: dict[Place | None, tuple[list[Row], str]] = {
            Place.LOGS: (self.content.logs, "location"),
            Place.REFERENCES: (self.content.references, "text"),
            Place.DASHBOARD: (self.content.dashboards, "text"),
            Place.METRICS: (self.content.metrics, "metric"),
        }
        into = lists.get(self.place)
        role: Role | None = None
        for block in self.section.blocks:
            if block.kind is Kind.LABEL:
                role = role_of(block.label) or (role if block.text else None)
                if role_of(block.label) in {Role.METRICS, Role.THRESHOLDS, Role.RESPONSE_TIME, Role.LOGS}:
                    self.content.understood.add(block.line)
            if block.kind in {Kind.TABLE, Kind.CODE} or (not block.text and not block.label):
                continue
            self._line(block, into, role)

    def _line(self, block: Block, into: tuple[list[Row], str] | None, role: Role | None) -> None:
        measured = _MEASURE.match(block.text) if block.kind is Kind.BULLET else None
        row: tuple[list[Row], dict[str, str]] | None = None
        if measured and (role is Role.THRESHOLDS or self.place is Place.MONITORING):
            row = self.content.thresholds, {"metric": measured["metric"], "critical": measured["bound"]}
        elif block.kind is Kind.BULLET and role is Role.METRICS:
            row = self.content.metrics, {"metric": block.text}
        elif block.kind is Kind.BULLET and role is Role.RESPONSE_TIME:
            level, _, time = block.text.partition(":")
            row = self.content.response_times, {"level": level, "time": time.strip()}
        elif into is not None and block.kind is not Kind.NUMBER:
            row = into[0], {into[1]: " ".join(part for part in (block.label, block.text) if part)}
        if row is not None:
            row[0].append(Row(row[1], block.line))
            self.content.understood.add(block.line)

    def _commands(self) -> None:
        before = ""
        for block in self.section.blocks:
            for code in [block] if block.kind is Kind.CODE else [b for b in _deep([block]) if b.kind is Kind.CODE]:
                for text, about, at in _commands(code):
                    values = {"command": text, "description": about or before, "language": code.label}
                    self.content.commands.append(Row(values, code.line + at))
                    self.content.understood.update(range(code.line + at, code.line + at + text.count("\n") + 1))
            before = block.text if block.kind in {Kind.TEXT, Kind.NUMBER, Kind.BULLET, Kind.CHECK} else block.label

    # Procedures and entries of the guide.

    def _entry(self) -> None:
        roles = {role_of(b.label) for b in labels(self.section)} | {role_of(part.title) for part in self.section.parts}
        if self.role in OF_ISSUE | OF_PROCEDURE and self._belongs_above():
            return
        if self.place is Place.ISSUES and (len(roles & OF_ISSUE) > 0 or plain(self.section.title).startswith("issue ")):
            entry: Issue | Procedure = Issue(self.section.title, self.section.line, self.above)
            start = Role.SYMPTOMS
        else:
            place = next((one for one in (self.place, self.under) if one in PROCEDURAL), None) or Place.PROCEDURES
            entry, start = (
                Procedure(self.section.title or self.content.title, place, self.section.line, self.above),
                Role.STEPS,
            )
        self._take(entry, self.section, start)
        for part in self.section.parts:
            role, counted = role_of(part.title), _COUNTED.match(part.title)
            if counted and isinstance(entry, Procedure):
                detail = "\n".join(part.body)
                entry.steps.append(Step(start, counted["text"], part.line, f"{counted['number']}.", detail=detail))
                self.content.understood.add(part.line)
            elif role in OF_ISSUE | OF_PROCEDURE | set(_SAID):
                self._take(entry, part, role)
        ticked = any(step.number or step.tick or step.role not in {Role.STEPS, Role.SYMPTOMS} for step in entry.steps)
        if isinstance(entry, Issue) and (entry.steps or entry.said):
            self.content.issues.append(entry)
        elif isinstance(entry, Procedure) and (ticked or (self.place in PROCEDURAL and entry.steps)):
            self.content.procedures.append(entry)

    def _belongs_above(self) -> bool:
        return bool(self.above) and self.place not in PROCEDURAL

    def _take(self, entry: Issue | Procedure, section: Section, role: Role) -> None:
        step: int | None = None  # how far the last step is indented: a point further in belongs to it
        for block in section.blocks:
            if block.kind is Kind.LABEL:
                counted = _COUNTED.match(block.label)
                if counted and role is Role.STEPS:
                    words = " ".join(part for part in (counted["text"], block.text) if part)
                    entry.steps.append(Step(role, words, block.line, f"{counted['number']}."))
                    self.content.understood.add(block.line)
                    continue
                named = role_of(block.label)
                if named in OF_ISSUE | OF_PROCEDURE | set(_SAID):
                    role = named
                    self.content.understood.add(block.line)
                    if block.text:
                        entry.said[role] = f"{entry.said.get(role, '')}\n{block.text}".strip()
                    continue
            nested = step is not None and block.depth > step
            if block.kind in _ITEMS and block.text and (block.kind is not Kind.BULLET or nested or self._means(role)):
                step = step if block.kind is Kind.BULLET else block.depth
                entry.steps.append(_step(block, role))
                self.content.understood.add(block.line)
            elif block.kind in {Kind.TEXT, Kind.LABEL} and role is not Role.STEPS and self._means(role):
                words = block.text if block.kind is Kind.TEXT else f"{block.label}: {block.text}"
                entry.said[role] = f"{entry.said.get(role, '')}\n{words}".strip()
                self.content.understood.add(block.line)

    @cached_property
    def _points_are_steps(self) -> bool:
        """Whether points without a number are steps here: under a label or heading that says steps."""
        return self.role is Role.STEPS or any(role_of(b.label) is Role.STEPS for b in labels(self.section))

    def _means(self, role: Role) -> bool:
        """Tell whether points without a number are steps: under a label or heading that says what they are for."""
        return role is not Role.STEPS or self._points_are_steps


def pair(block: Block) -> tuple[str, str]:
    """Return the two sides of a line such as "**Owner**: Ann" or "- Owner: Ann"; "" without a name."""
    if block.kind is Kind.LABEL:
        return block.label, block.text
    if block.kind is Kind.BULLET:
        found = re.match(r"^(?:\*\*|__)?([^*_:]{1,60}?)\s*(?::\s*(?:\*\*|__)|(?:\*\*|__)?\s*:)\s*(.*)$", block.text)
        if found:
            return found[1].strip(), found[2].strip()
    return "", ""


def _step(block: Block, role: Role) -> Step:
    detail = "\n".join(block.detail).strip("\n")
    return Step(role, block.text, block.line, block.number, block.depth, detail, block.kind is Kind.CHECK)


def _deep(blocks: list[Block]) -> Iterator[Block]:
    """Yield blocks, and those in what belongs to an item."""
    from_detail = (block for block in blocks if block.detail)
    yield from blocks
    for item in from_detail:
        yield from _deep(tables.blocks_in(item))


def _commands(code: Block) -> Iterator[tuple[str, str, int]]:
    """Yield the commands in a fence of shell code, each with the comment above it and how many lines in it stands."""
    if code.label.split(" ")[0].lower() not in {
        "",
        "bash",
        "sh",
        "shell",
        "console",
        "zsh",
        "terminal",
        "powershell",
        "sql",
    }:
        return
    about, lines = "", code.text.split("\n")
    at = 0
    while at < len(lines):
        line, start = lines[at].strip(), at
        while line.endswith("\\") and at + 1 < len(lines):
            at += 1
            line = f"{line}\n{lines[at].strip()}"
        here = re.search(r"<<-?\s*['\"]?(\w+)", line)
        end = next((n for n in range(at + 1, len(lines)) if here and lines[n].strip() == here[1]), at)
        line, at = "\n".join([line, *lines[at + 1 : end + 1]]), end
        if not line:
            about = ""
        elif line.startswith("#"):
            about = line.lstrip("# ").strip()
        else:
            yield line.removeprefix("$ "), about, start + 1
        at += 1
