"""What django-allauth asks of the portal: nobody signs up, and the secrets of second factors are kept encrypted.

None of allauth's pages is reachable. The portal has its own, and uses allauth's table of second factors, its one-time
codes and its recovery codes: see portal.accounts.factors.
"""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from portal.lib.vault import InvalidToken, vault

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
        return vault(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret; InvalidToken is raised when it was stored under a key that is gone."""
        return vault(PURPOSE).decrypt(encrypted_text.encode()).decode()
