"""What a walk along the chain deals with: seals as they were read, what covers them, and what has been met so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import NamedTuple

from portal.audit.canonical import BEGINNING, values_of
from portal.audit.reading import Reader, Row
from portal.audit.shapes import ENVELOPE, Definition
from portal.audit.verifying.ids import IdSet

Found = dict[int, dict[int, Row]]


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
    def ends_with_history(self) -> bool:
        """Whether the id of the history row is the last word of the envelope, as it is in the trail."""
        return self._names[-1:] == ["history_id"]


class Tally:
    """What was met so far: ids of each source and history table, how many of them stand, and the newest seal.

    `previous` is the digest that the next seal must follow; nothing when the seal before it is missing.
    """

    def __init__(self) -> None:
        self.covers: dict[int, Cover] = {}
        self.met: dict[str, IdSet] = defaultdict(IdSet)
        self.present: dict[str, int] = defaultdict(int)
        self.history_rows = 0
        self.last: Sealed | None = None
        self.previous: bytes | None = BEGINNING
