"""What django-allauth asks of the portal: nobody signs up, and the secrets of second factors are kept encrypted.

None of allauth's pages is reachable. The portal has its own, and uses allauth's table of second factors, its one-time
codes and its recovery codes: see portal.accounts.factors.
"""

from __future__ import annotations

import base64
from hashlib import sha256

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest

__all__ = ["AccountAdapter", "FactorAdapter", "InvalidToken"]
PURPOSE = b"watchbook: secrets of second factors\x00"


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves."""
        return False


class FactorAdapter(DefaultMFAAdapter):
    """The secrets of second factors are encrypted with a key that is not in the database."""

    def encrypt(self, text: str) -> str:
        """Return the secret as it is stored."""
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret; InvalidToken is raised when it was stored under a key that is gone."""
        return _vault().decrypt(encrypted_text.encode()).decode()


def _vault() -> MultiFernet:
    """Return the box of SECRET_KEY, which also opens what older keys closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(sha256(PURPOSE + str(key).encode()).digest())) for key in keys])
