"""What the database itself refuses: to change, delete or replace a row of the record, whoever asks.

Every history table, the trail, its seals and every table of facts is guarded by triggers, and so are the rules that a
model declares in `database_guards`. They are installed after every migrate and compared with what was meant: a guard
that was dropped, altered or disabled is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from portal.audit.guards import postgresql, sqlite
from portal.audit.guards.registry import declared, guarded_models, guarded_tables, is_guarded

__all__ = [
    "declared",
    "drop_declared",
    "guarded_models",
    "guarded_tables",
    "install",
    "is_guarded",
    "lifted",
    "may_open",
    "missing",
    "open_rows",
    "strange",
]


def _of(using: str) -> postgresql.Guards | sqlite.Guards:
    connection = connections[using]
    made = postgresql.Guards if connection.vendor == "postgresql" else sqlite.Guards
    return made(connection, guarded_tables(), declared())


def install(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Create what is missing, drop our own triggers that are no longer meant; return what was created.

    Only the tables' owner may. Tables that do not exist (yet) are passed over.
    """
    return _of(using).install()


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return each guard that does not stand as it was meant, as "table: trigger"."""
    return _of(using).missing()


def strange(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return what stands on tables that have guards and is not meant: triggers, rules, policies, inheritance."""
    return _of(using).strange()


def drop_declared(using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop the triggers that models declare, where the database would refuse to rebuild a table that they read."""
    _of(using).drop_declared()


def may_open(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether this connection acts as the owner of the guarded tables; on SQLite every process does."""
    return _of(using).may_open()


@contextmanager
def open_rows(rows: Mapping[str, tuple[str, Collection[int]]], using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let UPDATE change these rows inside, and no other row, in a transaction of which nobody else sees that.

    `rows` are, by table, the column of its key and the keys. The guards stand as before when it ends, however it ends;
    RuntimeError is raised, and all of it undone, when they would not. For a lawful tombstone alone: a rule holds it.
    """
    guards = _of(using)
    with transaction.atomic(using=using):
        guards.open(rows)
        yield
        guards.install()
        if left := guards.missing():
            raise RuntimeError(f"The guards of the record would not stand again: {', '.join(left[:5])}.")


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let everything pass inside, in a transaction of which nobody else sees that. For tests alone: a rule holds it."""
    guards = _of(using)
    with transaction.atomic(using=using):
        guards.lift()
        yield
        guards.install()
