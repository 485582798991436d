"""Passkeys: what the browser is asked for, and whether its answer is right.

A passkey belongs to one host name, over https or on localhost: browsers allow nothing else. The answer must bear the
challenge that this session was given, this portal's origin, and a counter that has not run backwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.accounts.factors import Kind
from portal.accounts.models import User

STATE = "passkey_challenge"
MOST = 10  # passkeys of one account
LONGEST = 20_000  # characters of an answer
NAME_LENGTH = 60


def host_of(request: HttpRequest) -> str:
    """Return the host name of the request without its port."""
    return request.get_host().rpartition("]")[0].lstrip("[") or request.get_host().partition(":")[0]


def are_possible(request: HttpRequest) -> bool:
    """Tell whether a browser would use passkeys at this address: https with a name, or localhost."""
    host = host_of(request)
    local = host == "localhost" or host.endswith(".localhost")
    named = not host.replace(".", "").isdigit() and ":" not in host
    return local or (named and request.is_secure())


def _server(request: HttpRequest) -> Fido2Server:
    origin = f"{request.scheme}://{request.get_host()}"
    entity = PublicKeyCredentialRpEntity(id=host_of(request), name="Watchbook")
    return Fido2Server(entity, verify_origin=lambda found: found == origin)


def _rows(user: User, host: str) -> list[Any]:
    """Return the passkeys that were added at this host name."""
    rows = Authenticator.objects.filter(user_id=user.pk, type=Kind.WEBAUTHN).order_by("pk")
    return [row for row in rows if row.data.get("host") == host]


def _credential(row: Any) -> AttestedCredentialData:
    found = RegistrationResponse.from_dict(row.data["credential"]).response.attestation_object.auth_data.credential_data
    if found is None:
        raise ValueError("A passkey was stored without its key.")
    return found


def has_passkey(request: HttpRequest, user: User) -> bool:
    """Tell whether the account has a passkey that works at this address."""
    return are_possible(request) and bool(_rows(user, host_of(request)))


# Adding one.


def ask_for_new(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the browser is to make a passkey of; the challenge is kept in the session."""
    entity = PublicKeyCredentialUserEntity(
        id=f"watchbook-{user.pk}".encode(), name=user.username, display_name=str(user)
    )
    options, state = _server(request).register_begin(
        entity,
        credentials=_credentials(_rows(user, host_of(request))),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    request.session[STATE] = {"for": "new", "user": user.pk, **state}
    return dict(options)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a browser of this session just made, checked but not stored."""

    host: str
    credential: dict[str, Any]
    credential_id: bytes
    counter: int


def checked(request: HttpRequest, user: User, answer: str) -> NewPasskey | None:
    """Return the passkey that the browser made for this session's challenge; None when the answer is not right."""
    state, given = _taken(request, user, "new"), _read(answer)
    if state is None or given is None:
        return None
    try:
        made = _server(request).register_complete(state, given)
    except (ValueError, TypeError, KeyError):
        return None
    if made.credential_data is None:
        return None
    return NewPasskey(host_of(request), given, made.credential_data.credential_id, made.counter)


@transaction.atomic
def store(user: User, new: NewPasskey, *, name: str) -> bool:
    """Give the account a passkey; return False when it has this one, or too many."""
    User.objects.select_for_update().get(pk=user.pk)
    rows = _rows(user, new.host)
    if len(rows) >= MOST or new.credential_id in {found.credential_id for found in _credentials(rows)}:
        return False
    data = {"name": name[:NAME_LENGTH], "host": new.host, "credential": new.credential, "sign_count": new.counter}
    Authenticator.objects.create(user_id=user.pk, type=Kind.WEBAUTHN, data=data)
    return True


# Proving with one.


def ask_for_proof(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the browser is to sign with one of the account's passkeys; the challenge is kept in the session."""
    options, state = _server(request).authenticate_begin(
        _credentials(_rows(user, host_of(request))), user_verification=UserVerificationRequirement.PREFERRED
    )
    request.session[STATE] = {"for": "proof", "user": user.pk, **state}
    return dict(options)


def prove(request: HttpRequest, user: User, answer: str, *, at: datetime) -> bool:
    """Tell whether one of the account's passkeys signed the challenge of this session. Each is answered once."""
    state, given = _taken(request, user, "proof"), _read(answer)
    if state is None or given is None:
        return False
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        rows = {_credential(row).credential_id: row for row in _rows(user, host_of(request))}
        try:
            used = _server(request).authenticate_complete(state, _credentials(rows.values()), given)
            counter = AuthenticationResponse.from_dict(given).response.authenticator_data.counter
        except (ValueError, TypeError, KeyError):
            return False
        row = rows[used.credential_id]
        kept = row.data.get("sign_count", 0)
        if (counter or kept) and counter <= kept:
            return False  # a copy of the key was used elsewhere
        row.data["sign_count"], row.last_used_at = counter, at
        row.save(update_fields=["data", "last_used_at"])
    return True


def _credentials(rows: Iterable[Any]) -> list[AttestedCredentialData]:
    return [_credential(row) for row in rows]


def _taken(request: HttpRequest, user: User, purpose: str) -> dict[str, Any] | None:
    """Take the challenge out of the session: it is answered once, by whom and for what it was made."""
    state = request.session.pop(STATE, None)
    if not isinstance(state, dict) or (state.get("for"), state.get("user")) != (purpose, user.pk):
        return None
    return state


def _read(answer: str) -> dict[str, Any] | None:
    try:
        found = json.loads(answer) if len(answer) <= LONGEST else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
