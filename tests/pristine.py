"""Transactional tests leave rows behind: at their end the database is put back as it was before the first of them.

Django would empty all tables, which the guards of the record refuse, and run all that follows the migrations anew.
Both take longer than most of those tests.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

from portal.audit import guards
from portal.search.indexes.postgresql import PREFIX as INDEX


class Kept(Protocol):
    """A database as it was at one moment."""

    def put_back(self) -> None:
        """Make the database what it was at that moment."""


class KeptOnSqlite:
    """The whole file, in memory; with it come the numbers that were given out."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(self._copy)

    def put_back(self) -> None:
        """Write the file anew."""
        connection.ensure_connection()
        self._copy.backup(connection.connection)


class KeptOnPostgresql:
    """The rows of the tables that have any; those of the search follow by themselves.

    Numbers that were given out meanwhile are not given out again.
    """

    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}
        for table in _tables_with_rows():
            if table.startswith(INDEX):
                continue
            with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                self._rows[table] = b"".join(copy)

    def put_back(self) -> None:
        """Empty the tables that have rows, and fill those that had them; no foreign key is looked at meanwhile."""
        with guards.lifted(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in _tables_with_rows():
                cursor.execute(f'DELETE FROM "{table}"')
            for table, rows in self._rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(rows)


def _tables_with_rows() -> list[str]:
    tables = connection.introspection.table_names()
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [table for (table,) in cursor.fetchall()]


def kept() -> Kept:
    """Keep the test database as it is now."""
    return KeptOnPostgresql() if connection.vendor == "postgresql" else KeptOnSqlite()


@contextmanager
def after_each(kept: Kept) -> Iterator[None]:
    """Let the end of a transactional test put the database back."""

    def put_back(_test: TransactionTestCase) -> None:
        kept.put_back()
        ContentType.objects.clear_cache()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", put_back)
        yield
