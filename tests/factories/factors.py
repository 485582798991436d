"""Second factors for tests: an authenticator app, and a security key made of software."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestedCredentialData

from portal.accounts import factors
from portal.accounts.models import User
from portal.lib import clock


def code_of(secret: str, *, at: datetime | None = None, ahead: int = 0) -> str:
    """What the app shows now, or so many periods ahead."""
    return format_hotp_value(hotp_value(secret, int((at or clock.now()).timestamp()) // factors.PERIOD + ahead))


def give_app(user: User) -> str:
    """An authenticator app that has not been used yet; return its secret."""
    secret = factors.new_secret()
    assert factors.add_app(user, secret, counter=0)
    return secret


class SoftKey:
    """A security key: it makes one passkey and signs challenges with it, as a browser would pass them on."""

    def __init__(self, origin: str = "http://localhost") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.origin, self.id, self.counter = origin, b"key of the test", 0

    def make(self, question: dict[str, Any], *, origin: str = "") -> str:
        """The answer to the question for a new passkey."""
        options = question["publicKey"]
        client = self._client("webauthn.create", options["challenge"], origin)
        public = ES256.from_cryptography_key(self.key.public_key())
        made = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        data = self._data(options["rp"]["id"], flags=0x41) + bytes(made)
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": client, "attestationObject": attestation})

    def sign(self, question: dict[str, Any], *, origin: str = "") -> str:
        """The answer to the question for a proof."""
        options = question["publicKey"]
        self.counter += 1
        client = self._client("webauthn.get", options["challenge"], origin)
        data = self._data(options["rpId"], flags=0x01)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        found = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(found).encode()

    def _data(self, host: str, *, flags: int) -> bytes:
        return sha256(host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _answer(self, response: dict[str, bytes]) -> str:
        told = {name: websafe_encode(value) for name, value in response.items()}
        key = websafe_encode(self.id)
        return json.dumps(
            {"id": key, "rawId": key, "type": "public-key", "response": told, "clientExtensionResults": {}}
        )
