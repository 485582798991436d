"""Single-use secret links: made at each delivery, shown any number of times, redeemed once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from portal.lib.digests import digest, new_secret
from portal.notify.models import ActionLink, Message

LIFETIME = timedelta(hours=24)


class LinkRefused(ValueError):
    """A link that is unknown, used or too old; the sentence says what to do instead."""


def make_link(message: Message, *, at: datetime) -> str:
    """Return the whole address of a new single-use link for this delivery. Only the digest of its secret is kept."""
    secret = new_secret()
    ActionLink.objects.create(message=message, digest=digest(secret), created_at=at, expires_at=at + LIFETIME)
    return f"{settings.PORTAL_URL}{message.action_path}{secret}/"


def peek(secret: str, *, at: datetime) -> ActionLink:
    """Return the link without using it up, since scanners open links first. LinkRefused says why it is not valid."""
    return _checked(ActionLink.objects.all(), secret, at)


@transaction.atomic
def redeem(secret: str, *, at: datetime) -> ActionLink:
    """Use the link up, in the caller's transaction, and return it. LinkRefused is raised from the second time on."""
    link = _checked(ActionLink.objects.select_for_update(of=("self",)), secret, at)
    link.used_at = at
    link.save(update_fields=["used_at"])
    return link


def _checked(links: QuerySet[ActionLink], secret: str, at: datetime) -> ActionLink:
    link = links.filter(digest=digest(secret)).select_related("message", "message__contact").first()
    if link is None:
        raise LinkRefused("This link is not known. Sign in and open the incident instead.")
    if link.used_at is not None:
        raise LinkRefused("This link has been used. Sign in to do more.")
    if link.expires_at <= at:
        raise LinkRefused("This link has expired. Sign in and open the incident instead.")
    return link
