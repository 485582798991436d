"""Intake addresses: made with a secret that is shown once, found by its digest, revoked for good."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from incidents.enums import IntakeKind
from incidents.intake import presets, statements
from incidents.models import IntakeToken, PayloadLine, StatusWord
from incidents.policy import Refused
from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Severity
from portal.lib import digests

MAILBOX = "intake"  # before the plus in a mail address


@transaction.atomic
def add(
    *,
    name: str,
    kind: str,
    by: By,
    at: datetime,
    reason: str,
    default_severity: Severity | None = None,
    preset: str = "",
    **rhythm: int,
) -> tuple[IntakeToken, str]:
    """Make an intake address and return it with its secret. ValidationError names a field that is wrong.

    `preset` names the form of a known tool: its lines are copied, so that they can be changed. `rhythm` is
    every_minutes and grace_minutes of a heartbeat.
    """
    token = IntakeToken(name=name.strip(), kind=kind, default_severity=default_severity, **rhythm)
    secret = issue(token, by=by, at=at, reason=reason)
    if preset:
        use_preset(token, preset, by=by, at=at, reason=reason)
    return token, secret


@transaction.atomic
def use_preset(token: IntakeToken, slug: str, *, by: By, at: datetime, reason: str) -> None:
    """Copy the mapping of a known tool into lines of this address, behind those that it has.

    Refused is raised at an address that reads no mapping, and for a tool that is not known.
    """
    preset = presets.BY_SLUG.get(slug)
    if token.kind != IntakeKind.GENERIC:
        raise Refused(f"An address of the kind {token.kind} reads its own form. Only generic ones take a mapping.")
    if preset is None:
        raise Refused(f"There is no form {slug}. Choose one of {', '.join(sorted(presets.BY_SLUG))}.")
    IntakeToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    known = set(PayloadLine.objects.filter(token=token).values_list("field", "path"))
    words = set(StatusWord.objects.filter(token=token).values_list("word", flat=True))
    with acting(by=by, at=at, reason=reason):
        for position, line in enumerate(preset.form().lines, start=1):
            if (line.field, line.path) not in known:
                PayloadLine.objects.create(token=token, field=line.field, path=line.path, position=10 * position)
        for word, means in preset.words.items():
            if word not in words:
                StatusWord.objects.create(token=token, word=word, means=means)


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
    return statements.token_with(digests.digest(secret))


def address_of(secret: str) -> str:
    """Return the whole address that a source posts to."""
    return f"{settings.PORTAL_URL}{reverse('incidents:intake', args=[secret])}"


def enqueue_address() -> str:
    """Return the address of the Events API that is told the secret as a routing key."""
    return f"{settings.PORTAL_URL}{reverse('incidents:enqueue')}"


def mail_address_of(secret: str) -> str:
    """Return the mail address of a source, for the drop of mails."""
    return f"{MAILBOX}+{secret}@{settings.INTAKE_MAIL_DOMAIN}"
