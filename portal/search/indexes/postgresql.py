"""The indexes on PostgreSQL: a table of words beside each table, with a GIN index, that a trigger keeps.

The words stand in a table of their own because whatever PostgreSQL computes into the row itself (a generated column)
locks the table while it is added, and because an index over an expression is of no use to words that many rows have:
the planner then reads the rows and cuts each of them into words again.

PostgreSQL's own parser keeps paths, addresses and host names whole, so that "nginx" would not find
/var/log/nginx/error.log. The function here parts a text at everything that is neither letter nor digit first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.search.words import PLAIN

FUNCTION: Final = "watchbook_words"
PREFIX: Final = "search_"
TRIGGER: Final = "search_keep"
LONGEST: Final = 100_000  # characters of a row that are searched: a tsvector holds a megabyte
# What parts words: ASCII that is no letter or digit, then the punctuation, arrows and signs beyond it.
_SIGNS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u2000-\u206f\u2190-\u2bff\u3000-\u303f\ufe00-\ufe0f]+"
)
_MARKS = "".join(chr(code) for code in range(0x300, 0x370))
_WORDS = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}(said text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $words$
BEGIN
    said := pg_catalog."left"(said, {LONGEST});
    IF pg_catalog.octet_length(said) <> pg_catalog.char_length(said) THEN -- not ASCII alone
        said := pg_catalog.translate(
            said, '{"".join(map(chr, PLAIN))}{_MARKS}', '{"".join(map(chr, PLAIN.values()))}');
    END IF;
    RETURN pg_catalog.to_tsvector('pg_catalog.simple', pg_catalog.regexp_replace(said, '{_SIGNS}', ' ', 'g'));
END
$words$
"""
# No `UPDATE OF` and no WHEN: PostgreSQL changes the type of no column that a trigger names.
_KEEP = """
CREATE OR REPLACE FUNCTION {schema}.{keep}() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, {schema}, pg_temp AS $keep$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {index} WHERE id = OLD.id;
    ELSIF TG_OP = 'INSERT' OR ROW({old}) IS DISTINCT FROM ROW({new}) THEN
        INSERT INTO {index} (id, words) VALUES (NEW.id, {function}({said}))
            ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words;
    END IF;
    RETURN NULL;
END
$keep$
"""
_STANDING = """
SELECT c.relname, obj_description(c.oid, 'pg_class'), EXISTS (
    SELECT 1 FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
     WHERE t.relnamespace = c.relnamespace AND 'search_' || t.relname = c.relname
       AND g.tgname = %s AND g.tgenabled = 'A')
  FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND starts_with(c.relname, %s)
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
_MARK = "Watchbook's index of words, "  # how a table of ours is told from any other


def name_of(table: str) -> str:
    """Return the name of the table of words beside a table."""
    return f"{PREFIX}{table}"


def query(terms: Iterable[str], *, any_term: bool = False) -> str:
    """Return the terms, which are letters and digits alone, as a tsquery."""
    found = (f"'{term}':*" if len(term) > 1 else f"'{term}'" for term in terms)
    return (" | " if any_term else " & ").join(found)


def condition(index: str) -> str:
    """Return the condition of one parameter, a query, in SQL; `index` is quoted."""
    del index
    return "words @@ %s::tsquery"


class Indexes:
    """The indexes of one database: those meant beside those that stand."""

    def __init__(self, connection: BaseDatabaseWrapper, indexed: Mapping[str, tuple[str, ...]]) -> None:
        self.connection = connection
        self.indexed = indexed

    def _rows(self, asked: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(asked, parameters)
            return list(cursor.fetchall())

    def _meant(self) -> dict[str, str]:
        """Return the mark of each index, by table: it differs when anything of how it is kept does."""
        there = {name for (name,) in self._rows(_TABLES)}
        return {table: f"{_MARK}{self._digest(table)}" for table in self.indexed if table in there}

    def _digest(self, table: str) -> str:
        return sha256("\n".join((_WORDS, _KEEP, table, *self.indexed[table])).encode()).hexdigest()[:12]

    def _standing(self) -> dict[str, str]:
        """Return the mark of each table of words of ours; "" where nothing keeps it."""
        rows = self._rows(_STANDING, [TRIGGER, PREFIX])
        return {name: mark if kept else "" for name, mark, kept in rows if (mark or "").startswith(_MARK)}

    def missing(self) -> list[str]:
        """Return the tables whose index does not stand as meant, or is kept by nothing."""
        standing = self._standing()
        return [table for table, mark in self._meant().items() if standing.get(name_of(table)) != mark]

    def install(self) -> list[str]:
        """Make anew what does not stand as meant, each in its own transaction, and drop what is no longer meant."""
        lost, known = self.missing(), {name_of(table) for table in self.indexed}
        self._make(lost)
        for name in sorted(self._standing().keys() - known):
            self._drop(name)
        return lost

    def rebuild(self) -> list[str]:
        """Make every index anew."""
        tables = list(self._meant())
        self._make(tables)
        return tables

    def _make(self, tables: Sequence[str]) -> None:
        marks = self._meant()
        if tables:
            with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
                cursor.execute(_WORDS)
        for table in tables:
            with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
                for statement in self._statements(table, marks[table]):
                    cursor.execute(statement)

    def _statements(self, table: str, mark: str) -> list[str]:
        """Return how an index is made: kept from now on, filled, then indexed. Meanwhile the table can be read."""
        quote = self.connection.ops.quote_name
        [(schema,)] = self._rows("SELECT quote_ident(current_schema())")
        index, keep, there = quote(name_of(table)), quote(f"{TRIGGER}_{table}"), quote(table)

        def listed(row: str, between: str) -> str:
            return between.join(f"{row}{quote(column)}" for column in self.indexed[table])

        names = {"schema": schema, "keep": keep, "index": index, "function": FUNCTION}
        rows = {"old": listed("OLD.", ", "), "new": listed("NEW.", ", "), "said": listed("NEW.", " || ' ' || ")}
        said, then = listed("", " || ' ' || "), f"EXECUTE FUNCTION {schema}.{keep}()"
        return [
            f"CREATE TABLE IF NOT EXISTS {index} (id bigint PRIMARY KEY, words tsvector NOT NULL)",
            f"DROP INDEX IF EXISTS {quote(f'{name_of(table)}_words')}",
            f"DELETE FROM {index}",  # noqa: S608 - names of our own tables
            _KEEP.format(**names, **rows),
            f"DROP TRIGGER IF EXISTS {TRIGGER} ON {there}",
            f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {there} FOR EACH ROW {then}",
            f"ALTER TABLE {there} ENABLE ALWAYS TRIGGER {TRIGGER}",
            f"INSERT INTO {index} SELECT id, {FUNCTION}({said}) FROM {there}",  # noqa: S608 - the same
            f"CREATE INDEX {quote(f'{name_of(table)}_words')} ON {index} USING gin (words)",
            f"COMMENT ON TABLE {index} IS '{mark.replace(chr(39), chr(39) * 2)}'",
        ]

    def _drop(self, name: str) -> None:
        quote, table = self.connection.ops.quote_name, name.removeprefix(PREFIX)
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION IF EXISTS {quote(f'{TRIGGER}_{table}')}() CASCADE")
            cursor.execute(f"DROP TABLE {quote(name)}")

    def make_room(self) -> None:
        """Drop nothing: the trigger names no column, so that PostgreSQL changes any."""
