"""The indexes of what is searched, which the database keeps by itself in the transaction of every write.

They are made after every migration from what is registered, so that no service has anything to call. Beside each table
that is searched stands one of its words, which triggers keep: on PostgreSQL with a GIN index, on SQLite as FTS5.
"""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, connections

from portal.search.indexes import postgresql, sqlite
from portal.search.registry import indexed


def _of(using: str) -> postgresql.Indexes | sqlite.Indexes:
    connection = connections[using]
    made = postgresql.Indexes if connection.vendor == "postgresql" else sqlite.Indexes
    return made(connection, indexed())


def install(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Make what is missing or differs from what is registered, drop what is no longer; return the tables served."""
    return _of(using).install()


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the tables whose index does not stand as it was meant. A table that does not exist lacks none."""
    return _of(using).missing()


def rebuild(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Make every index anew from its rows; return the tables."""
    return _of(using).rebuild()


def make_room(using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop what would keep SQLite from changing the columns that it reads."""
    _of(using).make_room()
