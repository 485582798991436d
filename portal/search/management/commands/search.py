"""The indexes of search: `manage.py search rebuild` makes them anew, `manage.py search check` says what is missing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.search import indexes


class Command(BaseCommand):
    """Look after the indexes that search asks."""

    help = "Check the indexes of search, or make them anew from the rows."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        parser.add_argument("what", choices=["check", "rebuild"])

    def handle(self, *_args: Any, what: str, **_options: Any) -> None:
        """Do it; CommandError is raised when a check finds an index missing."""
        if what == "rebuild":
            self.stdout.write(f"Made anew: {', '.join(indexes.rebuild())}.")
        elif found := indexes.missing():
            raise CommandError(f"There is no index of {', '.join(found)}. Run: python3 manage.py search rebuild")
        else:
            self.stdout.write("Every index stands as it is meant.")
