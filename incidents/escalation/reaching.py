"""Whom the targets of a step reach at this moment, and the messages that page them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from incidents import messages
from incidents.enums import OUTSIDE_PAGE, Status, TargetKind
from incidents.models import Incident
from portal.directory import reaching as wishes
from portal.directory import services as directory
from portal.directory.enums import EmergencyRole
from portal.directory.models import Channel, Contact, ContactMethod, EmergencyContact
from portal.lib import times
from portal.lib.zones import zone_or_utc
from portal.notify.compose import Draft, draft_for_channel, page_drafts
from portal.notify.wording import render_body, render_title

REPEAT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody, or a channel, that a step reaches, and in which capacity.

    `last_resort` is whoever is asked because nobody else is there: a restricted incident is not theirs by that.
    """

    contact: Contact | None
    channel: Channel | None
    why: str
    last_resort: bool = False

    @property
    def name(self) -> str:
        """Return the name that the timeline shows."""
        return str(self.contact or self.channel)


@dataclass(slots=True)
class Reached:
    """Whom a step reaches, and a sentence for each target that reached nobody.

    `silent` names the people among those targets: they are there, and no message reaches them.
    """

    recipients: list[Recipient] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def needs_help(self) -> bool:
        """Tell whether targets failed and no person is reached: a channel alone answers nothing."""
        return bool(self.holes) and all(one.contact is None for one in self.recipients)

    def add(self, recipient: Recipient) -> None:
        """Add somebody once."""
        if all(one.contact != recipient.contact or one.channel != recipient.channel for one in self.recipients):
            self.recipients.append(recipient)


class Book:
    """The directory as a batch of steps needs it, read with a constant number of queries."""

    def __init__(self, targets: Iterable[Mapping[str, Any]], *, system_ids: Iterable[int], at: datetime) -> None:
        """Read contacts, channels, on-call people and emergency roles that these targets may reach."""
        wanted: dict[str, set[Any]] = defaultdict(set)
        for target in targets:
            wanted[str(target["kind"])].add(target.get("id") or target.get("role"))
        self.at = at
        self.contacts = Contact.objects.in_bulk(wanted[TargetKind.PERSON]) if wanted[TargetKind.PERSON] else {}
        self.channels = Channel.objects.in_bulk(wanted[TargetKind.CHANNEL]) if wanted[TargetKind.CHANNEL] else {}
        self.on_call: dict[int, Contact] = (
            directory.on_call_many(wanted[TargetKind.TEAM], at=at) if wanted[TargetKind.TEAM] else {}
        )
        self.roles: dict[int, dict[str, EmergencyContact]] = (
            directory.emergency_contacts(list(system_ids)) if wanted[TargetKind.ROLE] else {}
        )
        people = {*self.contacts, *(contact.pk for contact in self.on_call.values())}
        for rows in self.roles.values():
            people.update(pk for row in rows.values() for pk in (row.contact_id, row.backup_id) if pk)
        self.methods: dict[int, list[ContactMethod]] = directory.sending_methods(people) if people else {}
        self._rules = wishes.rules_of(people) if people else {}
        self._ways: dict[tuple[int, bool], list[wishes.Way]] = {}
        self._administrators: list[Contact] | None = None
        self._bodies: dict[tuple[Any, ...], str] = {}

    def body(self, kind: str, incident: Incident, values: Mapping[str, Any], *, zone: str = "") -> str:
        """Return the body of a page, with moments in `zone`. In a storm most are alike: those are rendered once."""
        told = messages.Told.of(incident)
        key = (kind, zone, told, *values.items())
        if key not in self._bodies:
            with timezone.override(zone_or_utc(zone) if zone else None):
                self._bodies[key] = render_body(kind, {**values, "incident": told})
        return self._bodies[key]

    def administrators(self) -> list[Recipient]:
        """Return the last resort: every administrator who is in the directory."""
        if self._administrators is None:
            self._administrators = directory.administrators()
            people = [one.pk for one in self._administrators]
            self.methods.update(directory.sending_methods(people))
            self._rules.update(wishes.rules_of(people))
        why = "administrator, the last resort"
        return [Recipient(one, None, why, last_resort=True) for one in self._administrators]

    def ways(self, contact: Contact, *, loud: bool) -> list[wishes.Way]:
        """Return over which methods this person is paged, each after how many seconds."""
        if (contact.pk, loud) not in self._ways:
            methods, rules = self.methods.get(contact.pk, []), self._rules.get(contact.pk, {})
            self._ways[contact.pk, loud] = wishes.ways(methods, rules, loud=loud)
        return self._ways[contact.pk, loud]

    def usable(self, contact: Contact | None) -> bool:
        """Tell whether somebody is still here and has a verified method."""
        return contact is not None and contact.active and bool(self.methods.get(contact.pk))

    def reach(self, targets: Iterable[Mapping[str, Any]], *, system_ids: Iterable[int]) -> Reached:
        """Return whom these targets reach now; the administrators when that is nobody."""
        reached = self.try_to_reach(targets, system_ids=system_ids)
        if not reached.recipients:
            self.add_last_resort(reached)
        return reached

    def try_to_reach(self, targets: Iterable[Mapping[str, Any]], *, system_ids: Iterable[int]) -> Reached:
        """Return whom these targets reach now, which may be nobody."""
        reached, systems = Reached(), list(system_ids)
        for target in targets:
            getattr(self, f"_{target['kind']}")(target, systems, reached)
        return reached

    def add_last_resort(self, reached: Reached) -> None:
        """Add the administrators."""
        for one in self.administrators():
            reached.add(one)

    def _person(self, target: Mapping[str, Any], _systems: list[int], reached: Reached) -> None:
        self._try(self.contacts.get(target["id"]), str(target["name"]), "named in the policy", reached)

    def _team(self, target: Mapping[str, Any], _systems: list[int], reached: Reached) -> None:
        contact = self.on_call.get(target["id"])
        if contact is None:
            reached.holes.append(f"Nobody is on call for {target['name']}.")
            return
        self._try(contact, contact.name, f"on call for {target['name']}", reached)

    def _channel(self, target: Mapping[str, Any], _systems: list[int], reached: Reached) -> None:
        channel = self.channels.get(target["id"])
        if channel is None or not channel.active:
            reached.holes.append(f"The channel {target['name']} is not in use any more.")
            return
        reached.add(Recipient(None, channel, "channel"))

    def _role(self, target: Mapping[str, Any], systems: list[int], reached: Reached) -> None:
        label = EmergencyRole(target["role"]).label
        rows = [self.roles[pk][target["role"]] for pk in systems if target["role"] in self.roles.get(pk, {})]
        if not rows:
            reached.holes.append(f"No affected system names a {label}.")
        for row in rows:
            if self.usable(row.contact) or not self.usable(row.backup):
                self._try(row.contact, row.contact.name, label, reached)
            else:
                reached.holes.append(f"{row.contact.name} ({label}) cannot be reached.")
                reached.silent.append(row.contact.name)
                self._try(row.backup, row.backup.name if row.backup else "", f"backup of the {label}", reached)

    def _try(self, contact: Contact | None, name: str, why: str, reached: Reached) -> None:
        if contact is None or not contact.active:
            reached.holes.append(f"{name} has left.")
        elif not self.methods.get(contact.pk):
            reached.holes.append(f"{name} has no verified contact method.")
            reached.silent.append(name)
        else:
            reached.add(Recipient(contact, None, why))


def held(incident: Incident, recipients: Iterable[Recipient], *, at: datetime) -> list[str]:
    """Return a sentence for each of those recipients whose quiet hours hold a page about this incident."""
    if incident.severity.ignores_quiet_hours:
        return []
    ends = {one.name: one.contact.quiet_end(at) for one in recipients if one.contact and not one.last_resort}
    return [
        f"{name} has quiet hours: the page waits until {times.exact(end)}, the escalation does not."
        for name, end in ends.items()
        if end is not None
    ]


def page(
    incident: Incident,
    recipients: Iterable[Recipient],
    book: Book,
    *,
    key: str,
    kind: str = messages.PAGE,
    words: str = messages.PAGE,
    context: Mapping[str, Any],
) -> list[Draft]:
    """Write the messages that page these recipients, each in their own words and zone.

    They repeat until somebody acknowledges, while nobody has. `key` makes them unique: a second call with the same
    key queues nothing twice. `words` names the templates when they are another kind's. Quiet hours hold them unless
    the severity ignores those; never for the last resort, after whom nobody follows.
    """
    drafts: list[Draft] = []
    facts = messages.facts(incident)
    common: dict[str, Any] = {
        "kind": kind,
        "title": render_title(words, {**facts, **context}),
        "about": messages.about(incident),
        "generation": incident.generation,
        "url_path": facts["url"],
        "urgent": True,
    }
    repeat = REPEAT_SECONDS if incident.status == Status.DECLARED else None
    for one in recipients:
        values = {**context, "contact_name": one.name, "why": one.why, "may_acknowledge": one.contact is not None}
        if one.contact is not None:
            drafts += page_drafts(
                one.contact,
                book.ways(one.contact, loud=incident.severity.pages_loudly),
                key=f"{key}:c{one.contact.pk}",
                body=book.body(words, incident, values, zone=one.contact.time_zone),
                action_path=messages.ACKNOWLEDGE_PATH,
                repeat_seconds=repeat,
                waits_while_quiet=not (incident.severity.ignores_quiet_hours or one.last_resort),
                **{**common, **({"kind": OUTSIDE_PAGE} if incident.restricted and one.last_resort else {})},
            )
        elif one.channel is not None:
            drafts.append(draft_for_channel(one.channel, key=key, body=book.body(words, incident, values), **common))
    return drafts
