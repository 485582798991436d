"""The verbs of accounts."""

from __future__ import annotations

from datetime import datetime

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from portal.accounts import roles
from portal.accounts.models import User
from portal.audit.actor import By, acting
from portal.audit.history import AuditHistory


def grant(user: User, slug: str, *, by: By, at: datetime, reason: str = "") -> None:
    """Give the account a role. KeyError is raised for a role that does not exist."""
    _set_role(user, slug, held=True, by=by, at=at, reason=reason)


def withdraw(user: User, slug: str, *, by: By, at: datetime, reason: str = "") -> None:
    """Take a role from the account. KeyError is raised for a role that does not exist."""
    _set_role(user, slug, held=False, by=by, at=at, reason=reason)


def _set_role(user: User, slug: str, *, held: bool, by: By, at: datetime, reason: str) -> None:
    group = Group.objects.get(name=roles.BY_SLUG[slug].name)
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        if held:
            user.groups.add(group)
        else:
            user.groups.remove(group)
    user.__dict__.pop("role_names", None)


def unlock(user: User, *, by: By, at: datetime, reason: str = "") -> int:
    """Let somebody sign in again who was locked out by too many wrong passwords; return how many locks went."""
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        locks = reset(username=user.username)
        if locks:
            AuditHistory.of[User].create_historical_record(user, "~", event="Sign-in unlocked")
    return locks


def is_locked(user: User) -> bool:
    """Tell whether wrong passwords lock this account out from some address."""
    limit: int = settings.AXES_FAILURE_LIMIT
    return AccessAttempt.objects.filter(username=user.username, failures_since_start__gte=limit).exists()


def deactivate(user: User, *, by: By, at: datetime, reason: str = "") -> None:
    """Close the account: its sessions end at once, its name stays in every record."""
    _set_active(user, active=False, by=by, at=at, reason=reason)


def reactivate(user: User, *, by: By, at: datetime, reason: str = "") -> None:
    """Open a closed account again."""
    _set_active(user, active=True, by=by, at=at, reason=reason)


def _set_active(user: User, *, active: bool, by: By, at: datetime, reason: str) -> None:
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        locked.is_active = active
        locked.save()
    user.refresh_from_db()
    user.__dict__.pop("role_names", None)
