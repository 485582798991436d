"""`manage.py audit reconcile [--json]`: compare every row with its history and the trail, now."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management import CommandError

from portal.assurance.services import reconciliation
from portal.audit import reconciling
from portal.audit.actor import Actor, current
from portal.audit.models import Reconciliation
from portal.audit.reconciling import LastRun
from portal.lib import clock, times

HELP = "Compare every row with its history and the audit trail; exit 1 when something differs."


def add_arguments(parser: ArgumentParser) -> None:
    """Take --json."""
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Reconcile, say what was found, and have a security incident opened about it."""
    row = reconciling.begin(by=_by(), at=clock.database_now())
    progress = _quiet if options["json"] else _progress(out)
    try:
        reconciling.run(row, now=clock.database_now, settle=reconciliation.settle, tell=progress)
    except LookupError as problem:
        raise CommandError(f"{problem} Its findings will stand in the trail.") from None
    found = reconciling.finished(row)
    out.write(_json(found) if options["json"] else _words(found))
    return 1 if found.found else 0


def _by() -> Actor | str:
    context = current()
    return context.actor if context is not None else "command: audit reconcile"


def _quiet(_row: Reconciliation) -> None:
    """Say nothing on the way."""


def _progress(out: TextIO) -> Any:
    def tell(row: Reconciliation) -> None:
        if row.finished_at is None:
            out.write(f"{row.rows:,} rows read, at {row.part}\n")

    return tell


def _words(run: LastRun) -> str:
    speed = f"{run.rows:,} rows in {times.duration(run.seconds)}"
    lines = [found.sentence for found in run.findings]
    if run.found > len(lines):
        lines.append(f"And {run.found - len(lines):,} more.")
    if not lines:
        return f"Nothing differs: {speed}. Every row is as its newest history row says, and the trail tells them all.\n"
    verdict = f"{run.found:,} {'finding' if run.found == 1 else 'findings'}: {speed}."
    return "\n".join([*lines, f"{verdict} A security incident is opened unless an open one names them already.", ""])


def _json(run: LastRun) -> str:
    told = {
        "finished_at": run.at.isoformat(),
        "by": run.by,
        "rows": run.rows,
        "seconds": round(run.seconds, 3),
        "found": run.found,
        "findings": [found.as_json() for found in run.findings],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
