"""One verification of the whole record, as it stood at one moment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from portal.audit.anchors import Signed
from portal.audit.verifying.blaming import Blame
from portal.audit.verifying.coverage import Coverage
from portal.audit.verifying.heads import Heads
from portal.audit.verifying.report import Report
from portal.audit.verifying.walking import Progress, Walk


def verify(
    *,
    at: datetime,
    against: Sequence[Signed] = (),
    progress: Progress | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Report:
    """Read the whole record again and return what was found. Nothing is written.

    `against` are anchors that somebody has kept elsewhere; those kept here are compared too. `progress` is called with
    the seals read so far and the last position. Everything is read as it stood at one moment, while others write on.
    """
    report, began = Report(at=at), time.perf_counter()
    with as_of_one_moment(using):
        walk = Walk(report, using, progress)
        heads = Heads(walk, report, using, against)
        heads.gather()
        walk.go()
        heads.note_cut()
        blame = Blame(walk, report)
        blame.all()
        Coverage(walk, report, using).all()
        heads.compare(blame.blamed)
        walk.note_lost()
    report.seconds = time.perf_counter() - began
    return report


@contextmanager
def as_of_one_moment(using: str) -> Iterator[None]:
    """Let everything inside see the database as it stands now and write nothing; in an open transaction, as that does.

    On SQLite the transaction only reads: `atomic` would take the lock of writers for as long.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "postgresql":
        with transaction.atomic(using=using):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
