"""Whoever acts at a terminal: named by their account, an administrator, and proved by their own password."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError

from portal.accounts import throttle
from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG, has_role
from portal.audit import trail
from portal.audit.enums import Action
from portal.lib import clock

ADMINISTRATOR = "administrator"
NOBODY = "There is no open account {username}. Name an administrator with --by."
NOT_AN_ADMINISTRATOR = "{user} does not have the role {role}, which holds and tombstones ask for."
WRONG = "That is not the password of {user}. Nothing was done."


def add_arguments(parser: ArgumentParser) -> None:
    """Take who acts, and where the password comes from."""
    parser.add_argument(
        "--by", required=True, metavar="USERNAME", help="who acts: an account with the role Administrator"
    )
    parser.add_argument(
        "--password-stdin", action="store_true", help="read that person's password from standard input, for scripts"
    )


def administrator(options: dict[str, Any]) -> User:
    """Return the account that acts, once its own password was given. Wrong ones are counted and told in the trail."""
    user: User | None = User.objects.filter(username=options["by"], is_active=True).first()
    if user is None:
        raise CommandError(NOBODY.format(username=options["by"]))
    if not has_role(user, ADMINISTRATOR):
        raise CommandError(NOT_AN_ADMINISTRATOR.format(user=user, role=BY_SLUG[ADMINISTRATOR].name))
    given = (
        sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else getpass.getpass(f"Password of {user}: ")
    )
    try:
        throttle.spend(user, at=clock.now())
    except throttle.TooManyProofs as refused:
        raise CommandError(str(refused)) from refused
    if not user.check_password(given):
        trail.record(Action.SIGN_IN_REFUSED, event="Refused at the terminal: wrong password", subject=user)
        raise CommandError(WRONG.format(user=user))
    throttle.forget(user)
    return user
