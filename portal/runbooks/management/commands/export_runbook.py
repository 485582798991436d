"""`manage.py export_runbook REFERENCE`: a runbook as Markdown in the template's layout."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.runbooks import services, shutting
from portal.runbooks.enums import VersionState
from portal.runbooks.holding import HELD
from portal.runbooks.models import Runbook


class Command(BaseCommand):
    """Hand a runbook out."""

    help = "Print a runbook as Markdown: the version in force, else the newest one, or the one that is asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the reference and a version."""
        parser.add_argument("reference", metavar="REFERENCE", help="such as RBK-000001")
        parser.add_argument("--number", type=int, metavar="N", help="the number of a version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        runbook = Runbook.objects.filter(reference=options["reference"].upper()).first()
        if runbook is None:
            raise CommandError(f"There is no runbook {options['reference']}.")
        rows = runbook.versions.select_related("runbook__system__owner").exclude(state=VersionState.DISCARDED)
        if options["number"] is not None:
            version = rows.filter(number=options["number"]).first()
        else:
            version = rows.filter(state=VersionState.PUBLISHED).first() or rows.order_by("-number").first()
        if version is None:
            raise CommandError(f"{runbook.reference} has no such version.")
        if shutting.kept_back(version.runbook, version.text):
            raise CommandError(f"{HELD} Until then {runbook.reference} is read on its page, without that part.")
        self.stdout.write(services.handed_out(version), ending="")
