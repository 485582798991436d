"""The second factors of an account: an authenticator app, passkeys and recovery codes.

This module and portal.accounts.passkeys alone know django-allauth, whose table keeps them and whose algorithms are
used. What is right, is right once: a one-time code is never believed twice, by whichever worker.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode

import qrcode
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.db import transaction
from qrcode.image.svg import SvgPathImage

from portal.accounts.adapters import InvalidToken
from portal.accounts.models import User

Kind = Authenticator.Type
PERIOD = 30  # seconds for which a one-time code is shown
TOLERANCE = 1  # codes before and after the present one that are believed: clocks differ
PROOFS = (Kind.TOTP, Kind.WEBAUTHN)  # recovery codes alone are no second factor
NAMES = {Kind.TOTP: "authenticator app", Kind.WEBAUTHN: "passkey", Kind.RECOVERY_CODES: "recovery code"}


@dataclass(frozen=True, slots=True)
class Factor:
    """One second factor as a page shows it."""

    pk: int
    kind: str
    name: str
    added: datetime
    used: datetime | None
    host: str = ""


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has: `proofs` are the app and the passkeys, `codes_left` the unused recovery codes."""

    proofs: list[Factor] = field(default_factory=list)
    codes_left: int = 0
    has_codes: bool = False

    @property
    def app(self) -> Factor | None:
        """The authenticator app, of which an account has one at most."""
        return next((found for found in self.proofs if found.kind == Kind.TOTP), None)

    @property
    def passkeys(self) -> list[Factor]:
        """The passkeys, in the order in which they were added."""
        return [found for found in self.proofs if found.kind == Kind.WEBAUTHN]


def has_factor(user: User) -> bool:
    """Tell whether the account has an app or a passkey. One query."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=PROOFS).exists()


def factors_of(user: User) -> Factors:
    """Return what the account has. One query."""
    rows = list(Authenticator.objects.filter(user_id=user.pk).order_by("created_at", "pk"))
    codes = next((row for row in rows if row.type == Kind.RECOVERY_CODES), None)
    proofs = [_shown(row) for row in rows if row.type in PROOFS]
    return Factors(proofs, len(_unused(codes)) if codes is not None else 0, codes is not None)


def _shown(row: Any) -> Factor:
    name = row.data.get("name") or "Passkey" if row.type == Kind.WEBAUTHN else "Authenticator app"
    return Factor(row.pk, row.type, name, row.created_at, row.last_used_at, row.data.get("host", ""))


def _unused(row: Any) -> list[str]:
    try:
        return list(RecoveryCodes(row).get_unused_codes())
    except InvalidToken:
        return []


# The authenticator app.


def new_secret() -> str:
    """Return a secret for an authenticator app: 160 random bits, as base32."""
    secret: str = generate_totp_secret()
    return secret


def address_of(user: User, secret: str) -> str:
    """Return the address that an authenticator app reads from the picture."""
    issuer = "Watchbook" if settings.PORTAL_COMPANY == "Watchbook" else f"Watchbook {settings.PORTAL_COMPANY}"
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(user.username)}?{query}"


def picture_of(address: str) -> str:
    """Return the QR code of an address, as the address of an SVG image."""
    kept = BytesIO()
    qrcode.make(address, image_factory=SvgPathImage, border=2).save(kept)
    return f"data:image/svg+xml;base64,{base64.b64encode(kept.getvalue()).decode()}"


def counter_of(secret: str, code: str, *, at: datetime, after: int = -1) -> int | None:
    """Return which code of the app this is, counted in periods; None when it is none of those that count now.

    Codes up to the one counted `after` were used already.
    """
    given, now = "".join(code.split()), int(at.timestamp()) // PERIOD
    for counter in range(max(now - TOLERANCE, after + 1), now + TOLERANCE + 1):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, counter)).encode(), given.encode()):
            return counter
    return None


@transaction.atomic
def add_app(user: User, secret: str, *, counter: int) -> bool:
    """Give the account its authenticator app; return False when it has one. `counter` is the code that proved it."""
    User.objects.select_for_update().get(pk=user.pk)
    if Authenticator.objects.filter(user_id=user.pk, type=Kind.TOTP).exists():
        return False
    data = {"secret": encrypt(secret), "last_counter": counter}
    Authenticator.objects.create(user_id=user.pk, type=Kind.TOTP, data=data)
    return True


# Codes that are typed.


@transaction.atomic
def spend_code(user: User, code: str, *, at: datetime) -> str:
    """Return which kind of code this was, "totp" or "recovery_codes", and use it up; "" when it is wrong."""
    given = "".join(code.split()).replace("-", "")
    if not given.isascii():
        return ""
    rows = Authenticator.objects.select_for_update().filter(user_id=user.pk, type__in=(Kind.TOTP, Kind.RECOVERY_CODES))
    for row in rows.order_by("-type"):  # the app first
        try:
            right = _spend_app_code(row, given, at) if row.type == Kind.TOTP else _spend_recovery_code(row, given)
        except InvalidToken:
            continue  # stored under a key that is gone
        if right:
            Authenticator.objects.filter(pk=row.pk).update(last_used_at=at)
            return str(row.type)
    return ""


def _spend_app_code(row: Any, code: str, at: datetime) -> bool:
    counter = counter_of(decrypt(row.data["secret"]), code, at=at, after=row.data.get("last_counter", -1))
    if counter is None:
        return False
    row.data["last_counter"] = counter
    row.save(update_fields=["data"])
    return True


def _spend_recovery_code(row: Any, code: str) -> bool:
    return bool(RecoveryCodes(row).validate_code(code))


# Recovery codes.


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the account's recovery codes and return the new ones. They are shown this once."""
    User.objects.select_for_update().get(pk=user.pk)
    Authenticator.objects.filter(user_id=user.pk, type=Kind.RECOVERY_CODES).delete()
    return [f"{code[:4]} {code[4:]}" for code in RecoveryCodes.activate(user).generate_codes()]


# Removal.


@transaction.atomic
def remove(user: User, pk: int, *, keep_one: bool) -> Factor | None:
    """Remove the app or one passkey, with the recovery codes when none is left; return what went.

    None is returned, and nothing removed, when the account has no such factor, or with `keep_one` no other.
    """
    User.objects.select_for_update().get(pk=user.pk)
    rows = {row.pk: row for row in Authenticator.objects.filter(user_id=user.pk, type__in=PROOFS)}
    if pk not in rows or (keep_one and len(rows) == 1):
        return None
    went = _shown(rows[pk])
    doomed = Authenticator.objects.filter(user_id=user.pk)
    (doomed if len(rows) == 1 else doomed.filter(pk=pk)).delete()
    return went


@transaction.atomic
def remove_all(user: User) -> int:
    """Remove every second factor of the account; return how many rows went."""
    User.objects.select_for_update().get(pk=user.pk)
    count, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    return count
