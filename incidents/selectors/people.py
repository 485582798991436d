"""Who can be called about an incident, who was, and who answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Min

from incidents import clocks
from incidents.models import Incident, Responder
from portal.directory import services as directory
from portal.directory.enums import EmergencyRole, MethodKind
from portal.directory.models import Contact, ContactMethod, EmergencyContact, System
from portal.lib import times
from portal.notify.models import Message, MessageState
from portal.records.models import Note

MOST_MESSAGES = 500
SOON = timedelta(seconds=30)  # what is due by then is on its way


@dataclass(slots=True)
class Person:
    """Somebody to call: why they stand here, what they know of it, and who stands in."""

    contact: Contact
    roles: list[str] = field(default_factory=list)
    state: str = "Not paged"
    tone: str = ""
    phone: str = ""
    backup: Contact | None = None
    backup_phone: str = ""
    wants_backup: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """The people of an incident, and what is wrong with the table they come from, in sentences."""

    persons: list[Person]
    gaps: list[str]


def people_of(incident: Incident, *, at: datetime, user: Any = None) -> People:
    """Return the emergency contacts and the people on call of the affected systems, with what they know.

    Their numbers are left out unless `user` may see contact methods.
    """
    systems = list(incident.systems.all())
    tables = directory.emergency_contacts([system.pk for system in systems])
    team_ids = [system.owner_id for system in systems if system.owner_id]
    on_call = directory.on_call_many(team_ids, at=at)
    persons: dict[int, Person] = {}
    for system in systems:
        _add_on_call(persons, system, on_call)
        _add_table(persons, system, tables.get(system.pk, {}), named=len(systems) > 1)
    messages = _messages_of(incident)
    _add_paged(persons, messages)
    if user is not None:
        _add_phones(list(persons.values()), user)
    _add_states(incident, list(persons.values()), messages, at=at)
    return People(list(persons.values()), [gap for system in systems for gap in _gaps(system, tables, on_call)])


def _add_on_call(persons: dict[int, Person], system: System, on_call: dict[int, Contact]) -> None:
    contact = on_call.get(system.owner_id or 0)
    if contact is not None:
        role = f"On call, {system.owner}"
        person = persons.setdefault(contact.pk, Person(contact))
        if role not in person.roles:
            person.roles.append(role)


def _add_table(persons: dict[int, Person], system: System, table: dict[str, EmergencyContact], *, named: bool) -> None:
    order = {role: place for place, role in enumerate(EmergencyRole.values)}
    for role, row in sorted(table.items(), key=lambda item: order.get(item[0], 99)):
        person = persons.setdefault(row.contact_id, Person(row.contact))
        label = EmergencyRole(role).label
        person.roles.append(f"{label}, {system.name}" if named else label)
        person.backup = person.backup or row.backup
        person.wants_backup = True


def _gaps(system: System, tables: dict[int, Any], on_call: dict[int, Contact]) -> Iterable[str]:
    if system.owner_id is None:
        yield f"No team owns {system.name}."
    elif system.owner_id not in on_call:
        yield f"Nobody is on call for {system.owner}."
    if not tables.get(system.pk):
        yield f"{system.name} has no emergency contacts."


def _add_phones(persons: list[Person], user: Any) -> None:
    """Add the numbers to call, for whoever may see contact methods; whoever has left is not called."""
    ids = {person.contact.pk for person in persons} | {person.backup.pk for person in persons if person.backup}
    rows = ContactMethod.objects.visible_to(user).filter(
        contact_id__in=ids, contact__active=True, kind=MethodKind.PHONE, active=True
    )
    phones: dict[int, str] = {}
    for row in rows.order_by("position", "id"):
        phones.setdefault(row.contact_id, row.address)
    for person in persons:
        person.phone = phones.get(person.contact.pk, "")
        person.backup_phone = phones.get(person.backup.pk, "") if person.backup else ""


def _messages_of(incident: Incident) -> dict[int, list[Message]]:
    """Return the messages about the incident by person, oldest first."""
    kind = ContentType.objects.get_for_model(Incident)
    found: dict[int, list[Message]] = defaultdict(list)
    rows = Message.objects.filter(about_type=kind, about_id=incident.pk, contact__isnull=False)
    for message in rows.select_related("contact").order_by("created_at", "id")[:MOST_MESSAGES]:
        found[message.contact_id].append(message)
    return found


def _add_paged(persons: dict[int, Person], messages: dict[int, list[Message]]) -> None:
    """Add whoever was paged, by a policy or by hand, and does not stand in the table of the systems."""
    for contact_id, rows in messages.items():
        contact = rows[0].contact
        if contact is not None and contact_id not in persons and any(row.urgent for row in rows):
            persons[contact_id] = Person(contact, roles=["Paged for this incident"])


def _add_states(incident: Incident, persons: list[Person], messages: dict[int, list[Message]], *, at: datetime) -> None:
    acted, declared = _acted(incident, persons)
    working = set(Responder.objects.filter(incident=incident).values_list("contact_id", flat=True))
    for person in persons:
        pk = person.contact.pk
        person.state, person.tone = _told(messages.get(pk, []), at=at)
        if pk in declared and pk not in messages:
            person.state = f"Declared it {times.clock(declared[pk])}"
        if not person.contact.active:
            person.state, person.tone = "Has left; name somebody else", "red"
        if pk in acted:
            person.state, person.tone = f"Answered {times.clock(acted[pk])}", "green"
        if pk in working or pk == incident.commander_id:
            person.state = "Commands this incident" if pk == incident.commander_id else "Works on it"
            person.tone = "green"


def _acted(incident: Incident, persons: list[Person]) -> tuple[dict[int, datetime], dict[int, datetime]]:
    """Return when each person first wrote into the timeline, and who declared it: by that alone nobody answers."""
    by_user = {person.contact.user_id: person.contact.pk for person in persons if person.contact.user_id}
    kind = ContentType.objects.get_for_model(Incident)
    notes = Note.objects.filter(subject_type=kind, subject_id=incident.pk).order_by()
    authors = notes.values_list("kind", "actor_contact_id", "actor_user_id").annotate(first=Min("recorded_at"))
    acted: dict[int, datetime] = {}
    declared: dict[int, datetime] = {}
    for line, contact_id, user_id, moment in authors:
        pk = contact_id or by_user.get(user_id)
        if pk is not None:
            found = declared if line == "declared" else acted
            found[pk] = min(moment, found.get(pk, moment))
    return acted, declared


def _waiting(messages: list[Message], *, at: datetime) -> tuple[str, str]:
    """Return what a page that has not gone out yet waits for."""
    soonest = min(messages, key=lambda message: message.due_at)
    if soonest.due_at - at <= SOON:
        return "Page on its way", ""
    quiet = soonest.waits_while_quiet and soonest.contact is not None and soonest.contact.quiet_end(at)
    waits = "Quiet hours: the page waits" if quiet else "The page waits"
    return f"{waits} until {clocks.local(soonest.due_at, near=at)}", "amber"


def _told(messages: list[Message], *, at: datetime) -> tuple[str, str]:
    """Return what somebody was told, in words, with a tone where that needs a look."""
    outside = [message for message in messages if message.lane != "inbox" and message.state != MessageState.CANCELLED]
    sent = [message for message in outside if message.state == MessageState.SENT]
    if sent:
        first = sent[0]
        moment = times.clock(first.settled_at or first.created_at)
        if not first.urgent:
            return f"Told {moment}", ""
        again = f", {len(sent)} times" if len(sent) > 1 else ""
        return f"Paged {moment}{again}, no answer yet", ""
    if any(message.state in (MessageState.FAILED, MessageState.DEAD) for message in outside):
        return "The page did not get through", "amber"
    if outside:
        return _waiting(outside, at=at)
    if any(message.lane != "inbox" for message in messages):
        return "The page was cancelled before it went out", ""
    return ("Told in the inbox only", "amber") if messages else ("Not paged", "")


def unreachable(systems: list[System], *, at: datetime) -> set[int]:
    """Return the systems for which nobody could be paged now: no one on call, no emergency contact with a method."""
    tables = directory.emergency_contacts([system.pk for system in systems])
    on_call = directory.on_call_many([system.owner_id for system in systems if system.owner_id], at=at)
    wanted: dict[int, set[int]] = {}
    for system in systems:
        rows = tables.get(system.pk, {}).values()
        ids = {pk for row in rows for pk in (row.contact_id, row.backup_id) if pk}
        if system.owner_id in on_call:
            ids.add(on_call[system.owner_id].pk)
        wanted[system.pk] = ids
    reachable = set(directory.sending_methods(set().union(*wanted.values())) if wanted else ())
    return {pk for pk, ids in wanted.items() if not ids & reachable}


def contact_choices(everybody: list[Contact], incident: Incident | None, *, at: datetime) -> list[tuple[str, Any]]:
    """Return these people for a select, those nearest to the incident first; who cannot be paged is marked."""
    reachable = directory.sending_methods([contact.pk for contact in everybody])
    near = {person.contact.pk for person in people_of(incident, at=at).persons} if incident is not None else set()

    def option(contact: Contact) -> tuple[int, str]:
        title = f", {contact.title}" if contact.title else ""
        return contact.pk, f"{contact.name}{title}{'' if contact.pk in reachable else ' (no verified method)'}"

    groups = [
        ("For the affected systems", [option(contact) for contact in everybody if contact.pk in near]),
        ("Everybody", [option(contact) for contact in everybody if contact.pk not in near]),
    ]
    return [("", "Choose a person"), *((label, options) for label, options in groups if options)]
