"""One run of the sealer: which rows have no seal, and up to which id that is settled for good.

Rows are found because they have no seal, never because their id is greater than the last one: ids are not the order of
commits. So that this stays cheap, each batch notes up to which id everything is sealed for good: on SQLite, where one
transaction writes at a time, up to the last row; on PostgreSQL up to an id that was handed out while certain
transactions were writing to the table, all of which have ended since. A row that appears below that mark was put there
by hand: the sealer leaves it alone, and verification names it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from portal.audit.canonical import BEGINNING
from portal.audit.chaining import Chain, Readers, Unsealed, insert_seals
from portal.audit.reading import as_bytes, fetch
from portal.audit.seals import Seal, SealBatch
from portal.audit.shapes import definition_of, sources
from portal.audit.tables import TrailRow

SETTLING = timedelta(seconds=20)  # so rarely at most marks move when nothing else is written
BATCHES_BACK = 50
SEALERS_LOCK = 0x5EA1  # of PostgreSQL, within one database
UNSEALED = """t.{key} > %s AND NOT EXISTS (
    SELECT 1 FROM {seals} s WHERE s.source = %s AND s.row_id = t.{key} AND s.row_id > %s)"""

_WRITERS = """
SELECT c.relname::text, string_agg(DISTINCT l.virtualtransaction, ' ')
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = current_schema()::regnamespace
  JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
 WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted AND c.relname = ANY(%s)
 GROUP BY c.relname
"""


@dataclass(frozen=True)
class Mark:
    """How far one source is sealed. `complete`: no row below is unsealed or will yet appear. `tip`: the largest id.

    `next` becomes `complete` once the `writers`, the virtual transactions that wrote to the table when `next` was the
    largest id handed out, have ended, and some time has passed since `at`.
    """

    complete: int = 0
    tip: int = 0
    next: int = 0
    writers: str = ""
    at: str = ""


class Head(NamedTuple):
    """The end of the chain, and how far each source is sealed."""

    position: int
    digest: bytes
    marks: dict[str, Mark]


class Snapshot(NamedTuple):
    """The largest ids that sources had given to anybody, and who was writing to them just after, on PostgreSQL."""

    handed_out: dict[str, int]
    writers: dict[str, str]


def head(using: str = DEFAULT_DB_ALIAS) -> Head:
    """Return the end of the chain."""
    last = Seal.objects.using(using).order_by("-position").values_list("position", "digest").first()
    position, digest = last or (0, BEGINNING)
    return Head(position, bytes(digest), _marks(using))


def _marks(using: str) -> dict[str, Mark]:
    """Return the newest marks that can be true.

    Whoever writes a batch by hand may claim that rows are settled which nobody has written yet, and so keep them from
    being sealed for good. Such marks are passed over; without any, everything is looked through once more.
    """
    newest: dict[str, int] = {}
    for kept in SealBatch.objects.using(using).order_by("-id").values_list("marks", flat=True)[:BATCHES_BACK]:
        marks = {source: Mark(**mark) for source, mark in kept.items()}
        newest = newest or _newest_ids(using)
        if all(mark.complete <= newest.get(source, mark.complete) for source, mark in marks.items()):
            return marks
    return {}


def _newest_ids(using: str) -> dict[str, int]:
    """Return the largest id that each source holds, or has handed out on PostgreSQL. One query."""
    connection = connections[using]
    quote, queries, values = connection.ops.quote_name, [], []
    for number, model in enumerate(sources()):
        definition = definition_of(model)
        if connection.vendor == "postgresql":
            queries.append(f"SELECT {number}, pg_sequence_last_value(pg_get_serial_sequence(%s, %s))")
            values += [definition.table, definition.key]
        else:
            queries.append(f"SELECT {number}, max({quote(definition.key)}) FROM {quote(definition.table)}")  # noqa: S608
    found: dict[int, int | None] = dict(fetch(connection, " UNION ALL ".join(queries), values))
    return {label_of(model): found[number] or 0 for number, model in enumerate(sources())}


def label_of(model: type[models.Model]) -> str:
    """Return the name of a source."""
    return str(model._meta.label_lower)


class Sealer:
    """One run of sealing: it remembers where the next batch goes on."""

    def __init__(self, *, at: datetime, using: str = DEFAULT_DB_ALIAS) -> None:
        self.at, self.using = at, using
        self.connection = connections[using]
        self._readers = Readers(using)
        self._chain = Chain(self._readers, using)
        self._starts: dict[str, int] = {}

    def batch(self, size: int) -> int:
        """Seal up to `size` rows in one transaction; return how many were."""
        marks = head(self.using).marks
        if not self._waiting(marks) and not any(self._settles(mark) for mark in marks.values()):
            return 0
        with transaction.atomic(using=self.using):
            if not self._is_alone():
                return 0
            end, snapshot = head(self.using), self._snapshot()
            found, marks = self._read(end.marks, size, snapshot)
            if found or marks != end.marks:
                self._append(end, marks, found)
        return len(found)

    def _append(self, end: Head, marks: dict[str, Mark], found: Sequence[Unsealed]) -> None:
        """Append a seal for each row, and say so in a batch. Without rows, only the marks move."""
        rows = list(self._chain.seals(end.position, end.digest, found))
        if rows:
            insert_seals(self.using, rows)
        SealBatch.objects.using(self.using).create(
            first=end.position + 1,
            last=end.position + len(rows),
            head=rows[-1][-1] if rows else end.digest,
            sealed_at=self.at,
            sealed_by=f"{socket.gethostname()}, process {os.getpid()}"[:200],
            marks={source: asdict(mark) for source, mark in marks.items()},
        )

    # What has no seal.

    def _waiting(self, marks: dict[str, Mark]) -> list[type[models.Model]]:
        """Return the sources that have rows without a seal. One query."""
        quote = self.connection.ops.quote_name
        queries: list[str] = []
        values: list[Any] = []
        for number, model in enumerate(sources()):
            start, table = self._start(model, marks), quote(model._meta.db_table)
            rows = f"SELECT 1 FROM {table} t WHERE {self._unsealed(model)}"  # noqa: S608 - names of our own models
            queries.append(f"SELECT {number} WHERE EXISTS ({rows})")
            values += [start, label_of(model), start]
        found = {row[0] for row in fetch(self.connection, " UNION ALL ".join(queries), values)}
        return [model for number, model in enumerate(sources()) if number in found]

    def _read(
        self, marks: dict[str, Mark], size: int, snapshot: Snapshot | None
    ) -> tuple[list[Unsealed], dict[str, Mark]]:
        """Return what is to be sealed, and how far each source is sealed then."""
        found: list[Unsealed] = []
        moved, waiting = dict(marks), self._waiting(marks)
        for model in sources():
            label, start, left = label_of(model), self._start(model, marks), size - len(found)
            rows = self._rows(model, start, left) if model in waiting and left else []
            ids = [row.row_id for row in rows]
            more = model in waiting and len(rows) == left
            if rows or label in marks:
                mark = marks.get(label, Mark())
                moved[label] = self._moved(label, mark, ids, snapshot, first=start == mark.complete, more=more)
            found += rows
        return found, moved

    def _start(self, model: type[models.Model], marks: dict[str, Mark]) -> int:
        label = label_of(model)
        return max(marks.get(label, Mark()).complete, self._starts.get(label, 0))

    def _unsealed(self, model: type[models.Model]) -> str:
        quote = self.connection.ops.quote_name
        return UNSEALED.format(key=quote(definition_of(model).key), seals=quote(Seal._meta.db_table))

    def _rows(self, model: type[models.Model], start: int, size: int) -> list[Unsealed]:
        label, reader = label_of(model), self._readers.of(definition_of(model))
        extra = (as_bytes(self.connection, "t.model"), "t.history_id") if model is TrailRow else ()
        tail = f"ORDER BY t.{self.connection.ops.quote_name(reader.definition.key)} LIMIT {size}"
        rows = reader.select(self._unsealed(model), [start, label, start], extra=extra, tail=tail)
        if rows:
            self._starts[label] = rows[-1][0]
        return [Unsealed(model, *row) for row in rows]

    # How far everything is sealed.

    def _settles(self, mark: Mark) -> bool:
        """Tell whether a mark has waited long enough to move, if open transactions allow it."""
        return mark.complete < mark.next and self.at - datetime.fromisoformat(mark.at) >= SETTLING

    def _moved(
        self, label: str, mark: Mark, ids: Sequence[int], snapshot: Snapshot | None, *, first: bool, more: bool
    ) -> Mark:
        """Return the mark after rows of these ids were sealed.

        `first`: they were looked for from the mark on, so that none is left between. `more`: there may be some above.
        """
        tip = max([mark.tip, *ids[-1:]])
        if snapshot is None:
            return Mark(complete=max([mark.complete, *ids[-1:]]), tip=tip)
        complete, writers = mark.complete, snapshot.writers.get(label, "")
        if first and self._settles(mark) and not set(mark.writers.split()) & set(writers.split()):
            reached = (ids or [complete])[-1] if more else mark.next
            complete = max(complete, min(mark.next, reached))
        if complete < mark.next or complete >= tip:
            return replace(mark, complete=complete, tip=tip)
        return Mark(complete, tip, snapshot.handed_out[label], writers, self.at.isoformat())

    def _snapshot(self) -> Snapshot | None:
        """Return who is writing; nothing on SQLite, where one writes after another.

        An INSERT locks its table before it takes an id, and keeps the lock until its transaction ends.
        """
        if self.connection.vendor != "postgresql":
            return None
        tables = {definition_of(model).table: model for model in sources()}
        given = "coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, %s)), 0)"
        queries = " UNION ALL ".join([f"SELECT %s::text, {given}"] * len(tables))
        values = [word for table, model in tables.items() for word in (table, table, definition_of(model).key)]
        handed_out = {table.decode(): number for table, number in fetch(self.connection, queries, values)}
        writing = dict.fromkeys(tables, "")
        for table, writers in fetch(self.connection, _WRITERS, [list(tables)]):
            writing[table.decode()] = writers.decode()
        return Snapshot(
            {label_of(model): handed_out[table] for table, model in tables.items()},
            {label_of(model): writing[table] for table, model in tables.items()},
        )

    def _is_alone(self) -> bool:
        """Take the sealers' lock until the transaction ends; on SQLite the transaction itself holds it."""
        if self.connection.vendor != "postgresql":
            return True
        [(taken,)] = fetch(self.connection, "SELECT pg_try_advisory_xact_lock(%s::bigint)", [SEALERS_LOCK])
        return bool(taken)
