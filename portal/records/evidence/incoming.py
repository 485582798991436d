"""A file while it comes in: written aside, hashed and looked at in one pass, never whole in memory."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from portal.records.evidence import naming, storing
from portal.records.evidence.enums import Caution
from portal.records.evidence.sniffing import Sniffer


class Incoming:
    """One file on its way in, as it is called where it comes from. What is not kept goes when it is closed."""

    def __init__(self, name: str) -> None:
        self.named = naming.named(name)
        self.draft = storing.Draft()
        self._sniffer = Sniffer()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; storing.NoRoom is raised when the disk is full."""
        self.draft.write(chunk)
        self._sniffer.feed(chunk)

    @property
    def content_type(self) -> str:
        """The kind of file, from its bytes."""
        return self._sniffer.content_type

    @property
    def cautions(self) -> list[Caution]:
        """What a reader should know of it before opening it: of its name, then of its bytes."""
        return [*self.named.cautions, *self._sniffer.cautions(self.named.file)]

    def close(self) -> None:
        """Remove what lies aside, unless it was kept."""
        self.draft.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
