"""Accounts for tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.test import Client

from portal.accounts import stepup
from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.lib import clock
from tests.factories.engagements import make_engagement

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_user(
    username: str = "", *, roles: tuple[str, ...] | list[str] = (), engaged: bool = True, **fields: Any
) -> User:
    """An account with PASSWORD and the roles of these slugs, which opens the record pages.

    An auditor is engaged for everything, at all times, unless `engaged` is false.
    """
    fields.setdefault("is_staff", True)
    user = User.objects.create_user(username or f"person{next(_numbers)}", password=PASSWORD, **fields)
    if roles:
        user.groups.set(Group.objects.filter(name__in=[BY_SLUG[slug].name for slug in roles]))
    if "auditor" in roles and engaged:
        make_engagement(user)
    return user


def make_superuser(username: str = "", **fields: Any) -> User:
    """An account that may do everything."""
    return make_user(username, is_superuser=True, **fields)


def confirm(client: Client, *, ago: timedelta = timedelta(0)) -> None:
    """Let a test client, signed in before, count as freshly confirmed; or as confirmed some time `ago`."""
    session = client.session
    session[stepup.MARK] = {"user": int(session[SESSION_KEY]), "at": (clock.now() - ago).timestamp()}
    session.save()
