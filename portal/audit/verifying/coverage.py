"""What stands beside the chain: rows without a seal, history without a row of the trail, relations of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models

from portal.audit.history import AuditHistory
from portal.audit.reading import among, fetch
from portal.audit.sealer import Mark, head, label_of
from portal.audit.sealing import MOST_WAITING
from portal.audit.shapes import Relation, definition_of, moment_of, sources
from portal.audit.tables import TrailRow
from portal.audit.verifying.parts import Gap
from portal.audit.verifying.report import Finding, Kind, Report
from portal.audit.verifying.walking import Walk

CHUNK = 20_000


class Coverage:
    """Compares what the chain covers with what the tables hold."""

    def __init__(self, walk: Walk, report: Report, using: str) -> None:
        self.walk, self.report, self.using = walk, report, using
        self.connection = connections[using]
        self._left = [gap.last - gap.first + 1 for gap in walk.gaps]
        self._named: list[list[str]] = [[] for _ in walk.gaps]

    def all(self) -> None:
        """Add a finding for each row that no seal covers, and for each gap of the chain."""
        marks = head(self.using).marks
        for model in sources():
            for row_id in self._strange(model._meta.db_table, definition_of(model).key, self.walk.met[label_of(model)]):
                self._unsealed(model, row_id, marks.get(label_of(model), Mark()))
        self._gaps()
        for owner in AuditHistory.of:
            if not owner._meta.abstract and not owner._meta.proxy:
                self._history(owner)

    def _strange(self, table: str, key: str, met: Any) -> Iterator[int]:
        """Yield the ids of a table that were not met. Tables whose count is right are not read."""
        quote = self.connection.ops.quote_name
        [(count,)] = fetch(self.connection, f"SELECT count(*) FROM {quote(table)}")  # noqa: S608 - names of our own models
        if count == self.walk.present[table]:
            return
        query = f"SELECT {quote(key)} FROM {quote(table)} WHERE {quote(key)} > %s ORDER BY 1 LIMIT {CHUNK}"  # noqa: S608
        after = -(2**63)
        while rows := fetch(self.connection, query, [after]):
            yield from (number for (number,) in rows if number not in met)
            after = rows[-1][0]

    # Rows without a seal.

    def _unsealed(self, model: type[models.Model], row_id: int, mark: Mark) -> None:
        table, name = model._meta.db_table, f"Row {row_id} of {model._meta.db_table}"
        if self._lies_in_gap(label_of(model), row_id):
            return
        if row_id <= mark.complete:
            sentence = f"{name} was inserted: all rows up to number {mark.complete:,} were sealed before it appeared."
            self.report.add(Finding(Kind.INSERTED, sentence, table, row_id))
            return
        since = self._moment(model, row_id)
        if since is not None and self.report.at - since > MOST_WAITING:
            sentence = (
                f"{name} of {since:%Y-%m-%d %H:%M:%S} UTC has no seal: it was inserted with an old date, or the sealer "
                "does not run."
            )
            self.report.add(Finding(Kind.UNSEALED, sentence, table, row_id))
            return
        self.report.unsealed += 1

    def _lies_in_gap(self, source: str, row_id: int) -> bool:
        """Tell whether the row belongs to a seal that is missing: its neighbours in the chain are sealed around it."""
        for number, gap in enumerate(self.walk.gaps):
            if self._left[number] and _surrounds(gap, source, row_id):
                self._left[number] -= 1
                self._named[number].append(f"row {row_id} of {self._table(source)}")
                return True
        return False

    def _table(self, source: str) -> str:
        return next((model._meta.db_table for model in sources() if label_of(model) == source), source)

    def _gaps(self) -> None:
        for gap, named in zip(self.walk.gaps, self._named, strict=True):
            many = gap.first != gap.last
            positions = f"Positions {gap.first:,} to {gap.last:,} are" if many else f"Position {gap.first:,} is"
            told = f" Without a seal now: {', '.join(named[:5])}{' and more' if named[5:] else ''}." if named else ""
            row_id = int(named[0].split()[1]) if len(named) == 1 else None
            table = named[0].split()[-1] if named else ""
            kind, words = Kind.SEAL_REMOVED, "missing from the chain"
            if gap.told_by:
                kind, words = Kind.CUT, f"cut off the end of the chain: {gap.told_by}"
            self.report.add(Finding(kind, f"{positions} {words}.{told}", table, row_id, gap.first))

    def _moment(self, model: type[models.Model], row_id: int) -> datetime | None:
        """Return when a row says that it was written; nothing when it does not say."""
        column = moment_of(model)
        if column is None:
            return None
        found: datetime | None = (
            model._base_manager.using(self.using).filter(pk=row_id).values_list(column, flat=True).first()
        )
        return found

    # History.

    def _history(self, owner: type[models.Model]) -> None:
        """Name the history rows of a model that no row of the trail tells of, and relations of no history row."""
        definition = definition_of(owner.history.model)  # type: ignore[attr-defined]
        table, chunk = definition.table, []
        for number in self._strange(table, definition.key, self.walk.met[table]):
            chunk.append(number)
            if len(chunk) == CHUNK:
                self._orphans(owner, table, chunk)
                chunk = []
        self._orphans(owner, table, chunk)
        for relation in definition.relations:
            self._relation(relation, table, definition.key)

    def _relation(self, relation: Relation, table: str, key: str) -> None:
        """Name the rows of a relation whose history row is gone, unless it was sealed: then that one is named."""
        quote = self.connection.ops.quote_name
        rows = fetch(
            self.connection,
            f"SELECT t.{quote(relation.order)}, t.{quote(relation.key)} FROM {quote(relation.table)} t "  # noqa: S608
            f"LEFT JOIN {quote(table)} h ON h.{quote(key)} = t.{quote(relation.key)} WHERE h.{quote(key)} IS NULL "
            f"ORDER BY 1 LIMIT {CHUNK}",
        )
        strange = [number for number, owned_by in rows if owned_by not in self.walk.met[table]]
        if strange:
            many = f"Rows {strange[0]} to {strange[-1]}" if len(strange) > 1 else f"Row {strange[0]}"
            words = f"{many} of {relation.table} ({len(strange):,} in all) belong to history rows that never were."
            self.report.add(Finding(Kind.ORPHANED, words, relation.table, strange[0]))

    def _orphans(self, owner: type[models.Model], table: str, numbers: Sequence[int]) -> None:
        """Name those of these history rows that no row of the trail tells of; the others are not sealed yet."""
        if not numbers:
            return
        quote = self.connection.ops.quote_name
        where, values = among(self.connection, "t.history_id", numbers)
        query = f"SELECT t.history_id FROM {quote(TrailRow._meta.db_table)} t WHERE t.model = %s AND {where}"  # noqa: S608
        told = {number for (number,) in fetch(self.connection, query, [owner._meta.label_lower, *values])}
        for number in numbers:
            if number not in told:
                words = (
                    f"Row {number} of {table} is in no row of the trail: it was inserted, or the trail's row removed."
                )
                self.report.add(Finding(Kind.ORPHANED, words, table, number))


def _surrounds(gap: Gap, source: str, row_id: int) -> bool:
    """Tell whether a row lies between the rows that are sealed on both sides of a gap."""
    above = gap.before is None or gap.before.source != source or gap.before.row_id < row_id
    below = gap.after is None or gap.after.source != source or row_id < gap.after.row_id
    return above and below
