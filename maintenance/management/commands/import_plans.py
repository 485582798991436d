"""`manage.py import_plans FILE [--dry-run]`: plans out of a CSV or XLSX file, all of them or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from maintenance import importing
from maintenance.policy import Refused
from portal.audit.actor import current
from portal.lib import clock

MARKS = {"new": "+", "change": "~", "same": "=", "refused": "!"}


class Command(BaseCommand):
    """Read the rows, say of each what it does, and do it unless one is refused."""

    help = "Import maintenance plans from a CSV or XLSX file. One row that is refused refuses the file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the dry run, and why."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
        parser.add_argument("--reason", default="", help="why, kept in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say a line about each row; CommandError is raised where nothing is written."""
        path: Path = options["file"]
        try:
            rows = importing.read(path.name, path.read_bytes())
        except OSError as problem:
            raise CommandError(f"{path} cannot be read: {problem.strerror}.") from problem
        except importing.Unreadable as problem:
            raise CommandError(str(problem)) from problem
        context = current()
        try:
            lines = importing.take(
                rows, by=context.actor if context else "command: import_plans", at=clock.database_now(),
                reason=options["reason"] or f"Imported from {path.name}"[:200], dry=options["dry_run"],
            )  # fmt: skip
        except Refused as refusal:
            raise CommandError(f"Nothing was written. {refusal}") from refusal
        for line in lines:
            self.stdout.write(f"{MARKS[line.what]} row {line.number} {line.task}: {line.says}")
        refused = sum(line.what == "refused" for line in lines)
        if refused:
            raise CommandError(f"Nothing was written: {refused} of {len(lines)} rows refused.")
        done = "would be written" if options["dry_run"] else "written"
        self.stdout.write(f"{sum(line.what in {'new', 'change'} for line in lines)} of {len(lines)} rows {done}.")
