"""`manage.py audit verify [--against FILE] [--json]`: read the whole record again and compare it with its seals."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from django.core.management import CommandError
from django.db import Error

from portal.audit import anchors, verifying
from portal.audit.verifying import Report
from portal.lib import clock

HELP = "Read the whole record again and compare it with its seals; exit 1 when something differs, 2 when it cannot."
EVERY_SECONDS = 1.0


def add_arguments(parser: ArgumentParser) -> None:
    """Take --against and --json."""
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="An anchor, or many, one a line, that you have kept elsewhere."
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Verify, tell the trail, and say what was found."""
    try:
        against = anchors.kept_in(options["against"]) if options["against"] else []
        report = verifying.run(now=clock.database_now, against=against, progress=_progress(sys.stderr))
    except (anchors.Unreadable, Error) as problem:
        raise CommandError(f"The record cannot be verified: {problem}", returncode=2) from problem
    if report is None:
        raise CommandError("The record cannot be verified: another run has taken its place.", returncode=2)
    out.write(_json(report) if options["json"] else _words(report))
    return 0 if report.is_clean else 1


def _progress(to: TextIO) -> Callable[[int, int], None]:
    """Return what says, about once a second, how far it has come and how fast."""
    began = told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= EVERY_SECONDS:
            told = now
            to.write(
                f"{done:,} of {total:,} rows ({100 * done // max(total, 1)} %), {done / (now - began):,.0f} rows/s\n"
            )

    return tell


def _words(report: Report) -> str:
    lines = [finding.sentence for finding in report.findings]
    if report.found > len(lines):
        lines.append(f"And {report.found - len(lines):,} more.")
    lines += report.notes
    lines.append(f"{report.sentence()} ({report.speed:,.0f} rows/s, with {report.history_rows:,} history rows).")
    if report.position:
        lines.append(f"Positions 1 to {report.position:,}, head {report.head}.")
    keys = f"signed by {', '.join(report.keys)}" if report.keys else "none signed yet"
    lines.append(f"Anchors compared: {report.anchors:,}, {keys}. Not sealed yet: {report.unsealed:,}.")
    if report.tombstones:
        lines.append(f"Replaced by tombstones, lawfully or as named above: {report.tombstones:,}.")
    return "\n".join([*lines, ""])


def _json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"
