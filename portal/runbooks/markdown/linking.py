"""One truth: what the portal keeps of a system is linked from its runbook, never copied into it.

Reading, a line that says what the portal says is left out of the text; one that says otherwise stays and is a
conflict. Writing, what the portal keeps is put in where the template has it; reading that leaves it out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from portal.lib import durations
from portal.runbooks.markdown.blocks import Block, Kind, cells
from portal.runbooks.markdown.found import Content
from portal.runbooks.markdown.layout import Layout
from portal.runbooks.markdown.reading import Section
from portal.runbooks.markdown.times import minutes_of
from portal.runbooks.markdown.understanding import pair
from portal.runbooks.markdown.vocabulary import Place, Role, plain, role_of

LABELS: dict[Role, str] = {
    Role.SYSTEM_NAME: "System Name",
    Role.VERSION: "Version",
    Role.OWNER: "Owner",
    Role.LAST_UPDATED: "Last Updated",
    Role.ON_CALL: "On-Call Contact",
}
_ROLES = ("Primary Owner", "Security Lead", "Operations Lead")
_HEADER = ["| Role | Name | Contact | Backup |", "|------|------|---------|--------|"]
IN_SHEET = "in the contact sheet"
NOWHERE = "nothing"


@dataclass(frozen=True, slots=True)
class Known:
    """What the portal keeps of a system; empty without one. Times are in minutes, contacts are names by role."""

    facts: Mapping[Role, str] = field(default_factory=dict)
    contacts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rto: int | None = None
    rpo: int | None = None
    dashboard: str = ""

    def promised(self, kind: Role) -> int | None:
        """Return the recovery objective of a kind."""
        return self.rto if kind is Role.RTO else self.rpo


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a text says of a system and the portal says otherwise."""

    line: int
    what: str
    text: str
    portal: str


def same(one: str, other: str) -> bool:
    """Tell whether two values say the same, whatever their case and emphasis."""
    return " ".join(re.sub(r"[*_`<>]", "", one).lower().split()) == " ".join(other.lower().split())


def conflicts(content: Content, known: Known) -> Iterator[Conflict]:
    """Yield what a text says and the portal says otherwise, or does not keep at all."""
    for fact in content.facts:
        kept = known.facts.get(fact.role, "")
        if fact.value and not same(fact.value, kept):
            yield Conflict(fact.line, LABELS[fact.role], fact.value, kept or NOWHERE)
    for row in content.contacts:
        named, said = known.contacts.get(row["role"].strip("* ").lower()), row["name"].strip()
        if said and (named is None or not same(said, named[0])):
            yield Conflict(row.line, row["role"].strip("* ") or "Contact", said, named[0] if named else NOWHERE)
        elif row["backup"].strip() and named is not None and not same(row["backup"], named[1]):
            yield Conflict(row.line, f"Backup of {row['role']}", row["backup"], named[1] or NOWHERE)
    for promise in content.objectives:
        kept_minutes, what = known.promised(promise.kind), promise.kind.value.upper()
        where = f"{what} of {promise.tier}" if promise.tier else what
        if promise.tier or promise.minutes is None or promise.minutes != kept_minutes:
            yield Conflict(promise.line, where, promise.text, NOWHERE if kept_minutes is None else span(kept_minutes))


def span(minutes: int) -> str:
    """Return minutes as the template writes a promise."""
    return "none" if minutes == 0 else durations.words(minutes * durations.MINUTE)


def leave_out(layout: Layout, known: Known) -> None:
    """Take out of a text what the portal keeps, and the template's own lines with nothing in them."""
    for place, leaves in (
        (Place.SYSTEM, _is_fact),
        (Place.RTO, _is_promise),
        (Place.RPO, _is_promise),
        (Place.DASHBOARD, _is_dashboard),
    ):
        section = _whole(layout.places[place])
        gone = {b.line - section.first for b in section.blocks if leaves(b, place, known)}
        _keep(section, [line for at, line in enumerate(section.body) if at not in gone])
    contacts = _whole(layout.places[Place.CONTACTS])
    for block in [b for b in contacts.blocks if _has_contacts(b)][:1]:
        _leave_out_contacts(contacts, block, known)


def _whole(section: Section) -> Section:
    """Return a section whose lines are counted through, whatever places of a file they came from."""
    if len(section.chunks) > 1:
        section.replace(section.body)
    return section


def _keep(section: Section, body: list[str]) -> None:
    while body and not body[0].strip():
        body.pop(0)
    while body and not body[-1].strip():
        body.pop()
    section.replace(body)


def _is_fact(block: Block, _place: Place, known: Known) -> bool:
    name, value = pair(block)
    role = role_of(name) if name else None
    if role not in LABELS or plain(name) != plain(LABELS[role]):
        return False
    return not value or same(value, known.facts.get(role, ""))


def _is_promise(block: Block, place: Place, known: Known) -> bool:
    kept = known.promised(Role.RTO if place is Place.RTO else Role.RPO)
    return block.kind is Kind.TEXT and kept is not None and minutes_of(block.text) == kept


def _is_dashboard(block: Block, _place: Place, known: Known) -> bool:
    return bool(known.dashboard) and same(block.text, known.dashboard)


def _has_contacts(block: Block) -> bool:
    return block.kind is Kind.TABLE and [plain(cell) for cell in block.header] == ["role", "name", "contact", "backup"]


def _leave_out_contacts(section: Section, block: Block, known: Known) -> None:
    start, head = block.line - section.first, len(block.lines) - len(block.rows)
    rows = [line for line in block.lines[head:] if not _is_contact(cells(line), known)]
    kept = [*block.lines[:head], *rows] if rows else []
    _keep(section, [*section.body[:start], *kept, *section.body[start + len(block.lines) :]])


def _is_contact(row: list[str], known: Known) -> bool:
    """Tell whether a row says what the portal says of a role, or nothing of one of the template's."""
    role, name, contact, backup = (*row, "", "", "", "")[:4]
    if len(row) > 4:
        return False
    named = known.contacts.get(role.strip("* ").lower(), ("", ""))
    if not (name or contact or backup):
        return role in _ROLES
    return bool(named[0]) and same(name, named[0]) and contact in {"", IN_SHEET} and same(backup, named[1])


def fill_in(layout: Layout, known: Known) -> None:
    """Put what the portal keeps into a text, where the template has it."""
    system = layout.places[Place.SYSTEM]
    said = {role_of(pair(block)[0]) for block in system.blocks if pair(block)[0]}
    lines = [
        f"- **{words}**: {known.facts.get(role, '')}".rstrip() for role, words in LABELS.items() if role not in said
    ]
    _keep(system, [*lines, *([""] if lines and system.body else []), *system.body])
    for place, minutes in ((Place.RTO, known.rto), (Place.RPO, known.rpo)):
        if minutes is not None:
            _put_first(layout.places[place], span(minutes))
    if known.dashboard:
        _put_first(layout.places[Place.DASHBOARD], f"<{known.dashboard}>")
    _fill_in_contacts(layout.places[Place.CONTACTS], known)


def _put_first(section: Section, line: str) -> None:
    _keep(section, [line, *([""] if section.body else []), *section.body])


def _fill_in_contacts(section: Section, known: Known) -> None:
    block = next((b for b in _whole(section).blocks if _has_contacts(b)), None)
    stands = {row[0].strip("* ").lower() for row in block.rows} if block else set()
    roles = [*(role for role in _ROLES), *(r.title() for r in known.contacts if r.title() not in _ROLES)]
    rows = [_contact_line(role, known) for role in roles if role.lower() not in stands]
    if block is None:
        _keep(section, [*_HEADER, *rows, *([""] if section.body else []), *section.body])
        return
    at = block.line - section.first + len(block.lines) - len(block.rows)
    _keep(section, [*section.body[:at], *rows, *section.body[at:]])


def _contact_line(role: str, known: Known) -> str:
    name, backup = known.contacts.get(role.lower(), ("", ""))
    return f"| {role} | {name} | {IN_SHEET if name else ''} | {backup} |"
