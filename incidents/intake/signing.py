"""Signatures of sources: two secrets in use at once, a window of time, and no delivery twice.

X-Watchbook-Signature: t=1731844800,v1=5257a869...   HMAC-SHA256 of "1731844800." and the body
X-Watchbook-Timestamp: 1731844800                    beside X-Grafana-Alerting-Signature: of "1731844800:" and the body
X-Hub-Signature-256: sha256=5257a869...              of the body alone, where the address allows it
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from incidents.enums import Signing
from incidents.intake.posts import Post
from incidents.intake.reading import Unreadable
from incidents.models import IntakeSecret, IntakeToken, SeenSignature
from incidents.policy import Refused
from portal.audit.actor import By, acting, actor_of
from portal.lib import digests
from portal.lib.vault import InvalidToken, vault

PURPOSE = b"watchbook: secrets that sources sign with\x00"
SLOTS = (1, 2)
HEADER = "x-watchbook-signature"
GRAFANA_HEADER, TIME_HEADER = "x-grafana-alerting-signature", "x-watchbook-timestamp"
BODY_HEADERS = (HEADER, "x-hub-signature-256", GRAFANA_HEADER)
FORGOTTEN_AT_ONCE = 200
_HEX = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")
_TIME = re.compile(r"\d{1,12}")

MISSING = f"This address asks for a signature. Send it as {HEADER.title()}: t=TIME,v1=HMAC."
WRONG = "The signature is not that of this body by a secret in use here. Nothing was taken in."
UNTIMED = f"The signature does not say when it was made. Send it as {HEADER.title()}: t=TIME,v1=HMAC."
OUTSIDE = "The signature is {} seconds {} by our clock; {} are allowed. Set the clock of the source, or send it anew."
REPLAYED = "This delivery came in already, under the same signature. Nothing was done a second time."
UNARMED = "This address asks for a signature, but has no secret that could be read. Make one under Sources."


@dataclass(frozen=True, slots=True)
class Signed:
    """What a post was signed with: the bytes before its body, the signatures, and their time where they have one."""

    before: bytes
    signatures: tuple[str, ...]
    time: int | None


def check(post: Post) -> Signed | None:
    """Return what the post is signed with, or nothing where none is asked for; Unreadable refuses it."""
    if post.token.signing == Signing.NONE:
        return None
    found = _read(post)
    secrets = list(_secrets(post.token))
    if not secrets:
        raise Unreadable(403, UNARMED)
    valid = [
        hmac.compare_digest(expected, signature.casefold())
        for expected in (_mac(secret, found.before + post.body) for secret in secrets)
        for signature in found.signatures
    ]
    if not any(valid):
        raise Unreadable(403, WRONG)
    if found.time is None and post.token.signing != Signing.BODY:
        raise Unreadable(403, UNTIMED)
    if found.time is not None:
        _check_window(post, found.time)
    return found


def remember(post: Post, signed: Signed | None) -> None:
    """Write down the delivery in the transaction that takes it in; Unreadable refuses one that was taken in before.

    Of two at the same moment the database lets one in: the other waits for its commit, and is refused.
    """
    if signed is None or signed.time is None:
        return
    digest = hashlib.sha256(signed.before + post.body).hexdigest()
    expires = datetime.fromtimestamp(signed.time, post.at.tzinfo) + timedelta(seconds=post.token.window_seconds + 1)
    try:
        with transaction.atomic():
            SeenSignature.objects.create(token=post.token, digest=digest, expires_at=expires)
    except IntegrityError:
        raise Unreadable(409, REPLAYED) from None


@transaction.atomic
def forget(*, at: datetime) -> int:
    """Delete signatures that are no longer good; their time refuses them. What another process deletes is skipped."""
    old = SeenSignature.objects.filter(expires_at__lt=at).order_by("expires_at", "id")
    ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    if ids:
        SeenSignature.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def add_secret(token: IntakeToken, *, by: By, at: datetime, reason: str) -> str:
    """Give the address one more secret and return it; it is shown once. Refused is raised when two are in use."""
    IntakeToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    taken = set(IntakeSecret.objects.filter(token=token, retired_at=None).values_list("slot", flat=True))
    free = [slot for slot in SLOTS if slot not in taken]
    if not free:
        raise Refused("Two secrets are in use already. Retire the old one first.")
    secret = digests.new_secret()
    with acting(by=by, at=at, reason=reason):
        IntakeSecret.objects.create(
            token=token, slot=free[0], sealed=vault(PURPOSE).encrypt(secret.encode()).decode(), ending=secret[-4:],
            created_at=at, created_by=actor_of(by).name,
        )  # fmt: skip
    return secret


@transaction.atomic
def retire_secret(secret: IntakeSecret, *, by: By, at: datetime, reason: str) -> None:
    """Take a secret out of use for good. Refused is raised when it is, or when it is the last that is asked for."""
    token = IntakeToken.objects.select_for_update(of=("self",)).get(pk=secret.token_id)
    row = IntakeSecret.objects.get(pk=secret.pk)
    if row.retired_at is not None:
        raise Refused(f"It was retired already, by {row.retired_by}.")
    others = IntakeSecret.objects.filter(token=token, retired_at=None).exclude(pk=row.pk)
    if token.signing != Signing.NONE and not others.exists():
        raise Refused("It is the only secret, and this address asks for signatures. Make a new one first.")
    row.retired_at, row.retired_by = at, actor_of(by).name
    with acting(by=by, at=at, reason=reason):
        row.save()


def _secrets(token: IntakeToken) -> Iterable[bytes]:
    for sealed in IntakeSecret.objects.filter(token=token, retired_at=None).values_list("sealed", flat=True):
        try:
            yield vault(PURPOSE).decrypt(sealed.encode())
        except InvalidToken:  # SECRET_KEY was changed without keeping the old one
            continue


def _read(post: Post) -> Signed:
    timed = post.headers.get(HEADER, "")
    if "t=" in timed:
        parts = [part.strip().partition("=") for part in timed.split(",")]
        time = next((value for name, _, value in parts if name == "t" and _TIME.fullmatch(value)), None)
        signatures = tuple(value for name, _, value in parts if name == "v1" and _HEX.fullmatch(value))
        if time is None or not signatures:
            raise Unreadable(401, MISSING)
        return Signed(f"{time}.".encode(), signatures, int(time))
    found = next(
        (match for name in BODY_HEADERS if (match := _HEX.fullmatch(post.headers.get(name, "").strip()))), None
    )
    if found is None:
        raise Unreadable(401, MISSING)
    stamp = post.headers.get(TIME_HEADER, "").strip()
    if stamp:
        if not _TIME.fullmatch(stamp):
            raise Unreadable(401, f"{TIME_HEADER.title()} must be seconds since 1970.")
        return Signed(f"{stamp}:".encode(), (found[1],), int(stamp))
    return Signed(b"", (found[1],), None)


def _mac(secret: bytes, message: bytes) -> str:
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def _check_window(post: Post, time: int) -> None:
    age = round(post.at.timestamp() - time)
    if abs(age) > post.token.window_seconds:
        raise Unreadable(403, OUTSIDE.format(abs(age), "old" if age > 0 else "ahead", post.token.window_seconds))
