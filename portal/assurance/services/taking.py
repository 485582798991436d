"""How an access review takes what it revokes: through the verbs that everybody else uses, with a row as evidence."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.assurance import policy
from portal.assurance.enums import Subject
from portal.assurance.models import Engagement, ReviewItem
from portal.assurance.policy import Refused
from portal.assurance.services import engagements
from portal.assurance.services.holdings import ACCOUNT
from portal.assurance.services.people import ADMINISTRATOR
from portal.audit.actor import By, acting
from portal.audit.models import TrailRow
from portal.directory import services as directory
from portal.directory.models import EmergencyContact

_FIELDS = {Subject.ROLE: "groups", Subject.SUPERUSER: "is_superuser", Subject.ACCOUNT: "is_active"}


def check_take(item: ReviewItem, *, by: policy.Person) -> None:
    """Refuse what no review may take: from a superuser by others, and the last role that administers."""
    if item.model != ACCOUNT:
        return
    user = User.objects.get(pk=item.object_id)
    if user.is_superuser and not by.superuser:
        raise Refused(policy.ONLY_A_SUPERUSER)
    if item.subject == Subject.ROLE and BY_SLUG[item.facts["role"]].name != ADMINISTRATOR:
        return
    administer = User.objects.filter(Q(is_superuser=True) | Q(groups__name=ADMINISTRATOR), is_active=True)
    if set(administer.values_list("pk", flat=True)) == {user.pk}:
        raise Refused(policy.LAST_ADMINISTRATOR)


def take(item: ReviewItem, *, by: By, at: datetime, reason: str) -> None:
    """Take what the item names from whoever holds it, through the verb that everybody else uses."""
    if item.subject == Subject.CONTACT:
        directory.remove_emergency_contact(EmergencyContact.objects.get(pk=item.object_id), by=by, at=at, reason=reason)
        return
    if item.subject == Subject.ENGAGEMENT:
        engagements.end(Engagement.objects.get(pk=item.object_id), by=by, at=at, reason=reason)
        return
    user = User.objects.get(pk=item.object_id)
    if item.subject == Subject.ROLE:
        accounts.withdraw(user, item.facts["role"], by=by, at=at, reason=reason)
    elif item.subject == Subject.ACCOUNT:
        accounts.deactivate(user, by=by, at=at, reason=reason)
    else:
        with acting(by=by, at=at, reason=reason):
            user.is_superuser = False
            user.save()


def evidence(item: ReviewItem) -> int | None:
    """Return the newest row of the trail about what the item names; nothing when there is none."""
    rows = TrailRow.objects.filter(model=item.model, object_id=item.object_id).order_by("-id")
    found: int | None = rows.values_list("id", flat=True).first()
    return found


def evidence_of_loss(item: ReviewItem) -> int | None:
    """Return the row of the trail that shows since when something is no longer held, as far as it can be told."""
    rows = TrailRow.objects.filter(model=item.model, object_id=item.object_id, id__gt=item.last_row or 0)
    name = _FIELDS.get(Subject(item.subject))
    if name is not None:
        rows = rows.filter(fields__contains=f" {name} ")
    found: int | None = rows.order_by("-id").values_list("id", flat=True).first()
    return found
