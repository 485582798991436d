"""`manage.py reset_second_factor USERNAME --reason TEXT`: for the administrator who lost their own, on the machine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts import services
from portal.accounts.models import User
from portal.audit.actor import acting, current
from portal.lib import clock


class Command(BaseCommand):
    """Remove every second factor of one account; it enrols anew at the next sign-in."""

    help = "Removes the second factor of somebody who lost theirs, when no other administrator can do it in the pages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add who and why."""
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="why, for the trail")

    def handle(self, *args: Any, username: str, reason: str, **options: Any) -> None:
        """Reset it, and say what is next."""
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account named {username}.")
        here = current()
        by = here.actor if here is not None else "command: reset_second_factor"
        try:
            with acting(by=by, origin="command"):
                services.reset_second_factor(user, by=by, at=clock.now(), reason=reason)
        except services.Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{user} sets up a new second factor at the next sign-in.")
