"""`manage.py audit grant [ROLE]`: what the role of the running portal may do on PostgreSQL, and nothing more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, TextIO

from django.conf import settings
from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS, Error

from portal.audit.guards import roles

HELP = "Grant a PostgreSQL role what the running portal needs, and take everything else from it."


def add_arguments(parser: ArgumentParser) -> None:
    """Take the role."""
    parser.add_argument("role", nargs="?", default=settings.RUNTIME_ROLE, help="default: the role of DATABASE_URL")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Make the grants, and say what the role could still do beyond them."""
    role = options["role"]
    if not role:
        raise CommandError("Name the role: manage.py audit grant ROLE")
    try:
        roles.grant(DEFAULT_DB_ALIAS, role)
    except Error as problem:
        reason = str(problem).splitlines()[0]
        raise CommandError(
            f"The grants were not made ({reason}). Only the owner of the tables may: set MIGRATION_DATABASE_URL."
        ) from problem
    out.write(f"{role} may read and append to the record, and use every other table.\n")
    left = roles.powers(DEFAULT_DB_ALIAS, role)
    out.writelines(f"Warning: {role} {words}.\n" for words in left)
    return 0
