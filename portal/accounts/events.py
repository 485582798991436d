"""Signing in and out, and proving who one is, as rows of the trail. No secret is told."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest

from portal.accounts.models import User
from portal.audit import trail
from portal.audit.actor import Actor, acting
from portal.audit.enums import Action
from portal.audit.middleware import ADDRESS_LENGTH

UNKNOWN = Actor(name="unknown")
NO_NAME = "(no user name)"
NAME = re.compile(r"[\w.@+-]{1,40}")  # what is longer or has other characters may be anything, a password included


def told_name(tried: str) -> str:
    """Return the user name that was tried as the trail keeps it: nothing that could not be one."""
    return tried if NAME.fullmatch(tried) else NO_NAME


def signed_in(request: HttpRequest, user: User, *, how: str) -> None:
    """Record that somebody signed in. `how` says with what: "password", "password and passkey"."""
    with acting(by=user, **_where(request)):
        _about(user, Action.SIGNED_IN, f"Signed in with {how}")


def signed_out(request: HttpRequest, user: User, *, why: str = "") -> None:
    """Record that somebody signed out, or why the portal ended their session."""
    with acting(by=user if not why else Actor(name="system: sessions"), **_where(request)):
        _about(user, Action.SIGNED_OUT, f"Signed out, {why}" if why else "Signed out")


def refused(request: HttpRequest | None, tried: str, *, why: str) -> None:
    """Record that a sign-in was refused. Whoever tried is unknown: a name is what they said."""
    known = User.objects.filter(username=tried[:150]).first() if tried and "\x00" not in tried else None
    with acting(by=UNKNOWN, **_where(request)):
        if known is not None:
            _about(known, Action.SIGN_IN_REFUSED, why)
        else:
            trail.record(Action.SIGN_IN_REFUSED, event=why, model="accounts.user", name=told_name(tried))


def proved(request: HttpRequest, user: User, *, how: str) -> None:
    """Record that somebody who is signed in confirmed who they are."""
    with acting(by=user, **_where(request)):
        _about(user, Action.EVENT, f"Confirmed with {how}")


def not_proved(request: HttpRequest, user: User, *, why: str) -> None:
    """Record that somebody in this account's session failed to confirm who they are; nothing when nothing was given."""
    if why:
        with acting(by=user, **_where(request)):
            _about(user, Action.EVENT, f"Confirmation refused: {why}")


def factor(user: User, event: str, *, privileged: bool = False) -> None:
    """Record what became of a second factor, as whoever acts."""
    _about(user, Action.EVENT, event, privileged=privileged)


def _about(user: User, action: Action, event: str, *, privileged: bool = False) -> None:
    trail.record(
        action,
        event=event,
        model="accounts.user",
        object_id=user.pk,
        reference=user.username[:40],
        name=str(user),
        privileged=privileged,
    )


def _where(request: HttpRequest | None) -> dict[str, Any]:
    """Return origin and address; the sign-in itself needs no other reason."""
    if request is None:
        return {}
    return {"origin": "web", "address": request.META.get("REMOTE_ADDR", "")[:ADDRESS_LENGTH]}
