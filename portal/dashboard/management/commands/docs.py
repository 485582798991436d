"""`manage.py docs`: print docs/reference/ from the code, or tell whether it is stale."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.dashboard import reference


class Command(BaseCommand):
    """Keep the reference pages in step with the code."""

    help = "Write docs/reference/ from the code. With --check only tell whether it is stale."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 when a page is stale.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write the pages, or compare them."""
        folder = settings.BASE_DIR / reference.FOLDER
        stale = reference.stale(folder)
        if check and stale:
            raise CommandError(f"Stale in {reference.FOLDER}: {', '.join(stale)}. Run manage.py docs and commit them.")
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            for name in stale:
                (folder / name).write_text(reference.pages()[name], encoding="utf-8")
        self.stdout.write(f"{len(reference.pages())} pages in {reference.FOLDER} agree with the code.")
