"""`manage.py createsuperuser`: Django's own, with the reason that the account's history keeps."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandParser

from portal.audit.actor import acting, current
from portal.audit.reasons import one_line

REASON = "A login that may do everything, made from the terminal of the portal"


class Command(createsuperuser.Command):
    """Make an account that may do everything."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --reason beside what Django takes."""
        super().add_arguments(parser)
        parser.add_argument("--reason", default=REASON, help="Why; it is kept in the history for good.")

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Make the account as whoever started the command."""
        by = None if current() is not None else "command: createsuperuser"
        with acting(by=by, reason=one_line(options.pop("reason", "")) or REASON):
            return super().handle(*args, **options)
