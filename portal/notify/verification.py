"""Proving that a contact method reaches its owner: a code goes out, and is typed back."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.audit.actor import By, actor_of
from portal.directory import services as directory
from portal.directory.models import ContactMethod
from portal.notify.compose import CODE, Draft
from portal.notify.models import Message, Verification
from portal.notify.outbox import queue

KIND = "verification"
LIFETIME = timedelta(minutes=15)
TRIES = 5
CODES_AN_HOUR = 5


class VerificationRefused(ValueError):
    """The code is wrong or too old, or no more codes are sent; the sentence says what to do."""


@transaction.atomic
def start_verification(method: ContactMethod, *, by: By, at: datetime) -> None:
    """Queue a message with a code to `method`. The code is made at delivery, so that no row ever holds it.

    VerificationRefused is raised for a telephone number, a retired method, and after 5 codes in an hour.
    """
    if not method.can_send or not method.active:
        raise VerificationRefused("Nothing is sent to this contact method. Add an e-mail address or a channel.")
    recent = Message.objects.filter(kind=KIND, method=method, created_at__gt=at - timedelta(hours=1))
    if recent.count() >= CODES_AN_HOUR:
        raise VerificationRefused("Too many codes were sent to this address. Try again in an hour.")
    body = (
        f"Your code is {CODE}. It is valid for 15 minutes.\n\n"
        f"{actor_of(by).name} asked for it, to use this address for messages from the portal. "
        "If that surprises you, ignore this message."
    )
    draft = Draft(
        key=f"verify:{method.pk}:{at.isoformat()}",
        kind=KIND,
        lane=method.kind,
        title="Confirm this address",
        body=body,
        contact_id=method.contact_id,
        method_id=method.pk,
        address=method.address,
        url_path="/me/contact-methods/",
    )
    queue([draft], at=at)


def make_code(method: ContactMethod, *, at: datetime) -> str:
    """Return a new six-digit code for one delivery to `method`, and keep its digest."""
    code = f"{secrets.randbelow(10**6):06d}"
    row = Verification(method=method, digest=_digest(method.pk, code), created_at=at, expires_at=at + LIFETIME)
    row.save(force_insert=True)
    return code


def verify(method: ContactMethod, code: str, *, by: By, at: datetime) -> None:
    """Mark `method` verified if `code` was sent to it, else raise VerificationRefused; 5 wrong tries end the code."""
    refusal = _try(method, code.strip().replace(" ", ""), by, at)
    if refusal:
        raise VerificationRefused(refusal)


@transaction.atomic
def _try(method: ContactMethod, code: str, by: By, at: datetime) -> str:
    """Return why the code is refused. It returns instead of raising, so that the wrong try is counted and kept."""
    standing = list(_open(method, at).select_for_update())
    if not standing:
        return "There is no valid code for this address. Ask for a new one."
    given = _digest(method.pk, code)
    fitting = next((row for row in standing if constant_time_compare(row.digest, given)), None)
    if fitting is None:
        _open(method, at).update(attempts=F("attempts") + 1)
        left = TRIES - 1 - max(row.attempts for row in standing)
        return f"That is not the code. {left} tries left." if left > 0 else "That is not the code. Ask for a new one."
    _open(method, at).update(used_at=at)
    directory.mark_verified(method, by=by, at=at, reason="The code that was sent there was typed back")
    return ""


def _open(method: ContactMethod, at: datetime) -> QuerySet[Verification]:
    return Verification.objects.filter(method=method, used_at=None, expires_at__gt=at, attempts__lt=TRIES)


def _digest(method_id: int, code: str) -> str:
    """Six digits are guessed at once from a plain digest; this one needs the portal's secret key."""
    return salted_hmac(f"portal.notify.verification:{method_id}", code, algorithm="sha256").hexdigest()
