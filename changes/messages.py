"""The words of the messages that changes send, rendered from templates/notify/, and to whom they go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from changes.models import Change
from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

OWED = "change_owed"
AUTHORISED = "change_authorised"
LATE_ROLLBACK = "change_late_rollback"
OVERRUN = "change_overrun"


def contacts_of(users: Iterable[User | None]) -> list[Contact]:
    """Return the entries in the directory of these accounts, of people who are still there."""
    ids = {user.pk for user in users if user is not None}
    return list(Contact.objects.filter(user__in=ids, active=True).order_by("pk"))


def authority() -> list[Contact]:
    """Return the people of the change authority and the managers: who hears of what is owed."""
    names = [BY_SLUG[slug].name for slug in ("change-approver", "manager")]
    return list(Contact.objects.filter(user__groups__name__in=names, user__is_active=True, active=True).distinct())


def tell(change: Change, contacts: Iterable[Contact], *, kind: str, key: str, at: datetime, **more: Any) -> None:
    """Queue one message of this kind about a change to each of these people, in their zone.

    `key` sets it apart from others of its kind about the same change. `more` is what the words need besides.
    """
    people = {contact.pk: contact for contact in contacts}
    methods = directory.sending_methods(people) if people else {}
    drafts: list[Draft] = []
    for contact in people.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            title, body = render(kind, {"change": change, "contact_name": contact.name, **more})
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=f"g{change.pk}:{kind}:{key}:c{contact.pk}",
            kind=kind, title=title, body=body, generation=1, url_path=change.get_absolute_url(),
            about=About(ContentType.objects.get_for_model(Change).pk, change.pk, change.reference),
        )  # fmt: skip
    notify.queue(drafts, at=at)
