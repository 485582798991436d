"""Secrets that must be read again, encrypted with a key that is not in the database."""

from __future__ import annotations

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = ["InvalidToken", "vault"]


def vault(purpose: bytes) -> MultiFernet:
    """Return the box of SECRET_KEY for one purpose, which also opens what older keys closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(sha256(purpose + str(key).encode()).digest())) for key in keys])
