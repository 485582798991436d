"""Directory rows for tests: each factory makes the smallest row that is valid and works, under any open `acting`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from portal.directory.enums import Clock, EmergencyRole, LimitUnit, MethodKind, Tone
from portal.directory.models import (
    Calendar,
    CalendarDay,
    Channel,
    Contact,
    ContactMethod,
    EmergencyContact,
    OnCallShift,
    RecoveryObjective,
    Severity,
    SeverityClock,
    System,
    Team,
)

NOON = datetime(
    2026, 11, 17, 12, 0, tzinfo=UTC
)  # a Tuesday: the moment at which tests happen unless they say otherwise
_numbers = count(1)


def make_contact(name: str = "", *, user: Any = None, reachable: bool = True, **fields: Any) -> Contact:
    """A person; unless `reachable=False`, with one verified e-mail address."""
    number = next(_numbers)
    contact = Contact.objects.create(name=name or f"Person {number}", user=user, **fields)
    if reachable:
        make_method(contact)
    return contact


def make_method(
    contact: Contact, *, kind: str = MethodKind.EMAIL, address: str = "", verified: bool = True, **fields: Any
) -> ContactMethod:
    """A way to reach somebody, verified, after those that the person already has."""
    number = next(_numbers)
    addresses = {
        MethodKind.EMAIL: f"person{number}@example.org",
        MethodKind.NTFY: f"ntfy://ntfy.example.org/person-{number}",
        MethodKind.SLACK: f"slack://TAAAAAAAA/BAAAAAAAA/{number:024d}",
        MethodKind.TEAMS: f"workflows://teams.example.org/{number:032d}/signature-{number}",
        MethodKind.PUSHOVER: f"pover://{number:030d}@{'t' * 30}",
        MethodKind.SMS: f"+44 20 7946 {number:04d}",
        MethodKind.VOICE: f"+44 20 7946 {number:04d}",
        MethodKind.PHONE: f"+44 20 7946 {number:04d}",
    }
    fields.setdefault("position", contact.methods.count() + 1)
    fields.setdefault("verified_at", NOON - timedelta(days=30) if verified else None)
    return ContactMethod.objects.create(
        contact=contact, kind=kind, address=address or addresses[MethodKind(kind)], **fields
    )


def make_team(
    slug: str = "", *, members: list[Contact] | None = None, on_call: Contact | None = None, **fields: Any
) -> Team:
    """A team (the seeded one when the slug is taken), with `on_call` on call for a week around NOON."""
    slug = slug or f"team-{next(_numbers)}"
    team = Team.objects.filter(slug=slug).first() or Team.objects.create(
        slug=slug, name=fields.pop("name", slug.replace("-", " ").capitalize()), **fields
    )
    if members:
        team.members.add(*members)
    if on_call is not None:
        make_shift(team, on_call)
    return team


def make_shift(
    team: Team,
    contact: Contact,
    *,
    starts: datetime = NOON - timedelta(days=1),
    until: datetime = NOON + timedelta(days=7),
) -> OnCallShift:
    """Somebody on call for the team, from the day before NOON for eight days unless told otherwise."""
    return OnCallShift.objects.create(team=team, contact=contact, starts=starts, until=until)


def make_system(
    slug: str = "", *, owner: Team | None = None, rto: int | None = None, rpo: int | None = None, **fields: Any
) -> System:
    """A system; with `rto` or `rpo` (minutes) also its recovery objective."""
    slug = slug or f"system-{next(_numbers)}"
    fields.setdefault("name", slug.replace("-", " ").title())
    system = System.objects.create(slug=slug, owner=owner, **fields)
    if rto is not None or rpo is not None:
        RecoveryObjective.objects.create(system=system, rto_minutes=rto, rpo_minutes=rpo)
    return system


def make_emergency_contact(
    system: System, contact: Contact, *, role: str = EmergencyRole.PRIMARY_OWNER, backup: Contact | None = None
) -> EmergencyContact:
    """One line of the system's emergency-contact table."""
    return EmergencyContact.objects.create(system=system, role=role, contact=contact, backup=backup)


def make_channel(name: str = "", *, kind: str = MethodKind.EMAIL, address: str = "", **fields: Any) -> Channel:
    """A shared address."""
    number = next(_numbers)
    return Channel.objects.create(
        name=name or f"Channel {number}", kind=kind, address=address or f"channel{number}@example.org", **fields
    )


def make_calendar(name: str = "", *, days_off: dict[Any, str] | None = None, **fields: Any) -> Calendar:
    """A calendar with no country of its own; `days_off` maps dates to their names."""
    calendar = Calendar.objects.create(name=name or f"Calendar {next(_numbers)}", **fields)
    for date, words in (days_off or {}).items():
        CalendarDay.objects.create(calendar=calendar, date=date, name=words)
    return calendar


def make_severity(level: int = 1, *, clocks: dict[str, int] | None = None) -> Severity:
    """The severity of that level: the seeded one, or a plain one. `clocks` sets limits in minutes by clock."""
    severity = Severity.objects.filter(level=level).first() or Severity.objects.create(
        level=level,
        code=f"SEV-{level}",
        name=["Critical", "High", "Medium", "Low"][min(level, 4) - 1],
        description=f"Level {level}",
        tone=[Tone.RED, Tone.ORANGE, Tone.AMBER, Tone.GREY][min(level, 4) - 1],
        is_major=level <= 2,
    )
    for clock, minutes in (clocks or {}).items():
        set_clock(severity, clock, minutes)
    return severity


def set_clock(
    severity: Severity, clock: str, limit: int, *, unit: str = LimitUnit.MINUTES, repeat: int | None = None
) -> SeverityClock:
    """Give the severity this limit for this clock, replacing the seeded one."""
    row = SeverityClock.objects.filter(severity=severity, clock=Clock(clock)).first()
    row = row or SeverityClock(severity=severity, clock=Clock(clock))
    row.limit, row.unit, row.repeat_minutes = limit, unit, repeat
    row.save()
    return row
