"""Whom a message to an audience reaches: the list as it was shown, and the ways to each as they stand now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from incidents.enums import Audience
from incidents.models import AudienceMember, Incident
from portal.directory import services as directory
from portal.directory.models import Channel, Contact, ContactMethod, Team

Listed = dict[str, Any]
NOT_TO_CUSTOMERS = "This is a drill: no customer is told. Those who take part get a copy, and the message is recorded."


@dataclass(slots=True)
class Reach:
    """The people and channels that a message goes to, and a sentence for each that it does not.

    `recorded_anyway`: it counts as told though it reaches nobody, as in a drill.
    """

    people: list[Contact] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    methods: dict[int, list[ContactMethod]] = field(default_factory=dict)
    recorded_anyway: bool = False

    @property
    def names(self) -> list[str]:
        """Return the names of all, channels first."""
        return [*(str(one) for one in self.channels), *(one.name for one in self.people)]

    @property
    def nobody(self) -> bool:
        """Tell whether the message would go to nobody at all, and be no message."""
        return not self.people and not self.channels and not self.recorded_anyway


def listed(audience: str, *, system_ids: Collection[int]) -> list[Listed]:
    """Return who stands on the list of an audience for these systems, each once: kind, id and name."""
    rows = AudienceMember.objects.filter(
        Q(system=None) | Q(system_id__in=list(system_ids)), audience=audience, active=True
    )
    found: dict[tuple[str, int], Listed] = {}
    for row in rows.select_related("contact", "team", "channel").order_by("id"):
        for kind in ("channel", "team", "contact"):
            member = getattr(row, kind)
            if member is not None:
                found.setdefault((kind, member.pk), {"kind": kind, "id": member.pk, "name": str(member)})
    return list(found.values())


def described(recipients: Iterable[Listed]) -> list[str]:
    """Return the names on a list as people say them: a team by its name and that it is one."""
    return [f"{one['name']} (team)" if one["kind"] == "team" else str(one["name"]) for one in recipients]


def reach_of(incident: Incident, audience: str, recipients: Iterable[Listed]) -> Reach:
    """Return whom a message about an incident reaches now, see `reach`; of a drill only people of the company.

    In a drill customers and their channels are never told: those who take part get a copy of what they would read. Of
    the other audiences, people without an account are left out. It is recorded as told all the same.
    """
    if not incident.is_drill:
        return reach(recipients)
    if audience == Audience.CUSTOMERS:
        found = reach({"kind": "contact", "id": pk, "name": ""} for pk in _taking_part(incident))
        found.holes = [NOT_TO_CUSTOMERS]
    else:
        found = reach(recipients)
        outside = [one for one in found.people if one.user_id is None]
        found.holes += [f"{one.name} has no account here and is not told in a drill." for one in outside]
        found.people = [one for one in found.people if one.user_id is not None]
    found.recorded_anyway = True
    return found


def _taking_part(incident: Incident) -> list[int]:
    """Return who commands or works on an incident."""
    people = incident.responders.order_by("contact_id").values_list("contact_id", flat=True)
    return list(dict.fromkeys([*filter(None, [incident.commander_id]), *people]))


def reach(recipients: Iterable[Listed]) -> Reach:
    """Return whom a list reaches now. Four queries at most, however long it is."""
    ids: dict[str, dict[int, str]] = {"channel": {}, "team": {}, "contact": {}}
    for one in recipients:
        ids[one["kind"]][int(one["id"])] = str(one["name"])
    found = Reach()
    found.channels = list(Channel.objects.filter(pk__in=ids["channel"], active=True).order_by("name"))
    found.holes += [f"The channel {name} is no longer in use." for name in _missing(ids["channel"], found.channels)]
    in_teams = Q(teams__in=Team.objects.filter(pk__in=ids["team"], active=True))
    people = Contact.objects.filter(Q(pk__in=ids["contact"]) | in_teams, active=True).distinct().order_by("name", "id")
    candidates = list(people.select_related("user"))
    found.holes += [f"{name} has left." for name in _missing(ids["contact"], candidates)]
    found.methods = directory.sending_methods([one.pk for one in candidates])
    for person in candidates:
        if person.user_id is not None or person.pk in found.methods:
            found.people.append(person)
        if person.pk not in found.methods:
            found.holes.append(f"{person.name} has no verified contact method{_inbox(person)}.")
    return found


def _inbox(person: Contact) -> str:
    return ", and is told in the portal's inbox only" if person.user_id is not None else ""


def _missing(wanted: dict[int, str], found: Iterable[Any]) -> list[str]:
    there = {one.pk for one in found}
    return [name for pk, name in wanted.items() if pk not in there]
