"""Accounts for tests."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.models import Group

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_user(username: str = "", *, roles: tuple[str, ...] | list[str] = (), **fields: Any) -> User:
    """An account with PASSWORD and the roles of these slugs, which opens the record pages."""
    fields.setdefault("is_staff", True)
    user = User.objects.create_user(username or f"person{next(_numbers)}", password=PASSWORD, **fields)
    if roles:
        user.groups.set(Group.objects.filter(name__in=[BY_SLUG[slug].name for slug in roles]))
    return user


def make_superuser(username: str = "", **fields: Any) -> User:
    """An account that may do everything."""
    return make_user(username, is_superuser=True, **fields)
