"""The words of the messages about windows, rendered from templates/notify/, and who gets them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from maintenance.models import Window
from portal.accounts.roles import BY_SLUG
from portal.directory import services as directory
from portal.directory.enums import EmergencyRole
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

BEGUN, OVER, OVERRUN = "maintenance_begun", "maintenance_over", "maintenance_overrun"
TOLD_ROLES = (EmergencyRole.PRIMARY_OWNER, EmergencyRole.OPERATIONS_LEAD, EmergencyRole.COMMUNICATIONS)
"""Who of the contacts of a system hears of its windows."""
MOST_NAMED = 8


def contacts_of(window: Window, *, at: datetime) -> list[Contact]:
    """Return the contacts of a window's systems; one who has left is stood in for. Without any, who is on call then."""
    systems = list(window.systems.all())
    table = directory.emergency_contacts([system.pk for system in systems])
    found: dict[int, Contact] = {}
    unheard: set[int] = set()
    for system in systems:
        rows = [row for role in TOLD_ROLES if (row := table.get(system.pk, {}).get(role)) is not None]
        people = [
            next((one for one in (row.contact, row.backup) if one is not None and one.active), None) for row in rows
        ]
        found |= {person.pk: person for person in people if person is not None}
        if not any(people) and system.owner_id is not None:
            unheard.add(system.owner_id)
    found |= {person.pk: person for person in directory.on_call_many(unheard, at=at).values()} if unheard else {}
    return sorted(found.values(), key=lambda person: person.pk)


def managers() -> list[Contact]:
    """Return the entries in the directory of those with the role of a manager."""
    rows = Contact.objects.filter(user__groups__name=BY_SLUG["manager"].name, user__is_active=True, active=True)
    return list(rows.distinct().order_by("pk"))


def tell(window: Window, *, kind: str, key: str, at: datetime, also: Iterable[Contact] = ()) -> list[Contact]:
    """Queue one message of this kind to each contact of the window's systems, in their zone, and return who gets it."""
    people = {contact.pk: contact for contact in [*contacts_of(window, at=at), *also]}
    methods = directory.sending_methods(people) if people else {}
    about = About(ContentType.objects.get_for_model(Window).pk, window.pk, window.reference)
    names = ", ".join(system.name for system in window.systems.all())
    drafts: list[Draft] = []
    for contact in people.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            title, body = render(kind, {"window": window, "systems": names, "contact_name": contact.name, "at": at})
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=f"mw{window.pk}:{key}:c{contact.pk}", kind=kind, title=title,
            body=body, url_path=window.get_absolute_url(), about=about,
        )  # fmt: skip
    notify.queue(drafts, at=at)
    return list(people.values())


def words_of(told: list[Contact]) -> str:
    """Return in a sentence who was told."""
    if not told:
        return ""
    names = ", ".join(contact.name for contact in told[:MOST_NAMED])
    more = len(told) - MOST_NAMED
    return f"Told {names} and {more} more." if more > 0 else f"Told {names}."
