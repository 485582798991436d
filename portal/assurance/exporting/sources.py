"""What can be exported: each source says who may ask, what it is called, and how its file is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from portal.accounts.models import User
from portal.assurance.exporting.enums import ExportFormat
from portal.assurance.exporting.policy import Refused
from portal.lib.cells import in_utc
from portal.lib.writers import CsvWriter, JsonlWriter, Writer, XlsxWriter

BATCH = 2000
TABLES = (ExportFormat.XLSX, ExportFormat.CSV, ExportFormat.JSONL)
R = TypeVar("R")
Step = Callable[[int, int | None], None]
"""Told how many records of how many are done, after each batch; it raises when the work is to stop."""


@dataclass(frozen=True, slots=True)
class Work:
    """One export as its source sees it: for whom, what, why, in whose zone; asked for, and made at `at`.

    `asked_by` names whoever asked; `user` is with whose eyes it is made.
    """

    user: User
    asked_by: str
    parameters: Mapping[str, Any]
    format: ExportFormat
    reference: str
    reason: str
    zone: ZoneInfo
    asked_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is ready, and how many records are in it."""

    path: Path
    rows: int


class Source(ABC):
    """Something that can be exported. Everything in its files has gone through `visible_to(work.user)`."""

    slug: ClassVar[str]
    name: ClassVar[str]
    explanation: ClassVar[str]
    icon: ClassVar[str]
    by_filters: ClassVar[bool] = True  # narrowed by the address of the page that it is exported from
    chosen_on: ClassVar[str] = ""  # the name of the page where it must be chosen first
    permission: ClassVar[str]
    formats: ClassVar[tuple[ExportFormat, ...]]

    def check(self, user: User, parameters: Mapping[str, Any]) -> None:
        """Raise Refused with its sentence when this reader may not have this."""
        if not user.is_active or not user.has_perm(self.permission):
            raise Refused(f"Your account does not see this, so it cannot export it: {self.name.lower()}.")

    def settled(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> dict[str, Any]:
        """Return what an export keeps of what was asked for, so that it means the same when it is made."""
        _ = zone
        return dict(parameters)

    @abstractmethod
    def title(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return what is exported, in words."""

    @abstractmethod
    def narrowing(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return how it is narrowed, in words; "" when it is not."""

    @abstractmethod
    def make(self, work: Work, folder: Path, step: Step) -> Made:
        """Make the file in a folder of its own, in memory that does not grow with it. Refused says what prevents it."""


class TableSource(Source, Generic[R]):
    """A source of records, each of which fills some lines of a table, or one line of JSON."""

    formats: ClassVar[tuple[ExportFormat, ...]] = TABLES

    @abstractmethod
    def columns(self, work: Work) -> list[str]:
        """Return the heads of the table."""

    @abstractmethod
    def count(self, work: Work) -> int:
        """Return how many records there are."""

    @abstractmethod
    def batches(self, work: Work) -> Iterator[list[R]]:
        """Yield the records, some at a time, in an order that never changes."""

    @abstractmethod
    def lines(self, record: R, work: Work) -> list[list[Any]]:
        """Return the lines of the table that one record fills."""

    @abstractmethod
    def as_json(self, record: R, work: Work) -> dict[str, Any]:
        """Return a record as the object of its line."""

    def make(self, work: Work, folder: Path, step: Step) -> Made:
        """Write the table or the lines, batch after batch."""
        path = folder / f"export.{work.format.ending}"
        total, done = self.count(work), 0
        step(done, total)
        writer = self._writer(work, path)
        try:
            for batch in self.batches(work):
                if work.format == ExportFormat.JSONL:
                    writer.write(self.as_json(record, work) for record in batch)
                else:
                    writer.write(line for record in batch for line in self.lines(record, work))
                done += len(batch)
                step(done, max(done, total))
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        return Made(path, done)

    def _writer(self, work: Work, path: Path) -> Writer:
        if work.format == ExportFormat.JSONL:
            return JsonlWriter(path)
        if work.format == ExportFormat.CSV:
            return CsvWriter(path, self.columns(work))
        return XlsxWriter(path, self.columns(work), about=self._about(work), name=self.name[:25])

    def _about(self, work: Work) -> list[tuple[str, str]]:
        """Return what the first sheet of a workbook says about the rest."""
        return [
            ("Export", work.reference),
            ("What", self.title(work.parameters, zone=work.zone)),
            ("Narrowed by", self.narrowing(work.parameters, zone=work.zone) or "nothing"),
            ("Asked for by", str(work.user)),
            ("Reason", work.reason),
            ("Made at (UTC)", in_utc(work.at)),
            ("Time zone of the reader", work.zone.key),
            ("Holds", "Only what this person may see. Each text is written as text: none is a formula."),
        ]


def by_key(rows: QuerySet[Any], *, last: int | None = None) -> Iterator[list[Any]]:
    """Yield rows in the order of their keys, each batch in a query of its own; `last` is the greatest key of all.

    No transaction is held open, and a batch costs the same at the end as at the beginning.
    """
    ordered, after = rows.order_by("pk"), 0
    if last is not None:
        ordered = ordered.filter(pk__lte=last)
    while batch := list(ordered.filter(pk__gt=after)[:BATCH]):
        yield batch
        after = batch[-1].pk
