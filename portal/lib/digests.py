"""Secrets that are handed out once and kept as digests only."""

import hashlib
import secrets

SECRET_BYTES = 24


def new_secret() -> str:
    """Return a random secret of 192 bits that may stand in an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal: what the database keeps. The secret must be random."""
    return hashlib.sha256(secret.encode()).hexdigest()
