"""One walk along the chain: every seal is compared with the row and the history row that it covers.

The database writes texts, Python hashes: while one batch is compared, the next is read. A seal that fits is passed over
quickly (portal.audit.verifying.passing); everything else becomes a suspect, which portal.audit.verifying.blaming looks
at when all is read.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections

from portal.audit.canonical import FOR_HISTORY, FOR_PAYLOAD, FORMAT, NOTHING
from portal.audit.chaining import COLUMNS
from portal.audit.holds import Tombstone, TombstonedRow, TombstoneRequest
from portal.audit.reading import Fetched, Row, columns_of, fetch
from portal.audit.seals import Seal, Shape
from portal.audit.shapes import DROPPED, Definition
from portal.audit.tables import TrailRow
from portal.audit.verifying.ahead import Ahead
from portal.audit.verifying.parts import Batch, Cover, Fault, Gap, Sealed, Suspect, Tally
from portal.audit.verifying.passing import unfit
from portal.audit.verifying.report import Report

BATCH = 2_000
MOST_SUSPECTS = 5_000
_LAWFUL = """
SELECT t.seal_id, t.payload_digest, t.history_digest, m.id FROM {row} t
  JOIN {made} m ON m.id = t.tombstone_id JOIN {request} r ON r.id = m.request_id
  JOIN {person} one ON one.id = r.asked_by_id JOIN {person} other ON other.id = m.confirmed_by_id
 WHERE t.seal_id BETWEEN %s AND %s AND r.asked_by_id <> m.confirmed_by_id
   AND EXISTS (SELECT 1 FROM {trail} a WHERE a.action = 'tombstoned' AND a.actor_id = m.confirmed_by_id
                  AND a.model = 'audit.tombstone' AND a.object_id = CAST(m.id AS varchar(64)))
"""
_ASKED = "SELECT r.positions FROM {request} r JOIN {made} m ON m.request_id = r.id WHERE m.id = %s"
Progress = Callable[[int, int], None]


class Walk(Tally):
    """The walk and what it has met: ids of each source and history table, suspects, gaps."""

    def __init__(self, report: Report, using: str, progress: Progress | None = None) -> None:
        super().__init__()
        self.report, self.using = report, using
        self.connection = connections[using]
        self.suspects: list[Suspect] = []
        self.unnamed = 0
        self.gaps: list[Gap] = []
        self._progress = progress
        self._asked: dict[int, frozenset[int]] = {}

    def go(self) -> None:
        """Walk along the whole chain."""
        self._learn_shapes()
        total = Seal.objects.using(self.using).order_by("-position").values_list("position", flat=True).first() or 0
        with Ahead(self.connection) as ahead:
            for batch in self._batches(ahead):
                for seal in unfit(self, batch, ahead.take_in):
                    self._check(seal, batch)
                self.report.rows += len(batch.seals)
                if self._progress is not None:
                    self._progress(self.report.rows, total)
        self.report.history_rows = self.history_rows
        if self.last is not None:
            self.report.position, self.report.head = self.last.position, self.last.digest.hex()

    def note_lost(self) -> None:
        """Note which columns are gone, and how many rows could therefore not be compared."""
        for cover in self.covers.values():
            if cover.lost and DROPPED.issuperset(cover.lost):
                self.report.notes.append(
                    f"Older seals cover what the database no longer has: {', '.join(cover.lost)}. Their place in the "
                    "chain was verified, what they cover was not."
                )

    # Reading.

    def _learn_shapes(self) -> None:
        there = columns_of(self.connection)
        for shape in Shape.objects.using(self.using).order_by("pk"):
            try:
                definition = Definition.from_text(shape.definition)
            except (ValueError, KeyError, TypeError):
                continue
            if definition.digest == shape.digest and definition.source == shape.source:
                self.covers[shape.pk] = Cover(definition, there, self.using)

    def _batches(self, ahead: Ahead) -> Iterator[Batch]:
        """Yield batch after batch. While one is compared, the rows of the next and the seals after it are under way."""
        quote = self.connection.ops.quote_name
        columns, table = ", ".join(map(quote, COLUMNS)), quote(Seal._meta.db_table)
        query = f"SELECT {columns} FROM {table} WHERE position > %s ORDER BY position LIMIT {BATCH}"  # noqa: S608
        seals = list(map(Sealed._make, ahead.ask(query, [0])()))
        rows = self._ask(seals, ahead)
        while seals:
            following = ahead.ask(query, [seals[-1].position])
            found = {shape: answer() for shape, answer in rows.items()}
            batch = Batch(seals, found, self._tombstoned([seal.position for seal in seals if seal.salt is None]))
            seals = list(map(Sealed._make, following()))
            rows = self._ask(seals, ahead)
            yield batch

    def _ask(self, seals: list[Sealed], ahead: Ahead) -> dict[int, Callable[[], dict[int, Row]]]:
        """Ask for the rows and history rows that seals cover, by shape."""
        wanted: dict[int, list[int]] = defaultdict(list)
        for seal in seals:
            wanted[seal.shape].append(seal.row_id)
            if seal.history_shape is not None and seal.history_id is not None:
                wanted[seal.history_shape].append(seal.history_id)
        readable = {number: self.covers[number] for number in wanted if number in self.covers}
        return {
            number: cover.reader.asked(wanted[number], ahead.ask)
            for number, cover in readable.items()
            if not cover.lost
        }

    def _tombstoned(self, positions: list[int]) -> dict[int, tuple[bytes, bytes | None]]:
        """Return what tombstones put in place of the rows at these positions, as digests.

        Only of tombstones over positions that somebody had asked for, and somebody else confirmed: two people who are
        known here, and the second of whom the trail names.
        """
        if not positions:
            return {}
        found: dict[int, tuple[bytes, bytes | None]] = {}
        for position, payload, history, tombstone in self._made(_LAWFUL, [positions[0], positions[-1]]):
            if tombstone not in self._asked:
                [(asked,)] = self._made(_ASKED, [tombstone])
                self._asked[tombstone] = frozenset(asked if isinstance(asked, list) else json.loads(asked))
            if position in self._asked[tombstone]:
                found[position] = (payload, history)
        return found

    def _made(self, query: str, values: list[int]) -> Fetched:
        """Return the rows of a query over tombstones."""
        tables: dict[str, Any] = {"row": TombstonedRow, "made": Tombstone, "request": TombstoneRequest}
        tables |= {"person": get_user_model(), "trail": TrailRow}
        quote = self.connection.ops.quote_name
        names = {name: quote(model._meta.db_table) for name, model in tables.items()}
        return fetch(self.connection, query.format(**names), values)

    # Comparing.

    def _check(self, seal: Sealed, batch: Batch) -> None:
        """Compare one seal with what it covers, and with the seal before it."""
        expected = self.last.position + 1 if self.last is not None else 1
        if seal.position != expected:
            self.gaps.append(Gap(expected, seal.position - 1, self.last, seal))
            self.previous = None
        cover, rows = self.covers.get(seal.shape), batch.rows.get(seal.shape)
        once = self.met[seal.source].add(seal.row_id)
        row = rows.get(seal.row_id) if rows is not None else None
        history, fault = None, Fault.NONE
        if cover is None or cover.definition.source != seal.source:
            fault = Fault.SHAPE
        elif rows is None:
            self.report.unreadable += 1
            fault = self._lost(cover)
        elif row is None:
            fault = Fault.GONE
        else:
            self.present[cover.definition.table] += once
            fault = self._compared(seal, cover, row, batch)
        fault |= Fault.NONE if once else Fault.TWICE
        if seal.history_shape is not None:
            history, faults = self._history(seal, batch)
            fault |= faults
        if self.previous is not None and sha256(self.previous + seal.link).digest() != seal.digest:
            fault |= Fault.CHAIN
        if fault:
            self._suspect(Suspect(seal, fault, row, history, self.previous))
        self.previous, self.last = seal.digest, seal

    def _lost(self, cover: Cover) -> Fault:
        """Return whether what a seal covers is gone unlawfully: not by DROPPED, or sealed after others of its table.

        A release that drops a column seals without it from then on, so that nothing later is sealed with it.
        """
        lawful = DROPPED.issuperset(cover.lost) and cover.definition.table not in self.readable
        return Fault.NONE if lawful else Fault.LOST

    def _compared(self, seal: Sealed, cover: Cover, row: Row, batch: Batch) -> Fault:
        """Compare the row's envelope and payload."""
        fault = Fault.NONE
        if seal.salt is None:
            lawful = batch.tombstoned.get(seal.position)
            self.report.tombstones += 1
            if lawful is None or lawful[0] != sha256(row.payload).digest():
                fault |= Fault.TOMBSTONE
        elif sha256(seal.salt[FOR_PAYLOAD] + row.payload).digest() != seal.payload_digest:
            fault |= Fault.PAYLOAD
        if sha256(self.link_text(seal, row.envelope)).digest() != seal.link:
            fault |= Fault.LINK
        elif cover.ends_with_history:
            word = b"-" if seal.history_id is None else b"%d" % seal.history_id
            fault |= Fault.NONE if row.envelope.rpartition(b",")[2] == word else Fault.NUMBER
        if cover.begins_with_moment and row.envelope < self.earliest:
            fault |= Fault.DATED
        return fault

    def _history(self, seal: Sealed, batch: Batch) -> tuple[Row | None, Fault]:
        """Compare the history row that a row of the trail tells of."""
        cover, rows = self.covers.get(seal.history_shape or 0), batch.rows.get(seal.history_shape or 0)
        if cover is None:
            return None, Fault.SHAPE
        if rows is None:
            self.report.unreadable += 1
            return None, self._lost(cover)
        if seal.history_id is None:
            return None, Fault.HISTORY_GONE
        fault = Fault.NONE if self.met[cover.definition.table].add(seal.history_id) else Fault.TWICE
        row = rows.get(seal.history_id)
        if row is None:
            return None, fault | Fault.HISTORY_GONE
        self.history_rows += 1
        self.present[cover.definition.table] += not fault
        if seal.salt is None:
            lawful = batch.tombstoned.get(seal.position)
            same = lawful is not None and lawful[1] == sha256(row.payload).digest()
            return row, fault if same else fault | Fault.TOMBSTONE
        same = sha256(seal.salt[FOR_HISTORY] + row.payload).digest() == seal.history_digest
        return row, fault if same else fault | Fault.HISTORY

    def link_text(
        self,
        seal: Sealed,
        envelope: bytes,
        *,
        position: int | None = None,
        digests: tuple[bytes, bytes | None] | None = None,
    ) -> bytes:
        """Return the text of the link of a seal over an envelope; at another position or of other digests, if given."""
        payload, history = digests or (seal.payload_digest, seal.history_digest)
        cover = self.covers.get(seal.history_shape or 0)
        return b"%s,%d,%s,%d,%s,%s,%s,%s,%s" % (
            _FORMAT,
            position or seal.position,
            seal.source.encode(),
            seal.row_id,
            self.covers[seal.shape].digest,
            cover.digest if cover is not None else _NOTHING,
            hexlify(payload),
            hexlify(history) if history is not None else _NOTHING,
            envelope,
        )

    def _suspect(self, suspect: Suspect) -> None:
        if len(self.suspects) < MOST_SUSPECTS:
            self.suspects.append(suspect)
        else:
            self.unnamed += 1


_FORMAT, _NOTHING = FORMAT.encode(), NOTHING.encode()
