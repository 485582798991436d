"""System checks of the database: the guards stand as they were meant, and the running portal cannot lift them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections

from portal.audit import guards
from portal.audit.guards import roles

SETUP = "Set up two roles as docs/operator.md shows."


def check_guards(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Compare the guards of each named database with the models, and its role with what it may do.

    Silent in the commands that put this right, such as migrate.
    """
    if settings.DOES_OWNERS_WORK:
        return []
    return [message for using in databases or () for message in (*_missing(using), *_strange(using), *_liftable(using))]


def _missing(using: str) -> list[CheckMessage]:
    found = guards.missing(using)
    if not found:
        return []
    words = f"{len(found)} guards of the record are missing, altered or disabled: {', '.join(found[:5])}"
    more = " and more" if len(found) > 5 else ""
    hint = "Find out who lifted them, then run: python3 manage.py audit install-guards"
    return [checks.Error(f"{words}{more}.", hint=hint, id="audit.E001")]


def _strange(using: str) -> list[CheckMessage]:
    found = guards.strange(using)
    if not found:
        return []
    hint = "They can change what is written. Find out who made them, and drop them."
    return [checks.Warning(f"Not Watchbook's, on guarded tables: {', '.join(found)}.", hint=hint, id="audit.W003")]


def _liftable(using: str) -> list[CheckMessage]:
    if connections[using].vendor != "postgresql":
        words = "Whoever may write the SQLite file can lift the guards of the record."
        return [checks.Warning(words, hint="Use PostgreSQL with two roles (docs/operator.md).", id="audit.W002")]
    role = roles.current_role(using)
    found = roles.powers(using, role)
    if not found:
        return []
    words = f"The portal runs as the database role {role}, which could lift the guards of the record: it "
    return [checks.Warning(f"{words}{', '.join(found)}.", hint=SETUP, id="audit.W001")]
