"""Rows as the texts that seals cover, written by the database itself: one expression for each kind of column.

The expressions are such that no two different values have the same text: whatever SQLite keeps in a column that does
not belong there is told with a question mark, its type and its bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Cursor
from psycopg.types.string import ByteaBinaryLoader

from portal.audit.canonical import NO_TEXT, Column, json_text, relation_text
from portal.audit.shapes import ENVELOPE, PAYLOAD, Definition

MOST_ARGUMENTS = 90  # of one function of PostgreSQL, which takes 100
EMPTY = "''"
Fetched = list[tuple[Any, ...]]
Answer = Callable[[], Fetched]
Ask = Callable[[str, Sequence[Any]], Answer]


class Row(NamedTuple):
    """A row as its number and its texts."""

    number: int
    envelope: bytes
    payload: bytes


class Reader:
    """Reads rows of one definition. Where `lost` names columns that no longer exist, nothing can be read."""

    def __init__(self, definition: Definition, using: str = DEFAULT_DB_ALIAS) -> None:
        self.definition = definition
        self.connection: BaseDatabaseWrapper = connections[using]
        self._json = {part: _json_columns(definition.of(part)) for part in (ENVELOPE, PAYLOAD)}
        self._plain = not any(self._json.values())
        columns = [part_text(self.connection, definition.of(part)) for part in (ENVELOPE, PAYLOAD)]
        columns += [_json_of(self.connection, c) for part in (ENVELOPE, PAYLOAD) for c in self._json[part]]
        self._columns = ", ".join(columns)

    def lost(self, there: Mapping[str, Collection[str]]) -> list[str]:
        """Return the columns, or tables, that the definition names and the database does not have.

        `there` are the columns of each table, from `columns_of`.
        """
        wanted = {self.definition.table: {self.definition.key, *(c.name for c in self.definition.columns)}}
        for relation in self.definition.relations:
            wanted[relation.table] = {relation.key, relation.order, *(c.name for c in relation.columns)}
        found: list[str] = []
        for table, columns in wanted.items():
            missing = sorted(columns - set(there.get(table, ())))
            found += [f"{table}.{name}" for name in missing] if table in there else [table]
        return found

    def rows(self, ids: Collection[int]) -> dict[int, Row]:
        """Return the rows of these ids that exist, and perhaps some between them, by id."""
        return self.asked(ids, self._at_once)()

    def asked(self, ids: Collection[int], ask: Ask) -> Callable[[], dict[int, Row]]:
        """Ask for the rows of these ids; return what waits for them and gives them as `rows` does."""
        where, values = among(self.connection, f"t.{self._quoted(self.definition.key)}", ids)
        found = ask(self._query(where), values)
        related = self._ask_related(ids, ask)
        return lambda: {row[0]: Row._make(row) for row in self._whole(found(), related)}

    def select(
        self, where: str, values: Sequence[Any] = (), *, extra: Sequence[str] = (), tail: str = ""
    ) -> list[tuple[Any, ...]]:
        """Return id, envelope, payload and `extra` expressions of the rows of the table `t` that meet a condition."""
        found = fetch(self.connection, self._query(where, extra, tail), values)
        return self._whole(found, self._ask_related([row[0] for row in found], self._at_once))

    def _at_once(self, query: str, values: Sequence[Any]) -> Answer:
        found = fetch(self.connection, query, values)
        return lambda: found

    def _query(self, where: str, extra: Sequence[str] = (), tail: str = "") -> str:
        more, key = "".join(f", {words}" for words in extra), self._quoted(self.definition.key)
        table = self._quoted(self.definition.table)
        return f"SELECT t.{key}, {self._columns}{more} FROM {table} t WHERE {where} {tail}"  # noqa: S608 - our own names

    def _whole(self, rows: Fetched, related: Sequence[tuple[str, Answer]]) -> Fetched:
        """Return the rows with the texts that the database did not write in one piece."""
        if not self._plain:
            rows = [self._with_json(row) for row in rows]
        for name, answer in related:
            rows = _with_relation(rows, name, answer())
        return rows

    def _quoted(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def _with_json(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the row with its JSON columns at the end of the texts that they belong to."""
        texts, rest = [row[1], row[2]], list(row[3:])
        for number, part in enumerate((ENVELOPE, PAYLOAD)):
            for _ in self._json[part]:
                value = rest.pop(0)
                word = NO_TEXT.encode()
                if value is not None:
                    told = json_text(value.decode(errors="surrogateescape")).encode(errors="surrogateescape")
                    word = b"%d,%s" % (len(told), told)
                plain = len(self.definition.of(part)) > len(self._json[part]) or texts[number]
                texts[number] = b"%s,%s" % (texts[number], word) if plain else word
        return (row[0], *texts, *rest)

    def _ask_related(self, ids: Collection[int], ask: Ask) -> list[tuple[str, Answer]]:
        """Ask for the texts of the rows of each relation, with the history row that they belong to."""
        asked, quote = [], self._quoted
        for relation in self.definition.relations:
            key, order = f"t.{quote(relation.key)}", f"t.{quote(relation.order)}"
            where, values = among(self.connection, key, ids)
            query = (
                f"SELECT {key}, {part_text(self.connection, relation.columns)} "  # noqa: S608 - names of our own models
                f"FROM {quote(relation.table)} t WHERE {where} ORDER BY {order}"
            )
            asked.append((relation.name, ask(query, values)))
        return asked


def _with_relation(rows: Fetched, name: str, related: Fetched) -> Fetched:
    """Return rows whose payload ends with the texts of one relation."""
    kept: dict[int, list[bytes]] = defaultdict(list)
    for owner, text in related:
        kept[owner].append(text)
    texts, none = {owner: relation_text(name, of) for owner, of in kept.items()}, relation_text(name, [])
    return [(row[0], row[1], row[2] + texts.get(row[0], none), *row[3:]) for row in rows]


def fetch(connection: BaseDatabaseWrapper, query: str, values: Sequence[Any] = ()) -> Fetched:
    """Return the rows of a query, texts as bytes. Parameters are written %s."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            return sent(connection, query, values)()
        found: Fetched = connection.connection.execute(query.replace("%s", "?"), values).fetchall()
        return found


def sent(connection: BaseDatabaseWrapper, query: str, values: Sequence[Any] = ()) -> Answer:
    """Send a query to PostgreSQL; return what gives its rows, texts as bytes."""
    cursor: Cursor[tuple[Any, ...]] = Cursor(connection.connection)
    cursor.adapters.register_loader("text", ByteaBinaryLoader)
    cursor.execute(query, values or None, binary=True)
    return cursor.fetchall


def columns_of(connection: BaseDatabaseWrapper) -> dict[str, set[str]]:
    """Return the columns of every table of the database."""
    query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    if connection.vendor == "postgresql":
        query = (
            "SELECT c.relname::name, a.attname::name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 "
            "AND NOT a.attisdropped"
        )
    found: dict[str, set[str]] = defaultdict(set)
    for table, column in fetch(connection, query):
        found[table].add(column)
    return dict(found)


def as_bytes(connection: BaseDatabaseWrapper, name: str) -> str:
    """Return the expression of a text as its bytes, whatever they are."""
    return f"{name}::text" if connection.vendor == "postgresql" else f"CAST({name} AS BLOB)"


def among(connection: BaseDatabaseWrapper, column: str, ids: Collection[int]) -> tuple[str, list[Any]]:
    """Return the condition that a column holds one of these ids, and its parameters.

    Ids that lie close together are asked for as a span: the answer then holds the rows between them too.
    """
    if not ids:
        return "1 = 0", []
    low, high = min(ids), max(ids)
    if high - low < 2 * len(ids):
        return f"{column} BETWEEN %s AND %s", [low, high]
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", [list(ids)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(ids))]  # noqa: S608 - a name of our own


# Expressions.


def part_text(connection: BaseDatabaseWrapper, columns: Iterable[Column]) -> str:
    """Return the expression of the text of some columns of the table `t`, without those that hold JSON."""
    plain = [(f"t.{connection.ops.quote_name(c.name)}", c.kind) for c in columns if c.kind != "json"]
    if connection.vendor == "postgresql":
        return _joined([word for name, kind in plain for word in _postgresql(name, kind)])
    joined = " || ',' || ".join(_sqlite(name, kind) for name, kind in plain)
    return f"CAST({joined or EMPTY} AS BLOB)"


def _joined(words: list[str]) -> str:
    if not words:
        return f"{EMPTY}::text"
    if len(words) <= MOST_ARGUMENTS:
        return f"concat_ws(',', {', '.join(words)})"
    return f"concat_ws(',', {_joined(words[:MOST_ARGUMENTS])}, {_joined(words[MOST_ARGUMENTS:])})"


def _postgresql(name: str, kind: str) -> list[str]:
    """Return the words of one column; a null among the arguments of concat_ws is left out."""
    if kind == "text":
        return [f"coalesce(octet_length({name}), {NO_TEXT})", name]
    words = {
        "moment": f"({name} AT TIME ZONE 'UTC')::text",
        "span": f"(extract(epoch FROM {name}) * 1000000)::bigint::text",
        "decimal": f"trim_scale({name})::text",
        "bytes": f"encode({name}, 'hex')",
        "address": f"abbrev({name})",
    }
    return [f"coalesce({words.get(kind.partition(':')[0], f'{name}::text')}, '-')"]


def _sqlite(name: str, kind: str) -> str:
    sort, _, places = kind.partition(":")
    proper = f"instr({name}, ',') = 0 AND {name} <> '-'"
    cut = f"CASE WHEN instr({name}, '.') THEN rtrim(rtrim({name}, '0'), '.') ELSE {name} END"
    dashed = " || '-' || ".join(f"substr({name}, {start})" for start in ("1, 8", "9, 4", "13, 4", "17, 4", "21"))
    printed = f"printf('%.{places}f', {name})"
    number = f"rtrim(rtrim({printed}, '0'), '.')" if places != "0" else printed
    whole = [("integer", "1", name)]
    told = {
        "text": [("text", "1", f"length(CAST({name} AS BLOB)) || ',' || {name}"), ("null", "1", f"'{NO_TEXT}'")],
        "boolean": [("integer", f"{name} = 1", "'true'"), ("integer", f"{name} = 0", "'false'")],
        "decimal": [*whole, ("real", f"round({name}, {places or 0}) = {name}", number)],
        "moment": [("text", proper, cut)],
        "time": [("text", proper, cut)],
        "date": [("text", proper, name)],
        "address": [("text", proper, name)],
        "uuid": [("text", proper, dashed)],
        "bytes": [("blob", "1", f"lower(hex({name}))")],
    }.get(sort, whole)
    cases = [f"WHEN typeof({name}) = '{found}' AND {condition} THEN {words}" for found, condition, words in told]
    strange = f"'?' || typeof({name}) || hex({name})"
    return f"CASE {' '.join(cases)} WHEN {name} IS NULL THEN '-' ELSE {strange} END"


def _json_columns(columns: Iterable[Column]) -> list[Column]:
    return [column for column in columns if column.kind == "json"]


def _json_of(connection: BaseDatabaseWrapper, column: Column) -> str:
    return as_bytes(connection, f"t.{connection.ops.quote_name(column.name)}")
