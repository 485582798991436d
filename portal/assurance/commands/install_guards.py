"""`manage.py audit install-guards`: put back the database guards that are missing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management import CommandError
from django.db import Error

from portal.audit import guards, receivers

HELP = "Put back the database guards of the record that are missing, altered or disabled."


def add_arguments(parser: ArgumentParser) -> None:
    """Take nothing."""
    _ = parser


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Install them, tell the trail, and say what was missing."""
    _ = options
    try:
        installed = guards.install()
    except Error as problem:
        reason = str(problem).splitlines()[0]
        raise CommandError(
            f"The guards were not installed ({reason}). Only the owner of the tables may: set MIGRATION_DATABASE_URL."
        ) from problem
    receivers.tell(installed)
    out.writelines(f"Put back {name}\n" for name in installed)
    tables = len({*guards.guarded_tables(), *(trigger.table for trigger in guards.declared())})
    out.write(f"{tables} tables are guarded; {len(installed) or 'no'} guards were missing.\n")
    return 0
