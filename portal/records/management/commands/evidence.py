"""`manage.py evidence verify [--json]`: read all evidence again, and compare rows with files both ways."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from portal.lib import clock
from portal.records.evidence import policy, verifying
from portal.records.evidence.verifying import Report

EVERY_SECONDS = 1.0


class Command(BaseCommand):
    """Verify the evidence that is kept."""

    help = (
        "Read every file of evidence again and name what is altered, missing or left over; exit 1 when there is any, "
        "2 when it cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the verb and --json."""
        parser.add_argument("verb", choices=["verify"], metavar="verify")
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, tell the custody of each item, and say what was found."""
        try:
            report = verifying.verify_all(now=clock.database_now, progress=self._progress())
        except (Error, OSError) as problem:
            raise CommandError(f"The evidence cannot be verified: {problem}", returncode=2) from problem
        found = json.dumps(report.as_json(), indent=2) if options["json"] else "\n".join(_words(report))
        self.stdout.write(found)
        if not report.is_clean:
            sys.exit(1)

    def _progress(self) -> Callable[[int, int], None]:
        """Return what says on standard error, about once a second, how far it has come."""
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told >= EVERY_SECONDS:
                told = time.monotonic()
                share = 100 * done // max(total, 1)
                self.stderr.write(f"{_megabytes(done)} of {_megabytes(total)} ({share} %)")

        return tell


def _words(report: Report) -> list[str]:
    named = (
        ("Altered on the disk", report.altered),
        ("Missing on the disk", report.missing),
        ("Left by an upload that no row names; the next sweep removes it", report.left),
        ("Put there by nobody known; look at it yourself", report.strangers),
    )
    lines = [f"{words}: {one}" for words, found in named for one in found]
    wrong = sum(len(found) for _, found in named)
    verdict = f"{wrong:,} differences" if wrong else "All are what was collected, and nothing else lies there"
    lines.append(f"Read {report.objects:,} files again, {_megabytes(report.size)}. {verdict}.")
    if report.young:
        lines.append(f"On their way in: {report.young:,}.")
    return lines


def _megabytes(size: int) -> str:
    return f"{size / policy.MEGABYTE:,.1f} MB"
