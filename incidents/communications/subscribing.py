"""Following a system or an incident: begun and ended by a person for themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from incidents.models import Incident, Subscription
from incidents.policy import Refused
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory import services as directory
from portal.directory.models import Contact, System

NOT_SEEN = "There is no such {} that you may see."
MOST = 200


@transaction.atomic
def follow(subject: System | Incident, *, by: User, at: datetime, reason: str = "") -> Subscription:
    """Let somebody hear of what happens with a system or an incident; what they follow already stays as it is.

    Refused is raised for a record that they may not see, and for an incident that is over.
    """
    model = type(subject)
    if not model._default_manager.visible_to(by).filter(pk=subject.pk).exists():
        raise Refused(NOT_SEEN.format(model._meta.verbose_name))
    if isinstance(subject, Incident) and (subject.closed_at or subject.cancelled_at):
        raise Refused("It is over. Nothing more will be said about it.")
    with acting(by=by, at=at, reason=reason):
        person = directory.contact_for_user(by.pk, by=by, at=at)
        Contact.objects.select_for_update(of=("self",)).get(pk=person.pk)  # of two clicks, the second finds the first
        mine = Subscription.objects.active().filter(person=person)
        what = {"incident": subject} if isinstance(subject, Incident) else {"system": subject}
        standing = mine.filter(**what).first()
        if standing is not None:
            return standing
        if mine.count() >= MOST:
            raise Refused(f"You follow {MOST} things already. Stop following some of them first.")
        return Subscription.objects.create(person=person, started_at=at, started_by=by.as_actor().name, **what)


@transaction.atomic
def stop(subscription: Subscription, *, by: User, at: datetime, reason: str = "") -> Subscription:
    """End a subscription. Refused is raised for somebody else's; one that has ended stays as it is."""
    with acting(by=by, at=at, reason=reason):
        row = Subscription.objects.select_for_update(of=("self",)).select_related("person").get(pk=subscription.pk)
        if row.person.user_id != by.pk:
            raise Refused("Only its owner ends a subscription.")
        if row.ended_at is None:
            row.ended_at, row.ended_by = at, by.as_actor().name
            row.save()
    return row
