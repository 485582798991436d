"""`manage.py import_runbook FILE... [--system NAME] [--dry-run] [--report FILE]`: take Markdown in as drafts."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from portal.audit.actor import Actor, acting, current
from portal.directory.models import System
from portal.lib import clock
from portal.runbooks import services
from portal.runbooks.policy import Refused
from portal.runbooks.services import Taken, Verdict


class Command(BaseCommand):
    """Take runbooks in."""

    help = (
        "Read runbooks as people write them and keep each as a draft, in the template's layout. What is not understood "
        "is kept as text and named line by line. The same file twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the files and how they are taken in."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--system", default="", metavar="NAME", help="the system that they are about: slug or name")
        parser.add_argument("--dry-run", action="store_true", help="read and report, but save nothing")
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="write the report as JSON; - for standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read each file, say what became of it, and write the report."""
        system, reports, refused = _system(options["system"]), [], 0
        for path in options["files"]:
            taken = self._one(path, system, dry=options["dry_run"])
            reports.append(taken.reading.report() | _outcome(taken))
            refused += taken.verdict is Verdict.REFUSED
            if str(options["report"]) != "-":
                self.stdout.write(_sentence(path, taken, dry=options["dry_run"]))
        if options["report"] is not None:
            self._write(options["report"], json.dumps(reports, indent=2, ensure_ascii=False) + "\n")
        if refused and not options["dry_run"]:
            raise CommandError(f"{refused} of {len(reports)} files were refused; the others are kept.")

    def _one(self, path: Path, system: System | None, *, dry: bool) -> Taken:
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise CommandError(f"{path} cannot be read: {problem.strerror or problem}.") from problem
        taken = services.judge(path.name, data, system=system)
        if dry or taken.verdict is Verdict.REFUSED:
            return taken
        try:
            with acting(by=_by(), anew=True):
                return services.take_in(path.name, data, system=system, by=_by(), at=clock.database_now())
        except Refused as refusal:
            return Taken(taken.reading, Verdict.REFUSED, taken.runbook, refusal=str(refusal))

    def _write(self, path: Path, text: str) -> None:
        if str(path) == "-":
            self.stdout.write(text, ending="")
            return
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise CommandError(f"The report cannot be written: {problem.strerror or problem}.") from problem


def _by() -> Actor:
    context = current()
    return context.actor if context is not None else Actor("command: import_runbook")


def _system(name: str) -> System | None:
    if not name:
        return None
    found: System | None = System.objects.filter(Q(slug__iexact=name) | Q(name__iexact=name)).order_by("pk").first()
    if found is None:
        raise CommandError(f"There is no system {name}. Name one by its slug or its name, as on the page Systems.")
    return found


def _outcome(taken: Taken) -> dict[str, Any]:
    return {
        "outcome": taken.verdict.name.lower(),
        "runbook": taken.runbook.reference if taken.runbook else None,
        "refused": taken.refusal or None,
        "checklists": [{"name": x.name, "steps": x.steps, "outcome": x.fate.value} for x in taken.checklists],
    }


def _sentence(path: Path, taken: Taken, *, dry: bool) -> str:
    report = taken.reading.report()
    counts = ", ".join(
        f"{report[name]['structured']} of {report[name]['found']} {name.replace('_', ' ')}"
        for name in ("tables", "checkboxes", "numbered_steps")
    )
    where = f" {taken.runbook.reference}" if taken.runbook else ""
    what = f"{taken.verdict.value}{where}" if not taken.refusal else f"{taken.verdict.value}: {taken.refusal}"
    would = "Would do: " if dry else ""
    return (
        f"{path.name}: {would}{what}. {counts}; {len(report['kept_as_text'])} lines kept as text, "
        f"{len(report['conflicts'])} conflicts, {len(report['repaired'])} lines repaired."
    )
