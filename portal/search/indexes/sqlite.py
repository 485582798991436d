"""The indexes on SQLite: an FTS5 table beside each table, without texts of its own, that three triggers keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX: Final = "search_"
_STANDING = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'trigger') AND name GLOB 'search_*'"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def name_of(table: str) -> str:
    """Return the name of the FTS5 table beside a table."""
    return f"{PREFIX}{table}"


def query(terms: Iterable[str], *, any_term: bool = False) -> str:
    """Return the terms, which are letters and digits alone, as FTS5 is asked for them."""
    words = (f'"{term}" *' if len(term) > 1 else f'"{term}"' for term in terms)
    return (" OR " if any_term else " AND ").join(words)


def condition(index: str) -> str:
    """Return the condition of one parameter, a query, in SQL; `index` is quoted."""
    return f"{index} MATCH %s"


def _parts(table: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the text of the FTS5 table and of its triggers, by name; the table first."""
    index = name_of(table)
    listed, new, old = (", ".join(f'{row}"{column}"' for column in columns) for row in ("", "NEW.", "OLD."))
    differs = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
    put = f'INSERT INTO "{index}" (rowid, {listed}) VALUES (NEW."id", {new});'  # noqa: S608 - names of our own
    taken = f'INSERT INTO "{index}" ("{index}", rowid, {listed}) VALUES (\'delete\', OLD."id", {old});'  # noqa: S608
    return {
        index: f"CREATE VIRTUAL TABLE \"{index}\" USING fts5({listed}, content='{table}', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
        f"{index}_put": f'CREATE TRIGGER "{index}_put" AFTER INSERT ON "{table}" BEGIN {put} END',
        f"{index}_changed": f'CREATE TRIGGER "{index}_changed" AFTER UPDATE OF {listed} ON "{table}" WHEN {differs} '
        f"BEGIN {taken} {put} END",
        f"{index}_taken": f'CREATE TRIGGER "{index}_taken" AFTER DELETE ON "{table}" BEGIN {taken} END',
    }


def triggers(indexed: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the text of every trigger that keeps an index, by its name."""
    return {
        name: text
        for table, columns in indexed.items()
        for name, text in _parts(table, columns).items()
        if name != name_of(table)
    }


class Indexes:
    """The indexes of one database file: those meant beside those that stand."""

    def __init__(self, connection: BaseDatabaseWrapper, indexed: Mapping[str, tuple[str, ...]]) -> None:
        self.connection = connection
        self.indexed = indexed

    def _rows(self, asked: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(asked)
            return list(cursor.fetchall())

    def _meant(self) -> dict[str, dict[str, str]]:
        there = {name for (name,) in self._rows(_TABLES)}
        return {table: _parts(table, columns) for table, columns in self.indexed.items() if table in there}

    def missing(self) -> list[str]:
        """Return the tables whose index or one of its triggers does not stand as meant."""
        standing = dict(self._rows(_STANDING))
        return [t for t, parts in self._meant().items() if any(standing.get(n) != text for n, text in parts.items())]

    def install(self) -> list[str]:
        """Make anew what does not stand as meant, and fill it: rows may have been written meanwhile."""
        meant, lost = self._meant(), self.missing()
        known = {name for parts in meant.values() for name in parts}
        ours = (name for name, text in self._rows(_STANDING) if name not in known and "USING fts5(" in (text or ""))
        obsolete = sorted(ours)
        if lost or obsolete:
            with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
                for name in obsolete:
                    cursor.execute(f'DROP TABLE "{name}"')
                for table in lost:
                    self._make(cursor, table, meant[table])
        return lost

    def _make(self, cursor: Any, table: str, parts: Mapping[str, str]) -> None:
        index = name_of(table)
        for name in parts:
            cursor.execute(f'DROP {"TABLE" if name == index else "TRIGGER"} IF EXISTS "{name}"')
        for text in parts.values():
            cursor.execute(text)
        cursor.execute(f'INSERT INTO "{index}" ("{index}") VALUES (\'rebuild\')')  # noqa: S608 - a name of our own

    def rebuild(self) -> list[str]:
        """Make every index anew."""
        meant = self._meant()
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            for table, parts in meant.items():
                self._make(cursor, table, parts)
        return list(meant)

    def make_room(self) -> None:
        """Drop the triggers: SQLite drops no column that a trigger names. `install` puts them back and fills anew."""
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            for name in triggers(self.indexed):
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
