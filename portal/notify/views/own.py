"""One's own entry in the directory, as the pages about oneself need it."""

from __future__ import annotations

from portal.accounts.requests import SignedIn
from portal.directory.models import Contact


def own_contact(request: SignedIn) -> Contact | None:
    """Return the directory's entry of whoever is signed in. Not every account has one."""
    return Contact.objects.filter(user_id=request.user.pk, active=True).first()
