"""What stands on the contact sheet, and the sheet as one file that needs nothing but a browser."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe

from portal.directory import services as directory
from portal.directory.enums import EmergencyRole, MethodKind
from portal.directory.models import Contact, ContactMethod, EmergencyContact, System, Team
from portal.directory.oncall import reading
from portal.directory.oncall.reading import Line
from portal.lib.zones import zone_or_utc

AHEAD = timedelta(days=14)
STYLE = Path(__file__).with_name("sheet.css")
CALLED = (MethodKind.PHONE, MethodKind.VOICE, MethodKind.SMS)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the numbers to call and the addresses to write to."""

    contact: Contact
    numbers: list[str]
    mails: list[str]


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a system: who has it, nobody when they have left, and who stands in."""

    name: str
    person: Person | None
    backup: Person | None


@dataclass(frozen=True, slots=True)
class SystemLine:
    """A system: the team that owns it and the people of its roles."""

    system: System
    roles: list[Role]


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call from when until when: nobody in a hole; `until` is nothing where no end is in sight."""

    person: Person | None
    starts: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team: who is on call in the next two weeks, turn by turn and hole by hole."""

    team: Team
    duties: list[Duty]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole sheet, as of one moment."""

    at: datetime
    systems: list[SystemLine]
    teams: list[TeamLine]
    people: list[Person]
    zone: str


def sheet(*, at: datetime) -> Sheet:
    """Return what stands on the sheet at that moment. A fixed number of queries."""
    systems = list(System.objects.filter(active=True).select_related("owner").order_by("name"))
    teams = list(Team.objects.filter(active=True).order_by("name"))
    people = _people()
    table = directory.emergency_contacts([system.pk for system in systems])
    lines = reading.lines([team.pk for team in teams], starts=at, until=at + AHEAD + reading.BEYOND)
    return Sheet(
        at,
        [SystemLine(system, _roles(table.get(system.pk, {}), people)) for system in systems],
        [TeamLine(team, _duties(lines[team.pk], people, at=at)) for team in teams],
        sorted(people.values(), key=lambda one: one.contact.name),
        directory.company_calendar().time_zone,
    )


def _people() -> dict[int, Person]:
    """Return everybody who is still there, with what is known to reach them by, verified or not."""
    methods: dict[int, list[ContactMethod]] = defaultdict(list)
    rows = ContactMethod.objects.filter(active=True, contact__active=True).order_by("position", "pk")
    for method in rows:
        methods[method.contact_id].append(method)
    return {one.pk: _person(one, methods[one.pk]) for one in Contact.objects.filter(active=True)}


def _person(contact: Contact, methods: list[ContactMethod]) -> Person:
    numbers = [method.address for method in methods if method.kind in CALLED]
    mails = [method.address for method in methods if method.kind == MethodKind.EMAIL]
    return Person(contact, list(dict.fromkeys(numbers)), mails)


def _roles(table: Mapping[str, EmergencyContact], people: Mapping[int, Person]) -> list[Role]:
    rows = [(role.label, table[role.value]) for role in EmergencyRole if role.value in table]
    return [
        Role(str(label), people.get(row.contact_id), people.get(row.backup_id) if row.backup_id else None)
        for label, row in rows
        if row.contact_id in people or row.backup_id in people
    ]


def _duties(line: Line, people: Mapping[int, Person], *, at: datetime) -> list[Duty]:
    """Return the turns of the next two weeks with the holes between them; nothing when nobody is on call in any."""
    turns = line.turns()
    coming = reading.whole(line, turns, starts=at, until=at + AHEAD)
    found: list[Duty] = []
    covered = at
    for one in coming:
        if one.turn.starts > covered:
            found.append(Duty(None, covered, one.turn.starts))
        found.append(Duty(people.get(one.turn.contact_id), one.turn.starts, one.ends))
        covered = one.turn.until
    if coming and covered < at + AHEAD:
        found.append(Duty(None, covered, next((turn.starts for turn in turns if turn.starts >= covered), None)))
    return found


def as_file(*, at: datetime) -> str:
    """Return the sheet as one HTML file that fetches nothing, with moments in the zone of the company."""
    found = sheet(at=at)
    style = mark_safe(f"<style>{STYLE.read_text()}</style>")  # noqa: S308 - a file of our own
    with timezone.override(zone_or_utc(found.zone)):
        context = {"sheet": found, "style": style, "portal": settings.PORTAL_URL}
        return render_to_string("directory/sheet_file.html", context)
