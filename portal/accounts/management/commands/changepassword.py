"""`manage.py changepassword`: Django's own, which asks why somebody gets another password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError, CommandParser

from portal.audit.actor import acting, current
from portal.audit.reasons import REASON_LENGTH, one_line


class Command(changepassword.Command):
    """Change somebody's password from the terminal."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --reason beside what Django takes."""
        super().add_arguments(parser)
        parser.add_argument(
            "--reason", default="", help="Why; it is kept in the history for good. Asked for if absent."
        )

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Ask why and for the password, and change it; CommandError is raised without a reason."""
        reason = one_line(options.pop("reason", "")) or self._ask()
        if not reason:
            raise CommandError('Say why, as in: --reason "She lost her telephone". The history keeps it.')
        by = None if current() is not None else "command: changepassword"
        with acting(by=by, reason=reason[:REASON_LENGTH]):
            return super().handle(*args, **options)

    def _ask(self) -> str:
        try:
            return one_line(input("Reason: "))
        except (EOFError, OSError):  # nobody sits at the terminal
            return ""
