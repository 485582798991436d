"""The second of two people: the words go, the salts are destroyed, and the chain still verifies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from portal.audit import guards, trail
from portal.audit.actor import By, acting
from portal.audit.canonical import FOR_HISTORY, FOR_PAYLOAD, NOTHING, link, link_text, payload_digest
from portal.audit.chaining import Readers
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.holds import Tombstone, TombstonedRow, TombstoneRequest
from portal.audit.reading import Row, among, columns_of, fetch
from portal.audit.retention.rules import (
    ALTERED,
    OWNER,
    TRAIL,
    NotTheOwner,
    Refused,
    check_free,
    check_request,
    check_seals,
    person_of,
    rows_of,
    wait_in_line,
)
from portal.audit.retention.values import Replaced, of_facts, of_history, of_relations, of_trail
from portal.audit.seals import Seal, Shape
from portal.audit.shapes import Definition
from portal.audit.tables import TrailRow

AT_ONCE = 500
SEALS = Replaced(Seal._meta.db_table, "position", "salt = NULL", [])


def confirm(request: TombstoneRequest, *, by: By, at: datetime, using: str = DEFAULT_DB_ALIAS) -> Tombstone:
    """Remove the words at the positions of a request, all of them or none, and tell it in the trail.

    Of a record that still stands, a fresh version is kept first, so that its newest history goes on saying what it
    holds. NotTheOwner is raised where the connection is not the owner's; Refused for whoever asked, an old request, a
    hold, and a row that is not as it was sealed.
    """
    person = person_of(by)
    if not guards.may_open(using):
        raise NotTheOwner(OWNER.format(pk=request.pk))
    with transaction.atomic(using=using), acting(by=by, at=at, reason=request.reason):
        wait_in_line(using)
        check_request(request, person, at=at)
        seals = list(Seal.objects.using(using).filter(position__in=request.positions).order_by("position"))
        check_seals(request.positions, seals)
        check_free(seals)
        made = Tombstone(
            request=request,
            asked_by_id=request.asked_by_id,
            confirmed_at=at,
            confirmed_by=person.name[:200],
            confirmed_by_id=person.user_id,
        )
        made.save(using=using)
        removal = Removal(seals, using)
        removal.check()
        removal.keep_versions(made)
        removal.replace(made)
        _tell(made, seals, removal)
    return made


def _tell(made: Tombstone, seals: Sequence[Seal], removal: Removal) -> None:
    many = "1 sealed row" if len(seals) == 1 else f"{len(seals):,} sealed rows"
    event = f"Removed the words of {many}, as {made.request.asked_by} had asked: tombstone {made.pk}"
    told = {"request": str(made.request_id), "rows": f"{len(seals):,}", "about": ", ".join(removal.about()[:20])}
    differences = [trail.Difference(name, None, value) for name, value in told.items()]
    trail.record(
        Action.TOMBSTONED,
        event=event,
        model="audit.tombstone",
        object_id=made.pk,
        privileged=True,
        differences=differences,
    )


class Removal:
    """The rows of some seals, and how their words go."""

    def __init__(self, seals: Sequence[Seal], using: str) -> None:
        self.seals, self.using = seals, using
        self.connection = connections[using]
        self._readers = Readers(using)
        self._shapes = {shape.pk: shape for shape in Shape.objects.using(using).filter(pk__in=self._shape_ids())}
        self._definitions = {pk: Definition.from_text(shape.definition) for pk, shape in self._shapes.items()}
        self.told = {row.pk: row for _, row in rows_of(seals).get(TRAIL, [])}

    def about(self) -> list[str]:
        """Return the objects that the rows of the trail are about, such as "directory.contact 12"."""
        return sorted({f"{row.model} {row.object_id}".strip() for row in self.told.values() if row.model})

    def _shape_ids(self) -> set[int]:
        return {pk for seal in self.seals for pk in (seal.shape_id, seal.history_shape_id) if pk is not None}

    # Nothing goes that is not as it was sealed: it may be what somebody wants to hide.

    def check(self) -> None:
        """Refuse a row, or a history row, that is gone, altered, or of which the database has lost columns."""
        there = columns_of(self.connection)
        for definition in self._definitions.values():
            if lost := self._readers.of(definition).lost(there):
                raise Refused(
                    f"These rows were sealed with columns that the database no longer has ({', '.join(lost[:5])}). "
                    "They cannot be compared with their seals, and are left alone."
                )
        for seal, row, history in self._read():
            if row is None or not self._fits(seal, row, history):
                raise Refused(ALTERED.format(position=f"{seal.position:,}", source=seal.source, row=seal.row_id))

    def _read(self) -> Iterator[tuple[Seal, Row | None, Row | None]]:
        """Yield each seal with its row and its history row, as they stand now."""
        wanted: dict[int, set[int]] = defaultdict(set)
        for seal in self.seals:
            wanted[seal.shape_id].add(seal.row_id)
            if seal.history_shape_id is not None and seal.history_id is not None:
                wanted[seal.history_shape_id].add(seal.history_id)
        rows = {pk: self._readers.of(self._definitions[pk]).rows(ids) for pk, ids in wanted.items()}
        for seal in self.seals:
            told = rows.get(seal.history_shape_id or 0, {}).get(seal.history_id or 0)
            yield seal, rows[seal.shape_id].get(seal.row_id), told

    def _fits(self, seal: Seal, row: Row, history: Row | None) -> bool:
        salt = bytes(seal.salt or b"")
        digest = payload_digest(salt[FOR_HISTORY], history.payload) if history is not None else None
        digests = (payload_digest(salt[FOR_PAYLOAD], row.payload), digest)
        told = self._shapes[seal.history_shape_id].digest if seal.history_shape_id is not None else NOTHING
        shapes = (self._shapes[seal.shape_id].digest, told)
        return link(link_text(seal.position, seal.source, seal.row_id, shapes, digests, row.envelope)) == bytes(
            seal.link
        )

    # What a record holds now stays told by its newest history.

    def keep_versions(self, made: Tombstone) -> None:
        """Write a fresh version of each record that still stands and whose newest version is about to go."""
        going: dict[str, set[int]] = defaultdict(set)
        for row in self.told.values():
            if row.history_id is not None:
                going[row.model].add(row.history_id)
        for label, ids in sorted(going.items()):
            owner = self._owner(label)
            keys = (
                owner.history.using(self.using)
                .filter(history_id__in=ids)
                .values_list(owner._meta.pk.attname, flat=True)
            )
            for instance in owner._base_manager.using(self.using).filter(pk__in=set(keys)).order_by("pk"):
                own = owner.history.using(self.using).filter(**{owner._meta.pk.attname: instance.pk})
                if own.order_by("-history_id").values_list("history_id", flat=True).first() in ids:
                    AuditHistory.of[owner].create_historical_record(
                        instance, "~", self.using, event=f"Kept as it stands, after tombstone {made.pk}"
                    )

    def _owner(self, label: str) -> Any:
        try:
            owner: Any = apps.get_model(label)
        except (LookupError, ValueError):
            raise Refused(f"The portal no longer knows what “{label}” was, so that its rows are left alone.") from None
        return owner

    # The words go.

    def replace(self, made: Tombstone) -> None:
        """Replace the payload of each row and history row, keep digests of what stands there now, drop the salts."""
        if self.connection.vendor == "sqlite":
            fetch(self.connection, "PRAGMA secure_delete = ON")  # what is freed is overwritten
        going = list(self._going())
        opened = {replaced.table: (replaced.key, ids) for replaced, ids in going if ids}
        with guards.open_rows(opened, self.using):
            for replaced, ids in going[:-1]:
                self._update(replaced, ids)
            TombstonedRow.objects.using(self.using).bulk_create(self._rows(made), batch_size=AT_ONCE)
            self._update(*going[-1])

    def _going(self) -> Iterator[tuple[Replaced, list[int]]]:
        """Yield each table with the keys of its rows; the seals come last."""
        sources: dict[str, list[int]] = defaultdict(list)
        for seal in self.seals:
            sources[seal.source].append(seal.row_id)
        for source, ids in sources.items():
            yield (
                of_trail(self.connection) if source == TRAIL else of_facts(apps.get_model(source), self.connection),
                ids,
            )
        histories: dict[str, list[int]] = defaultdict(list)
        for row in self.told.values():
            if row.history_id is not None:
                histories[row.model].append(row.history_id)
        for label, ids in sorted(histories.items()):
            owner = self._owner(label)
            yield of_history(owner, self.connection), ids
            for replaced, column in of_relations(owner, self.connection):
                yield replaced, self._related(replaced, column, ids)
        yield SEALS, [seal.position for seal in self.seals]

    def _related(self, replaced: Replaced, column: str, ids: Sequence[int]) -> list[int]:
        """Return the keys of the relation rows that belong to these history rows."""
        quote = self.connection.ops.quote_name
        wanted, found = set(ids), []
        where, values = among(self.connection, quote(column), ids)
        query = f"SELECT {quote(replaced.key)}, {quote(column)} FROM {quote(replaced.table)} WHERE {where}"  # noqa: S608
        for key, owner in fetch(self.connection, query, values):
            if owner in wanted:
                found.append(key)
        return found

    def _update(self, replaced: Replaced, ids: Sequence[int]) -> None:
        if not replaced.assignments:  # such as the digest and the size of a file: no words that could go
            return
        quote = self.connection.ops.quote_name
        with self.connection.cursor() as cursor:
            for some in _batches(ids):
                keys = ", ".join(str(int(key)) for key in some)
                cursor.execute(
                    f"UPDATE {quote(replaced.table)} SET {replaced.assignments} "  # noqa: S608 - names of our own models
                    f"WHERE {quote(replaced.key)} IN ({keys})",
                    replaced.values,
                )

    def _rows(self, made: Tombstone) -> Iterable[TombstonedRow]:
        for seal, row, history in self._read():
            assert row is not None  # noqa: S101 - check() has read it in this transaction
            yield TombstonedRow(
                tombstone=made,
                seal=seal,
                payload_digest=sha256(row.payload).digest(),
                history_digest=sha256(history.payload).digest() if history is not None else None,
            )


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def forget(made: Tombstone, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let the database's own files forget what was removed, as far as it can: call it after the transaction.

    PostgreSQL keeps old versions of rows until VACUUM, SQLite in its log until a checkpoint. Backups and archived logs
    are the operator's (docs/ops.md).
    """
    connection = connections[using]
    if connection.in_atomic_block:
        return
    if connection.vendor == "sqlite":
        fetch(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        return
    seals = list(Seal.objects.using(using).filter(tombstoned__tombstone=made))
    tables = {Seal._meta.db_table, *(apps.get_model(seal.source)._meta.db_table for seal in seals)}
    rows = TrailRow.objects.using(using).filter(pk__in=[seal.row_id for seal in seals if seal.source == TRAIL])
    for label in set(rows.exclude(history_id=None).values_list("model", flat=True)):
        owner: Any = apps.get_model(label)
        tables.add(owner.history.model._meta.db_table)
        tables |= {replaced.table for replaced, _ in of_relations(owner, connection)}
    quoted = ", ".join(connection.ops.quote_name(table) for table in sorted(tables))
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM {quoted}")
