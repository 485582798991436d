"""The verbs of accounts. Each asks for its reason: what somebody may do never changes without one."""

from __future__ import annotations

from datetime import datetime

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from portal.accounts import events, factors, passkeys, roles, throttle
from portal.accounts.models import User, end_sessions
from portal.audit.actor import By, acting, actor_of
from portal.audit.history import AuditHistory
from portal.lib.refusals import Refusal


class Refused(Refusal):
    """The verb does not apply; the sentence says why and what to do."""


def grant(user: User, slug: str, *, by: By, at: datetime, reason: str) -> None:
    """Give the account a role. KeyError is raised for a role that does not exist."""
    _set_role(user, slug, held=True, by=by, at=at, reason=reason)


def withdraw(user: User, slug: str, *, by: By, at: datetime, reason: str) -> None:
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


def unlock(user: User, *, by: By, at: datetime, reason: str) -> int:
    """Let somebody sign in again who was locked out by wrong passwords or codes; return how many locks went."""
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        locks = reset(username=user.username) + int(throttle.forget(user)) + throttle.forget_name(user.username)
        if locks:
            AuditHistory.of[User].record_event(user, "Sign-in unlocked")
    return locks


def is_locked(user: User, *, at: datetime) -> bool:
    """Tell whether wrong passwords lock this account out from some address or let it wait, or wrong codes lock it."""
    limit: int = settings.AXES_FAILURE_LIMIT
    return (
        throttle.is_spent(user, at=at)
        or throttle.waits(user.username, at=at)
        or AccessAttempt.objects.filter(username=user.username, failures_since_start__gte=limit).exists()
    )


def deactivate(user: User, *, by: By, at: datetime, reason: str) -> None:
    """Close the account: its sessions end at once, its name stays in every record."""
    _set_active(user, active=False, by=by, at=at, reason=reason)


def reactivate(user: User, *, by: By, at: datetime, reason: str) -> None:
    """Open a closed account again."""
    _set_active(user, active=True, by=by, at=at, reason=reason)


def _set_active(user: User, *, active: bool, by: By, at: datetime, reason: str) -> None:
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        locked.is_active = active
        locked.save()
    user.refresh_from_db()
    user.__dict__.pop("role_names", None)


def end_other_sessions(user: User, *, by: By, at: datetime) -> None:
    """End every session of the account. The page that asks keeps its own by taking the new stamp into it."""
    with acting(by=by, at=at), transaction.atomic():
        end_sessions([user.pk])
        events.factor(user, "Ended all other sessions")
    user.refresh_from_db(fields=["session_stamp"])


# Second factors. What is in the trail names the kind, never a secret.


def add_app(user: User, secret: str, *, counter: int, by: By, at: datetime) -> bool:
    """Give the account its authenticator app, proved by the code `counter`; return False when it has one.

    The first factor of an account ends its sessions: they were opened without one.
    """
    with acting(by=by, at=at), transaction.atomic():
        first = not factors.has_factor(user)
        if not factors.add_app(user, secret, counter=counter):
            return False
        _added(user, factors.NAMES[factors.Kind.TOTP], first=first)
    return True


def add_passkey(user: User, new: passkeys.NewPasskey, *, name: str, by: By, at: datetime) -> bool:
    """Give the account a passkey that was checked; return False when it has this one, or too many.

    The first factor of an account ends its sessions: they were opened without one.
    """
    with acting(by=by, at=at), transaction.atomic():
        first = not factors.has_factor(user)
        if not passkeys.store(user, new, name=name):
            return False
        _added(user, f"passkey “{name}”", first=first)
    return True


def _added(user: User, what: str, *, first: bool) -> None:
    events.factor(user, f"Second factor added: {what}")
    if first:
        end_sessions([user.pk])
        user.refresh_from_db(fields=["session_stamp"])


def make_recovery_codes(user: User, *, by: By, at: datetime) -> list[str]:
    """Return new recovery codes, which replace the old ones. Refused is raised for an account without a factor."""
    if not factors.has_factor(user):
        raise Refused("Set up an authenticator app or a passkey first. Recovery codes stand in for it.")
    with acting(by=by, at=at), transaction.atomic():
        codes = factors.new_recovery_codes(user)
        events.factor(user, "Recovery codes made; earlier ones no longer count")
    return codes


def remove_factor(user: User, pk: int, *, keep_one: bool, by: By, at: datetime) -> str:
    """Remove the app or a passkey and return its name. Refused is raised for the last one that is needed."""
    with acting(by=by, at=at), transaction.atomic():
        went = factors.remove(user, pk, keep_one=keep_one)
        if went is None:
            raise Refused("This one stays: your roles need a second factor. Add another one first, then remove it.")
        what = went.name if went.kind == factors.Kind.WEBAUTHN else factors.NAMES[factors.Kind.TOTP]
        events.factor(user, f"Second factor removed: {what}")
    return went.name


def reset_second_factor(user: User, *, by: By, at: datetime, reason: str) -> None:
    """Remove every second factor of somebody who lost theirs; their sessions end, and they enrol at the next sign-in.

    Refused is raised for one's own, and for an account that has none.
    """
    if actor_of(by).user_id == user.pk:
        raise Refused("Ask a colleague to reset yours: nobody resets their own second factor.")
    with acting(by=by, at=at, reason=reason), transaction.atomic():
        if not factors.remove_all(user):
            raise Refused(f"{user} has no second factor to reset.")
        throttle.forget(user)
        end_sessions([user.pk])
        events.factor(user, "Second factor reset: all of it removed", privileged=True)
