"""Secret addresses of calendars: made with a secret that is shown once, found by its digest, revoked for good."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from portal.audit.actor import By, acting, actor_of
from portal.directory.enums import FeedTopic
from portal.directory.models import CalendarFeed, Contact, System, Team
from portal.lib import digests

MOST_FEEDS = 20


@transaction.atomic
def make(
    owner: Contact,
    team: Team | None,
    *,
    by: By,
    at: datetime,
    topic: str = FeedTopic.ON_CALL,
    system: System | None = None,
) -> str:
    """Make an address of the owner's own turns, or of a team's, and return its secret, which is kept nowhere.

    With another `topic` it is an address of that: of the owner, of a team, or of a system.
    """
    Contact.objects.select_for_update().get(pk=owner.pk)
    standing = CalendarFeed.objects.filter(owner=owner, revoked_at=None)
    if standing.count() >= MOST_FEEDS:
        raise ValidationError(f"You have {MOST_FEEDS} calendar addresses. Revoke one first.")
    secret = digests.new_secret()
    feed = CalendarFeed(
        owner=owner, team=team, system=system, topic=topic, digest=digests.digest(secret), created_at=at,
        created_by=actor_of(by).name,
    )  # fmt: skip
    with acting(by=by, at=at):
        feed.save()
    return secret


@transaction.atomic
def revoke(feed: CalendarFeed, *, by: By, at: datetime) -> CalendarFeed:
    """Answer this address no longer. ValidationError is raised when it is revoked already."""
    feed = CalendarFeed.objects.select_for_update(of=("self",)).get(pk=feed.pk)
    if feed.revoked_at is not None:
        raise ValidationError(f"This address was revoked already, by {feed.revoked_by}.")
    feed.revoked_at, feed.revoked_by = at, actor_of(by).name
    with acting(by=by, at=at):
        feed.save()
    return feed


def find(secret: str, *, topic: str = FeedTopic.ON_CALL) -> CalendarFeed | None:
    """Return the address with this secret. Nothing when it is of something else, revoked, or its owner is gone."""
    if not secret.isascii():
        return None
    known = CalendarFeed.objects.select_related("owner__user", "team", "system")
    return known.filter(
        digest=digests.digest(secret), topic=topic, revoked_at=None, owner__active=True, owner__user__is_active=True
    ).first()


def address_of(secret: str, view: str = "directory:feed") -> str:
    """Return the whole address that a calendar reads, at the page of this name."""
    return f"{settings.PORTAL_URL}{reverse(view, args=[secret])}"
