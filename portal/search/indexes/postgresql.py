"""The indexes on PostgreSQL: a GIN index for each table, over the words of its columns.

PostgreSQL's own parser keeps paths, addresses and host names whole, so that "nginx" would not find
/var/log/nginx/error.log. The function here parts a text at everything that is neither letter nor digit first. Whoever
changes it gives it a new name: the indexes hold what it returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.search.words import PLAIN

FUNCTION: Final = "watchbook_words_1"
PREFIX: Final = "search_"
LONGEST: Final = 100_000  # characters of a text that are searched: a tsvector holds a megabyte
# What parts words: ASCII that is no letter or digit, then the punctuation, arrows and signs beyond it.
_SIGNS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u2000-\u206f\u2190-\u2bff\u3000-\u303f\ufe00-\ufe0f]+"
)
_MARKS = "".join(chr(code) for code in range(0x300, 0x370))
# Costly, so that the planner asks the index rather than each row.
_CREATE = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}(said text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $words$
BEGIN
    RETURN pg_catalog.to_tsvector('pg_catalog.simple', pg_catalog.translate(
        pg_catalog.regexp_replace(pg_catalog."left"(said, {LONGEST}), '{_SIGNS}', ' ', 'g'),
        '{"".join(map(chr, PLAIN))}{_MARKS}', '{"".join(map(chr, PLAIN.values()))}'));
END
$words$
"""
_STANDING = """
SELECT i.relname, t.relname, x.indisvalid FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class t ON t.oid = x.indrelid
 WHERE i.relnamespace = current_schema()::regnamespace AND starts_with(i.relname, %s)
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"


def words(columns: Sequence[str]) -> str:
    """Return the expression of the words of some columns, as the index and the queries both spell it."""
    said = " || ' ' || ".join(columns)
    return f"{FUNCTION}({said})"


def query(terms: Iterable[str], *, any_term: bool = False) -> str:
    """Return the terms, which are letters and digits alone, as a tsquery."""
    found = (f"'{term}':*" if len(term) > 1 else f"'{term}'" for term in terms)
    return (" | " if any_term else " & ").join(found)


class Indexes:
    """The indexes of one database: those meant beside those that stand."""

    def __init__(self, connection: BaseDatabaseWrapper, indexed: Mapping[str, tuple[str, ...]]) -> None:
        self.connection = connection
        self.indexed = indexed

    def _rows(self, asked: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(asked, parameters)
            return list(cursor.fetchall())

    def _meant(self) -> dict[str, tuple[str, str]]:
        """Return name and expression of each index, by table."""
        there = {name for (name,) in self._rows(_TABLES)}
        quote = self.connection.ops.quote_name
        found = {}
        for table, columns in self.indexed.items():
            if table in there:
                expression = words([quote(column) for column in columns])
                digest = sha256(f"{table} {expression}".encode()).hexdigest()[:8]
                found[table] = f"{PREFIX}{table[:40]}_{digest}", expression
        return found

    def _valid(self) -> set[str]:
        return {name for name, _, valid in self._rows(_STANDING, [PREFIX]) if valid}

    def missing(self) -> list[str]:
        """Return the tables whose index is not there, or was not finished."""
        standing = self._valid()
        return [table for table, (name, _) in self._meant().items() if name not in standing]

    def install(self) -> list[str]:
        """Make what is missing without keeping anybody from writing, then drop what is no longer meant."""
        meant, standing = self._meant(), self._valid()
        lost = [table for table, (name, _) in meant.items() if name not in standing]
        if lost:
            self._function()
        for table in lost:
            self._make(table, *meant[table])
        names = {name for name, _ in meant.values()}
        for name, table, _ in self._rows(_STANDING, [PREFIX]):
            if name not in names and table in self.indexed:
                self._run(f"DROP INDEX {self._beside()} IF EXISTS {self.connection.ops.quote_name(name)}")
        return lost

    def _function(self) -> None:
        with transaction.atomic(using=self.connection.alias):
            self._run(_CREATE)

    def _make(self, table: str, name: str, expression: str) -> None:
        quote = self.connection.ops.quote_name
        self._run(f"DROP INDEX {self._beside()} IF EXISTS {quote(name)}")  # one whose making was broken off
        self._run(f"CREATE INDEX {self._beside()} {quote(name)} ON {quote(table)} USING gin ({expression})")

    def _beside(self) -> str:
        """Return the word that lets others write meanwhile, which no transaction allows."""
        return "" if self.connection.in_atomic_block else "CONCURRENTLY"

    def _run(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def rebuild(self) -> list[str]:
        """Make every index anew."""
        self._function()
        meant = self._meant()
        for table, (name, expression) in meant.items():
            self._make(table, name, expression)
        return list(meant)

    def make_room(self) -> None:
        """Drop nothing: PostgreSQL drops an index with its column."""
