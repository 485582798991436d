"""The quick look: a seal that fits is passed over with as little work as can be. Everything else is looked at closely.

It asks what portal.audit.verifying.walking asks, in one expression, and keeps nothing of what fits but counts.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Callable, Iterator
from hashlib import sha256

from portal.audit.canonical import FOR_HISTORY, FOR_PAYLOAD, FORMAT, NOTHING
from portal.audit.reading import Row
from portal.audit.verifying.parts import Batch, Sealed, Tally

OFTEN = 0xFF  # every 256th seal


class Pair:
    """What the seals of one shape and one history shape are compared with in a batch, and how many of them fit."""

    def __init__(self, tally: Tally, batch: Batch, seal: Sealed) -> None:
        cover, rows = tally.covers.get(seal.shape), batch.rows.get(seal.shape)
        told = tally.covers.get(seal.history_shape or 0)
        history = batch.rows.get(seal.history_shape or 0) if told is not None else None
        self.known = cover is not None and rows is not None and (seal.history_shape is None or history is not None)
        self.rows: dict[int, Row] = rows or {}
        self.history: dict[int, Row] | None = history if seal.history_shape is not None else None
        self.table = cover.definition.table if cover is not None else ""
        self.history_table = told.definition.table if told is not None else ""
        self.source = cover.definition.source if cover is not None else ""
        self.head = f"{FORMAT},%d,{self.source},%d,".encode()
        digests = (cover.digest if cover is not None else b"", told.digest if told is not None else NOTHING.encode())
        self.middle = b"%s,%s" % digests
        self.begins_with_moment = cover is not None and cover.begins_with_moment
        self.ends_with_history = cover is not None and cover.ends_with_history
        self.met = tally.met[self.source]
        self.met_history = tally.met[self.history_table]
        covers = (cover, told if seal.history_shape is not None else None)
        self.readable = {one.definition.table for one in covers if one is not None and not one.lost}
        self.passed = 0


def unfit(tally: Tally, batch: Batch, now_and_then: Callable[[], None]) -> Iterator[Sealed]:
    """Yield the seals of a batch that do not fit at first sight; count the others as the walk does.

    `tally.last` and `tally.previous` are those before a seal when it is yielded, and are read again after it.
    """
    pairs: dict[tuple[int, int | None], Pair] = {}
    last, previous = tally.last, tally.previous
    position = last.position if last is not None else 0
    for seal in batch.seals:
        number, source, row_id, history_id, shape, history_shape, salt, payload_digest, history_digest, link, digest = (
            seal
        )
        if not number & OFTEN:
            now_and_then()
        if number > tally.turn:
            tally.pass_heads(number)
        pair = pairs.get((shape, history_shape))
        if pair is None:
            pair = pairs[shape, history_shape] = Pair(tally, batch, seal)
            tally.readable |= pair.readable
        history, row, told = pair.history, pair.rows.get(row_id), None
        if (
            pair.known
            and number == position + 1
            and source == pair.source
            and row is not None
            and salt is not None
            and previous is not None
            and sha256(previous + link).digest() == digest
            and sha256(salt[FOR_PAYLOAD] + row.payload).digest() == payload_digest
            and sha256(
                b"%b%b,%b,%b,%b"
                % (
                    pair.head % (number, row_id),
                    pair.middle,
                    hexlify(payload_digest),
                    hexlify(history_digest) if history_digest is not None else b"-",
                    row.envelope,
                )
            ).digest()
            == link
            and (not pair.begins_with_moment or row.envelope >= tally.earliest)
            and (
                not pair.ends_with_history
                or row.envelope.endswith(b",%d" % history_id if history_id is not None else b",-")
            )
            and (
                history is None
                or (
                    history_id is not None
                    and (told := history.get(history_id)) is not None
                    and sha256(salt[FOR_HISTORY] + told.payload).digest() == history_digest
                    and history_id not in pair.met_history
                )
            )
            and pair.met.add(row_id)
        ):
            if told is not None:
                pair.met_history.add(history_id)  # type: ignore[arg-type]
            pair.passed += 1
            position, last, previous = number, seal, digest
            continue
        tally.last, tally.previous = last, previous
        yield seal
        last, previous = tally.last, tally.previous
        position = last.position if last is not None else 0
    tally.last, tally.previous = last, previous
    for pair in pairs.values():
        tally.present[pair.table] += pair.passed
        if pair.history is not None:
            tally.present[pair.history_table] += pair.passed
            tally.history_rows += pair.passed
