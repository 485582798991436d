"""How often an account may prove itself wrongly: one count in the database, whichever worker is asked.

django-axes counts wrong passwords at the sign-in for each name and address. Here every wrong proof of one account
counts together, from wherever it comes: a code at the second step, a password or code at /confirm/.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from portal.accounts.models import User


class TooManyProofs(Exception):
    """The account was proved wrongly too often; `wait` says for how long nothing more is believed."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        many = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(
            f"There were too many wrong answers. Wait {many}, or ask an administrator to unlock your sign-in."
        )


def spend(user: User, *, at: datetime) -> None:
    """Count one try before it is looked at, so that tries at the same time are counted too.

    TooManyProofs is raised when none is left. A try that proves right gives them all back: see `forget`.
    """
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        since = account.proofs_refused_since
        if since is None or since + settings.PROOFS_WINDOW <= at:
            account.proofs_refused, account.proofs_refused_since = 0, at
        elif account.proofs_refused >= settings.PROOFS_LIMIT:
            raise TooManyProofs(since + settings.PROOFS_WINDOW - at)
        account.proofs_refused += 1
        account.save(update_fields=["proofs_refused", "proofs_refused_since"])


def forget(user: User) -> bool:
    """Forget the account's wrong proofs; return whether they had locked it."""
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        locked = account.proofs_refused >= settings.PROOFS_LIMIT
        account.proofs_refused, account.proofs_refused_since = 0, None
        account.save(update_fields=["proofs_refused", "proofs_refused_since"])
    return locked


def is_spent(user: User, *, at: datetime) -> bool:
    """Tell whether the next try would be refused unseen."""
    since = user.proofs_refused_since
    return since is not None and at < since + settings.PROOFS_WINDOW and user.proofs_refused >= settings.PROOFS_LIMIT
