"""The portal's signature: an Ed25519 key that is kept outside the database, and the public keys that it is known by.

A signature proves origin only: that whoever held the key signed these words. When they were signed, and that nothing
was left out, is proved by an anchor that somebody else has kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from portal.audit.canonical import compact
from portal.audit.seals import KEY_LENGTH


@dataclass(frozen=True)
class Signer:
    """The portal's key: its name, its public part in hexadecimal, and what signs."""

    key_id: str
    public_key: str
    private: Ed25519PrivateKey

    def sign(self, text: bytes) -> str:
        """Return the signature of a text, in hexadecimal."""
        return self.private.sign(text).hex()


def signer() -> Signer:
    """Return the key of this installation: SEAL_KEY, SEAL_KEY_FILE, or the one in the data folder."""
    return _signer(settings.SEAL_KEY)


@cache
def _signer(seed: bytes) -> Signer:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return Signer(key_id(public.hex()), public.hex(), private)


def key_id(public_key: str) -> str:
    """Return the name of a public key: the first 16 letters of its SHA-256. ValueError: it is no hexadecimal."""
    return sha256(bytes.fromhex(public_key)).hexdigest()[:KEY_LENGTH]


def is_signed(text: bytes, signature: str, public_key: str) -> bool:
    """Tell whether a signature of this text was made by this key. What is no signature or key was not."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def known_keys() -> dict[str, str]:
    """Return the public keys that this machine trusts, by name: its own, those it had, and SEAL_PUBLIC_KEYS."""
    own = signer()
    found = {own.key_id: own.public_key}
    found |= {key_id(public_key): public_key for public_key in settings.SEAL_PUBLIC_KEYS}
    path = Path(settings.SEAL_KEYS_FILE)
    if path.is_file():
        for line in path.read_text().splitlines():
            kept = json.loads(line)
            found.setdefault(key_id(kept["public_key"]), kept["public_key"])
    return found


def keep_public_key(*, at: datetime) -> None:
    """Keep the public key of today beside those of before, outside the database, so that rotation forgets none."""
    own, path = signer(), Path(settings.SEAL_KEYS_FILE)
    if path.is_file() and own.public_key in path.read_text():
        return
    with path.open("a") as file:
        file.write(compact({"key": own.key_id, "public_key": own.public_key, "since": at.isoformat()}) + "\n")
