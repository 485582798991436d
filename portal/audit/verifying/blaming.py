"""What was done where something does not fit: one finding for each thing done, none for what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from portal.audit.canonical import FOR_HISTORY, FOR_PAYLOAD
from portal.audit.reading import Row
from portal.audit.verifying.parts import Cover, Fault, Suspect
from portal.audit.verifying.report import Finding, Kind, Report
from portal.audit.verifying.walking import Walk

MOST_COMPARED = 400  # suspects among which exchanged rows are looked for: each is held against each
OF_ROWS = Fault.GONE | Fault.PAYLOAD | Fault.LINK | Fault.HISTORY | Fault.HISTORY_GONE | Fault.TOMBSTONE


class Blame:
    """Turns the suspects of a walk into findings."""

    def __init__(self, walk: Walk, report: Report) -> None:
        self.walk, self.report = walk, report
        self.blamed: set[int] = set()

    def all(self) -> None:
        """Add a finding for each suspect that is not a mere consequence of another."""
        suspects = self._without_consequences()
        suspects = self._without_tail(suspects)
        moved, exchanged = self._moved(suspects), self._exchanged(suspects)
        for suspect in suspects:
            position = suspect.seal.position
            self.blamed.add(position)
            self.report.add(self._finding(suspect, moved.get(position), exchanged.get(position)))
        if self.walk.unnamed:
            self.report.counts[Kind.EDITED.value] += self.walk.unnamed
            self.report.notes.append(f"{self.walk.unnamed:,} more positions do not fit; they are counted, not named.")

    # What follows from something else.

    def _without_consequences(self) -> list[Suspect]:
        """Return the suspects without those whose chain breaks only because the digest before them is not genuine."""
        found: list[Suspect] = []
        before: Suspect | None = None
        for suspect in self.walk.suspects:
            follows = before is not None and before.seal.position == suspect.seal.position - 1
            if follows and before is not None and Fault.CHAIN & before.fault and Fault.CHAIN & suspect.fault:
                suspect.fault &= ~Fault.CHAIN
            if suspect.fault:
                found.append(suspect)
            before = suspect if suspect.fault else None
        return found

    def _without_tail(self, suspects: list[Suspect]) -> list[Suspect]:
        """Return the suspects without rows that are gone up to the end: these were cut off at once."""
        last = self.walk.last
        tail: list[Suspect] = []
        for suspect in reversed(suspects):
            expected = (tail[-1].seal.position if tail else last.position + 1 if last is not None else 0) - 1
            if not suspect.fault & Fault.GONE or suspect.seal.position != expected:
                break
            tail.append(suspect)
        if len(tail) < 2:
            return suspects
        first, end = tail[-1].seal, tail[0].seal
        self.blamed |= {suspect.seal.position for suspect in tail}
        sentence = (
            f"The end of the record was cut off: the {len(tail):,} rows from {self._name(tail[-1])} to "
            f"{self._name(tail[0])}, sealed at positions {first.position:,} to {end.position:,}, are gone."
        )
        self.report.add(Finding(Kind.CUT, sentence, self._table(tail[-1]), first.row_id, first.position))
        return suspects[: len(suspects) - len(tail)]

    # What was put somewhere else.

    def _moved(self, suspects: Sequence[Suspect]) -> dict[int, int]:
        """Return, for seals that stand at another position than they were made for, that position."""
        strange = [s for s in suspects if s.fault & Fault.LINK and s.fault & Fault.CHAIN][:MOST_COMPARED]
        found: dict[int, int] = {}
        for suspect in strange:
            for other in strange if suspect.row is not None else ():
                text = self.walk.link_text(suspect.seal, suspect.row.envelope, position=other.seal.position)  # type: ignore[union-attr]
                if sha256(text).digest() == suspect.seal.link:
                    found[suspect.seal.position] = other.seal.position
                    break
        return found

    def _exchanged(self, suspects: Sequence[Suspect]) -> dict[int, Suspect]:
        """Return, for rows that hold what was sealed as another row, that other one."""
        strange = [s for s in suspects if s.fault & (Fault.PAYLOAD | Fault.HISTORY)][:MOST_COMPARED]
        found: dict[int, Suspect] = {}
        for suspect in strange:
            for other in strange:
                if other is not suspect and _holds(suspect, other):
                    found[suspect.seal.position] = other
                    break
        return found

    # Words.

    def _finding(self, suspect: Suspect, moved: int | None, exchanged: Suspect | None) -> Finding:
        seal = suspect.seal
        kind, words = self._words(suspect)
        at = f" It was sealed at position {seal.position:,}."
        if moved is not None:
            kind, at = Kind.MOVED, ""
            words = f"stands at position {seal.position:,} of the chain and was sealed at position {moved:,}"
        elif exchanged is not None:
            kind = Kind.EXCHANGED
            words = f"holds what was sealed as {self._name(exchanged)} at position {exchanged.seal.position:,}"
        sentence = f"{_capital(self._name(suspect))} {words}.{at}"
        return Finding(kind, sentence, self._table(suspect), seal.row_id, seal.position)

    def _words(self, suspect: Suspect) -> tuple[Kind, str]:
        """Return what was done to a row or its seal, and how a sentence about the row goes on."""
        fault, seal = suspect.fault, suspect.seal
        told, before = self._history_name(suspect), f"{seal.position - 1:,} and {seal.position:,}"
        verb = "are" if Fault.LINK in fault and Fault.PAYLOAD in fault else "is"
        cases: tuple[tuple[bool | Fault, Kind, str], ...] = (
            (fault & Fault.SHAPE, Kind.SEAL_EDITED, "has a seal whose shape is gone or altered"),
            (
                fault & Fault.LOST,
                Kind.SEAL_EDITED,
                f"is sealed with columns that nobody dropped and that are not there: {self._lost(suspect)}",
            ),
            (fault & Fault.GONE, Kind.REMOVED, "is gone"),
            (
                fault == Fault.DATED,
                Kind.INSERTED,
                "was inserted: it tells of a time before a head that had been signed when it was sealed",
            ),
            (self._is_intact(suspect), Kind.SEAL_EDITED, "is as it was, but its seal was edited"),
            (
                Fault.LINK in fault and Fault.CHAIN in fault,
                Kind.SEAL_EDITED,
                "has a seal that was edited, or made anew",
            ),
            (
                fault & Fault.TOMBSTONE,
                Kind.TOMBSTONE,
                "lost the salt of its seal without a lawful tombstone, or was edited after one",
            ),
            (
                fault & (Fault.LINK | Fault.PAYLOAD),
                Kind.EDITED,
                f"was edited: {_parts(fault)} {verb} not as sealed",
            ),
            (fault & Fault.HISTORY_GONE, Kind.REMOVED, f"tells of {told}, which is gone"),
            (fault & Fault.HISTORY, Kind.EDITED, f"tells of {told}, which was edited"),
            (
                fault & Fault.NUMBER,
                Kind.SEAL_EDITED,
                f"tells of another history row than its seal, which names {told}",
            ),
            (fault & Fault.TWICE, Kind.TWICE, f"was sealed twice, or tells of {told} a second time"),
        )
        broken = f"stands where the chain breaks: between positions {before} something was sealed anew"
        return next(((kind, words) for holds, kind, words in cases if holds), (Kind.BROKEN, broken))

    def _is_intact(self, suspect: Suspect) -> bool:
        """Tell whether the row gives the digest of its position, so that only other columns of the seal were edited."""
        seal, row, history = suspect.seal, suspect.row, suspect.history
        if row is None or seal.salt is None or seal.shape not in self.walk.covers:
            return False
        told = None if history is None else sha256(seal.salt[FOR_HISTORY] + history.payload).digest()
        digests = (sha256(seal.salt[FOR_PAYLOAD] + row.payload).digest(), told)
        link = sha256(self.walk.link_text(seal, row.envelope, digests=digests)).digest()
        chained = suspect.previous is not None and sha256(suspect.previous + link).digest() == seal.digest
        return chained and not suspect.fault & Fault.NUMBER and not suspect.fault & Fault.TWICE

    def _lost(self, suspect: Suspect) -> str:
        covers = (self.walk.covers.get(shape or 0) for shape in (suspect.seal.shape, suspect.seal.history_shape))
        return ", ".join(name for cover in covers if cover is not None for name in cover.lost)

    def _name(self, suspect: Suspect) -> str:
        return f"row {suspect.seal.row_id} of {self._table(suspect)}"

    def _table(self, suspect: Suspect) -> str:
        return table_of(self.walk.covers.get(suspect.seal.shape), suspect.seal.source)

    def _history_name(self, suspect: Suspect) -> str:
        cover = self.walk.covers.get(suspect.seal.history_shape or 0)
        return f"row {suspect.seal.history_id} of {table_of(cover, 'its history table')}"


def table_of(cover: Cover | None, otherwise: str) -> str:
    """Return the name of the table that a shape covers."""
    return cover.definition.table if cover is not None else otherwise


def _holds(suspect: Suspect, other: Suspect) -> bool:
    """Tell whether a row, or its history row, holds what was sealed as another."""
    salt = other.seal.salt
    if salt is None:
        return False
    texts: Iterable[tuple[Fault, bytes, Row | None, bytes | None]] = (
        (Fault.PAYLOAD, salt[FOR_PAYLOAD], suspect.row, other.seal.payload_digest),
        (Fault.HISTORY, salt[FOR_HISTORY], suspect.history, other.seal.history_digest),
    )
    return any(
        suspect.fault & fault and row is not None and sha256(half + row.payload).digest() == digest
        for fault, half, row, digest in texts
    )


def _parts(fault: Fault) -> str:
    """Return which part of a row was edited."""
    envelope = "what it is about, or when and as part of what it was done"
    payload = "who did it, why, or what changed"
    return " and ".join(words for flag, words in ((Fault.LINK, envelope), (Fault.PAYLOAD, payload)) if fault & flag)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
