"""What a walk along the chain deals with: seals as they were read, what covers them, and what has been met so far."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Flag, auto
from typing import NamedTuple

from portal.audit.canonical import BEGINNING, values_of
from portal.audit.reading import Reader, Row
from portal.audit.shapes import ENVELOPE, Definition
from portal.audit.verifying.ids import IdSet

Found = dict[int, dict[int, Row]]
LONGEST_ACT = timedelta(hours=1)  # between the moment that an act was given and its end


class Fault(Flag):
    """What does not fit at one position."""

    NONE = 0
    GONE = auto()
    PAYLOAD = auto()
    LINK = auto()
    HISTORY = auto()
    HISTORY_GONE = auto()
    NUMBER = auto()
    CHAIN = auto()
    TOMBSTONE = auto()
    TWICE = auto()
    SHAPE = auto()
    LOST = auto()
    DATED = auto()


class Sealed(NamedTuple):
    """One seal as it was read."""

    position: int
    source: str
    row_id: int
    history_id: int | None
    shape: int
    history_shape: int | None
    salt: bytes | None
    payload_digest: bytes
    history_digest: bytes | None
    link: bytes
    digest: bytes


@dataclass
class Suspect:
    """A seal that does not fit, with the row and the history row that were found, and the digest before it."""

    seal: Sealed
    fault: Fault
    row: Row | None
    history: Row | None
    previous: bytes | None


@dataclass
class Gap:
    """Positions that are missing from the chain, and the seals on both sides.

    `told_by` says what knows of them when they are missing at the end.
    """

    first: int
    last: int
    before: Sealed | None
    after: Sealed | None
    told_by: str = ""


class Batch(NamedTuple):
    """Seals in the order of the chain, and the rows that they cover, by shape and id."""

    seals: list[Sealed]
    rows: Found
    tombstoned: dict[int, tuple[bytes, bytes | None]]


class Cover:
    """One shape as verification uses it. `readable` is false when columns that it names are gone."""

    def __init__(self, definition: Definition, there: Mapping[str, Collection[str]], using: str) -> None:
        self.definition = definition
        self.reader = Reader(definition, using)
        self.lost = self.reader.lost(there)
        self.digest = definition.digest.encode()
        self._columns = definition.of(ENVELOPE)
        self._names = [column.name for column in self._columns]

    def history_id(self, envelope: bytes) -> str | None:
        """Return the history row that the row says it tells of."""
        if "history_id" not in self._names:
            return None
        try:
            return values_of(self._columns, envelope)[self._names.index("history_id")]
        except (ValueError, UnicodeDecodeError):
            return None

    @property
    def begins_with_moment(self) -> bool:
        """Whether the moment of what is told is the first word of the envelope, as it is in the trail."""
        return self._names[:1] == ["at"] and self._columns[0].kind == "moment"

    @property
    def ends_with_history(self) -> bool:
        """Whether the id of the history row is the last word of the envelope, as it is in the trail."""
        return self._names[-1:] == ["history_id"]


class Tally:
    """What was met so far: ids of each source and history table, how many of them stand, and the newest seal.

    `readable` are the tables that some seal so far covers in full.

    `previous` is the digest that the next seal must follow; nothing when the seal before it is missing.
    """

    def __init__(self) -> None:
        self.covers: dict[int, Cover] = {}
        self.met: dict[str, IdSet] = defaultdict(IdSet)
        self.present: dict[str, int] = defaultdict(int)
        self.readable: set[str] = set()
        self.history_rows = 0
        self.last: Sealed | None = None
        self.previous: bytes | None = BEGINNING
        self.earliest = b""
        self.turn: float = 0
        self._signed: list[tuple[int, bytes]] = []

    def signed(self, heads: Iterable[tuple[int, datetime]]) -> None:
        """Take the positions of signed heads and when each was signed, before the walk begins."""
        told = {position: (moment - LONGEST_ACT).astimezone(UTC) for position, moment in heads}
        self._signed = sorted(((at, f"{when:%Y-%m-%d %H:%M:%S}".encode()) for at, when in told.items()), reverse=True)
        self.turn = self._signed[-1][0] if self._signed else math.inf

    def pass_heads(self, position: int) -> None:
        """Keep the moment before which nothing can have happened that is sealed at a position, in `earliest`.

        It stays the same up to the position `turn`.
        """
        while self._signed and self._signed[-1][0] < position:
            self.earliest = max(self.earliest, self._signed.pop()[1])
        self.turn = self._signed[-1][0] if self._signed else math.inf
