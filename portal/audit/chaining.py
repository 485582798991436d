"""How a seal is made: the digests of a row, tied to the digest before it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, models
from psycopg import Cursor

from portal.audit.canonical import FOR_HISTORY, FOR_PAYLOAD, NOTHING, SALT_BYTES, link_text
from portal.audit.reading import Reader, Row
from portal.audit.seals import Seal, Shape
from portal.audit.shapes import Definition, definition_of, history_of
from portal.audit.tables import TrailRow

COLUMNS = tuple(str(field.column) for field in Seal._meta.concrete_fields)
TYPES = ["int8", "text", "int8", "int8", "int8", "int8", "bytea", "bytea", "bytea", "bytea", "bytea"]


class Unsealed(NamedTuple):
    """A row that is about to be sealed, with its texts; of the trail, also which history row it tells of."""

    model: type[models.Model]
    row_id: int
    envelope: bytes
    payload: bytes
    told_model: bytes = b""
    history_id: int | None = None


class Readers:
    """A reader for each definition, made when it is first needed."""

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._using = using
        self._readers: dict[str, Reader] = {}

    def of(self, definition: Definition) -> Reader:
        """Return the reader of a definition."""
        if definition.digest not in self._readers:
            self._readers[definition.digest] = Reader(definition, self._using)
        return self._readers[definition.digest]


class Chain:
    """Makes seals, and keeps the shapes that they name."""

    def __init__(self, readers: Readers, using: str = DEFAULT_DB_ALIAS) -> None:
        self._readers, self._using = readers, using
        self._shapes: dict[str, int] = {}

    def seals(self, position: int, previous: bytes, found: Sequence[Unsealed]) -> Iterator[tuple[Any, ...]]:
        """Yield the columns of each seal that follows `position` with the digest `previous`."""
        histories, salts = self._histories(found), secrets.token_bytes(SALT_BYTES * len(found))
        for number, row in enumerate(found):
            salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
            definition, told = definition_of(row.model), _told(row)
            history = histories.get((told.digest, row.history_id)) if told is not None else None
            payload_digest = sha256(salt[FOR_PAYLOAD] + row.payload).digest()
            history_digest = sha256(salt[FOR_HISTORY] + history.payload).digest() if history is not None else None
            shapes = (definition.digest, told.digest if told is not None else NOTHING)
            digests, position = (payload_digest, history_digest), position + 1
            link = sha256(link_text(position, definition.source, row.row_id, shapes, digests, row.envelope)).digest()
            previous = sha256(previous + link).digest()
            shape, history_shape = self._shape(definition), self._shape(told) if told is not None else None
            yield (
                position, definition.source, row.row_id, row.history_id, shape, history_shape, salt, payload_digest,
                history_digest, link, previous,
            )  # fmt: skip

    def _histories(self, found: Sequence[Unsealed]) -> dict[tuple[str, int | None], Row]:
        """Return the history rows that rows of the trail tell of, by shape and id."""
        wanted: dict[str, list[int]] = defaultdict(list)
        definitions: dict[str, Definition] = {}
        for row in found:
            if (told := _told(row)) is not None and row.history_id is not None:
                definitions[told.digest] = told
                wanted[told.digest].append(row.history_id)
        rows: dict[tuple[str, int | None], Row] = {}
        for digest, ids in wanted.items():
            rows |= {(digest, key): row for key, row in self._readers.of(definitions[digest]).rows(ids).items()}
        return rows

    def _shape(self, definition: Definition) -> int:
        """Return the number of a shape, kept when it is met for the first time."""
        if definition.digest not in self._shapes:
            values = {"source": definition.source, "definition": definition.text}
            shape, _ = Shape.objects.using(self._using).get_or_create(digest=definition.digest, defaults=values)
            self._shapes[definition.digest] = shape.pk
        return self._shapes[definition.digest]


def _told(row: Unsealed) -> Definition | None:
    """Return what covers the history row that a row of the trail tells of."""
    return history_of(row.told_model.decode(errors="replace")) if row.model is TrailRow and row.history_id else None


def insert_seals(using: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert seals, given as their columns in the order of the table."""
    connection: Any = connections[using]
    quote = connection.ops.quote_name
    table, columns = quote(Seal._meta.db_table), ", ".join(map(quote, COLUMNS))
    with connection.wrap_database_errors:
        if connection.vendor != "postgresql":
            marks = ", ".join("?" * len(COLUMNS))
            connection.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608
            return
        with (
            Cursor(connection.connection) as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(TYPES)
            for row in rows:
                copy.write_row(row)
