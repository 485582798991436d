"""Intake addresses: made with a secret that is shown once, found by its digest, revoked for good."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from incidents.models import IntakeToken
from incidents.policy import Refused
from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Severity
from portal.lib import digests


def add(
    *, name: str, kind: str, by: By, at: datetime, reason: str, default_severity: Severity | None = None
) -> tuple[IntakeToken, str]:
    """Make an intake address and return it with its secret. ValidationError names a field that is wrong."""
    token = IntakeToken(name=name.strip(), kind=kind, default_severity=default_severity)
    return token, issue(token, by=by, at=at, reason=reason)


@transaction.atomic
def issue(token: IntakeToken, *, by: By, at: datetime, reason: str) -> str:
    """Save a new address and return its secret, which is kept nowhere. ValidationError names a field that is wrong."""
    secret = digests.new_secret()
    token.digest = digests.digest(secret)
    token.created_at, token.created_by = at, actor_of(by).name
    token.full_clean()
    with acting(by=by, at=at, reason=reason):
        token.save()
    return secret


@transaction.atomic
def revoke(token: IntakeToken, *, by: By, at: datetime, reason: str) -> IntakeToken:
    """Answer this address no longer. Refused is raised when it is revoked already."""
    token = IntakeToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if token.revoked_at is not None:
        raise Refused(f"“{token.name}” was revoked already, by {token.revoked_by}.")
    token.revoked_at, token.revoked_by = at, actor_of(by).name
    with acting(by=by, at=at, reason=reason):
        token.save()
    return token


def find(secret: str) -> IntakeToken | None:
    """Return the address with this secret, unless it is unknown or revoked."""
    if not secret.isascii():
        return None
    known = IntakeToken.objects.select_related("default_severity")
    return known.filter(digest=digests.digest(secret), revoked_at=None).first()


def address_of(secret: str) -> str:
    """Return the whole address that a source posts to."""
    return f"{settings.PORTAL_URL}{reverse('incidents:intake', args=[secret])}"
