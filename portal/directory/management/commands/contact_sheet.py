"""`manage.py contact_sheet`: write the contact sheet as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit import away
from portal.directory.sheet import making
from portal.lib import clock


class Command(BaseCommand):
    """Write whom to call for what, readable without the portal."""

    help = "Write the contact sheet (systems, roles, people, numbers, who is on call for 14 days) as one HTML file."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to write."""
        parser.add_argument("--out", required=True, help="The file; what stands there is replaced whole.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file for its owner's eyes alone."""
        target = Path(options["out"])
        try:
            away.replace(target, making.as_file(at=clock.now()))
        except OSError as problem:
            raise CommandError(
                f"{target} cannot be written ({type(problem).__name__}). Choose another place."
            ) from problem
        self.stdout.write(f"The contact sheet stands in {target}.")
