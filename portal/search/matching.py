"""The condition that a row meets the words, as each database answers it from its index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func
from django.db.models.sql.compiler import SQLCompiler

from portal.search.indexes import postgresql, sqlite
from portal.search.registry import Searchable


def tables_with(tables: Iterable[str], terms: Sequence[str], *, any_term: bool = False) -> frozenset[str]:
    """Return which tables have a row that meets all the terms, or any of them, whoever may see it. One query.

    Most words stand in few tables: nothing else need be asked of the others.
    """
    wanted = list(dict.fromkeys(tables))
    if not wanted:
        return frozenset()
    index = postgresql if connection.vendor == "postgresql" else sqlite
    names = [connection.ops.quote_name(index.name_of(table)) for table in wanted]
    asked = ", ".join(f"EXISTS (SELECT 1 FROM {name} WHERE {index.condition(name)})" for name in names)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked}", [index.query(terms, any_term=any_term)] * len(wanted))
        (found,) = cursor.fetchall()
    return frozenset(table for table, stands in zip(wanted, found, strict=True) if stands)


class Matches(Func):
    """Whether the searched columns of a row meet all the terms, or any of them."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, kind: Searchable, terms: Sequence[str], *, any_term: bool = False) -> None:
        super().__init__(F("pk"))
        self.table, self.terms, self.any_term = kind.model._meta.db_table, tuple(terms), any_term

    @property
    def identity(self) -> Any:
        """Return what makes two conditions the same: the words too."""
        return (*super().identity, self.table, self.terms, self.any_term)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any
    ) -> tuple[str, list[Any]]:
        """Ask the table of words that stands beside the table."""
        key, _ = compiler.compile(self.source_expressions[0])
        index = connection.ops.quote_name(postgresql.name_of(self.table))
        asked = f"{key} IN (SELECT id FROM {index} WHERE {postgresql.condition(index)})"  # noqa: S608 - names of our own tables
        return asked, [postgresql.query(self.terms, any_term=self.any_term)]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> Any:
        """Ask the FTS5 table that stands beside the table."""
        key, _ = compiler.compile(self.source_expressions[0])
        index = connection.ops.quote_name(sqlite.name_of(self.table))
        asked = f"{key} IN (SELECT rowid FROM {index} WHERE {sqlite.condition(index)})"  # noqa: S608 - names of our own tables
        return asked, [sqlite.query(self.terms, any_term=self.any_term)]
