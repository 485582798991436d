"""What the directory's pages show, read in a fixed number of queries however much there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.accounts.models import User
from portal.directory import rota, services
from portal.directory.enums import EmergencyRole, MethodKind
from portal.directory.models import Contact, ContactMethod, EmergencyContact, System, Team
from portal.directory.oncall.reading import Turn


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call for a team now, until when, and who follows. Without `until` no end is in sight."""

    contact: Contact | None = None
    until: datetime | None = None
    following: Turn | None = None


def duty_of(turns: list[Turn], at: datetime) -> Duty:
    """Return the duty of one team from its turns."""
    present = rota.holder(turns, at)
    until = services.held_until(turns, at)
    if present is None:
        return Duty(following=min(turns, key=lambda turn: turn.starts, default=None))
    return Duty(present.contact, until, rota.holder(turns, until) if until else None)


def duties(team_ids: Iterable[int], *, at: datetime) -> dict[int, Duty]:
    """Return the duty of each of the teams. At most seven queries."""
    return {pk: duty_of(turns, at) for pk, turns in services.turns_ahead(team_ids, at=at).items()}


@dataclass(frozen=True, slots=True)
class Reach:
    """How one person is reached: telephone numbers to call, mail addresses, and whether anything sent arrives."""

    phones: list[ContactMethod]
    mails: list[ContactMethod]
    verified: bool


NO_REACH = Reach([], [], verified=False)


def reach_of(contact_ids: Iterable[int], *, user: User) -> dict[int, Reach]:
    """Return how each person is reached: addresses that `user` may see, and whether a verified way stands.

    People without any method are missing. Two queries.
    """
    methods: dict[int, list[ContactMethod]] = defaultdict(list)
    rows = ContactMethod.objects.filter(contact_id__in=list(contact_ids), active=True)
    shown = set(ContactMethod.objects.visible_to(user).filter(pk__in=rows).values_list("pk", flat=True))
    for method in rows.order_by("position", "id"):
        methods[method.contact_id].append(method)
    return {pk: _reach(found, shown) for pk, found in methods.items()}


def _reach(methods: list[ContactMethod], shown: set[int]) -> Reach:
    return Reach(
        phones=[method for method in methods if method.kind == MethodKind.PHONE and method.pk in shown],
        mails=[method for method in methods if method.kind == MethodKind.EMAIL and method.pk in shown],
        verified=any(method.can_send and method.is_verified for method in methods),
    )


@dataclass(frozen=True, slots=True)
class Person:
    """One person in the emergency-contact table."""

    contact: Contact
    reach: Reach


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One line of the emergency-contact table: a role, who has it, who stands in. Both may be missing."""

    role: str
    contact: Person | None
    backup: Person | None


def emergency_table(system: System, *, user: User) -> list[RoleRow]:
    """Return the emergency contacts of one system, its most important roles always named. Three queries."""
    table = services.emergency_contacts([system.pk]).get(system.pk, {})
    people = [person for row in table.values() for person in (row.contact, row.backup) if person is not None]
    reach = reach_of({person.pk for person in people}, user=user)
    always = (EmergencyRole.PRIMARY_OWNER, EmergencyRole.SECURITY_LEAD, EmergencyRole.OPERATIONS_LEAD)
    return [
        _role_row(role, table.get(role.value), reach) for role in EmergencyRole if role in always or role.value in table
    ]


def _role_row(role: EmergencyRole, row: EmergencyContact | None, reach: Mapping[int, Reach]) -> RoleRow:
    def person(contact: Contact | None) -> Person | None:
        return None if contact is None else Person(contact, reach.get(contact.pk, NO_REACH))

    if row is None:
        return RoleRow(str(role.label), None, None)
    return RoleRow(str(role.label), person(row.contact), person(row.backup))


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One line of the list of systems."""

    system: System
    duty: Duty
    primary: Contact | None


def system_rows(systems: Iterable[System], *, at: datetime) -> list[SystemRow]:
    """Return the lines of the list. At most eight queries."""
    rows = list(systems)
    duty = duties({row.owner_id for row in rows if row.owner_id}, at=at)
    table = services.emergency_contacts([row.pk for row in rows])
    found = []
    for row in rows:
        primary = table.get(row.pk, {}).get(EmergencyRole.PRIMARY_OWNER)
        known = duty.get(row.owner_id, Duty()) if row.owner_id else Duty()
        found.append(SystemRow(row, known, primary.contact if primary else None))
    return found


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team with its duty."""

    team: Team
    duty: Duty


def team_rows(teams: Iterable[Team], *, at: datetime) -> list[TeamRow]:
    """Return the teams with who is on call. At most seven queries."""
    rows = list(teams)
    duty = duties([team.pk for team in rows], at=at)
    return [TeamRow(team, duty[team.pk]) for team in rows]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the list of people."""

    contact: Contact
    reach: Reach


def person_rows(people: Iterable[Contact], *, user: User) -> list[PersonRow]:
    """Return the people with how they are reached. Two queries."""
    rows = list(people)
    reach = reach_of([row.pk for row in rows], user=user)
    return [PersonRow(row, reach.get(row.pk, NO_REACH)) for row in rows]
