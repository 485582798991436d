"""`manage.py audit VERB`: what an operator or auditor does with the record from a terminal."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.assurance.commands import (
    Verb,
    anchor,
    grant,
    hold,
    install_guards,
    key,
    packet,
    reconcile,
    tombstone,
    verify,
)

VERBS: dict[str, Verb] = {
    "anchor": anchor,
    "key": key,
    "verify": verify,
    "grant": grant,
    "install-guards": install_guards,
    "packet": packet,
    "reconcile": reconcile,
    "hold": hold,
    "tombstone": tombstone,
}


class Command(BaseCommand):
    """Verify, reconcile, anchor, keep and export the record."""

    help = "Verify, reconcile, anchor, keep and export the record."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a verb and its options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, verb in VERBS.items():
            verb.add_arguments(verbs.add_parser(name, help=verb.HELP, description=verb.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it; the exit code is the verb's."""
        code = VERBS[options["verb"]].handle(options, self.stdout)  # type: ignore[arg-type]
        if code:
            sys.exit(code)
