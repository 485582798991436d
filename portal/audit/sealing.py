"""Sealing: what was written is added to the chain soon after, and how the chain stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from portal.audit.reading import fetch
from portal.audit.sealer import Mark, Sealer, head, label_of
from portal.audit.seals import Anchor, AnchorDelivery, SealBatch
from portal.audit.shapes import definition_of, moment_of, sources
from portal.audit.told import Verified, last_verified

BATCH = 5_000
LIMIT = 100_000
MOST_WAITING = timedelta(minutes=5)  # a row older than this must have a seal

__all__ = ["BATCH", "LIMIT", "MOST_WAITING", "Mark", "SealState", "head", "seal", "state"]


@dataclass(frozen=True)
class SealState:
    """How the chain stands: for the trail's page, the watchdog and /healthz/.

    `rows` are sealed, from position 1 without a gap; `sealed_at` is when the last of them was, `waiting_since` the
    moment of the oldest row after them. `anchored_at` is when the newest head was signed, `exported_at` when one last
    left the machine, `undelivered` how many wait. `verified` is the newest verification that the trail tells of.
    """

    rows: int
    sealed_at: datetime | None
    waiting_since: datetime | None
    anchored_position: int
    anchored_at: datetime | None
    exported_at: datetime | None
    undelivered: int
    verified: Verified | None

    def waits(self, at: datetime) -> float:
        """Return for how many seconds the oldest row without a seal has waited; 0.0 when none does."""
        return max((at - self.waiting_since).total_seconds(), 0.0) if self.waiting_since is not None else 0.0


def seal(*, at: datetime, limit: int = LIMIT, using: str = DEFAULT_DB_ALIAS) -> int:
    """Seal up to `limit` rows that have no seal; return how many were. 0 also while another sealer is at work."""
    sealer = Sealer(at=at, using=using)
    sealed = 0
    while sealed < limit:
        wanted = min(BATCH, limit - sealed)
        found = sealer.batch(wanted)
        sealed += found
        if found < wanted:
            break
    return sealed


def state(using: str = DEFAULT_DB_ALIAS) -> SealState:
    """Return how the chain stands. Six queries that an index answers, however long the chain is."""
    batch: Any = SealBatch.objects.using(using).order_by("-id").values("last", "sealed_at", "marks").first()
    marks = {source: Mark(**mark) for source, mark in batch["marks"].items()} if batch else {}
    anchor: Any = Anchor.objects.using(using).order_by("-position", "-id").values("position", "signed_at").first()
    deliveries = AnchorDelivery.objects.using(using)
    delivered = deliveries.filter(delivered_at__isnull=False).order_by("-delivered_at")
    return SealState(
        rows=batch["last"] if batch else 0,
        sealed_at=batch["sealed_at"] if batch else None,
        waiting_since=waiting_since(marks, using),
        anchored_position=anchor["position"] if anchor else 0,
        anchored_at=anchor["signed_at"] if anchor else None,
        exported_at=delivered.values_list("delivered_at", flat=True).first(),
        undelivered=deliveries.filter(delivered_at__isnull=True, attempts__gt=0).count(),
        verified=last_verified(using),
    )


def waiting_since(marks: dict[str, Mark], using: str = DEFAULT_DB_ALIAS) -> datetime | None:
    """Return the moment of the oldest row beyond what is sealed; nothing when none waits. One query."""
    connection = connections[using]
    quote = connection.ops.quote_name
    queries, values = [], []
    for model in sources():
        if (moment := moment_of(model)) is not None:
            table, key = quote(model._meta.db_table), quote(definition_of(model).key)
            first = f"SELECT {quote(moment)} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT 1"  # noqa: S608
            queries.append(f"SELECT * FROM ({first}) x")  # noqa: S608 - names of our own models
            values.append(marks.get(label_of(model), Mark()).tip)
    found = [_moment(row[0]) for row in fetch(connection, " UNION ALL ".join(queries), values)]
    return min(found, default=None)


def _moment(value: Any) -> datetime:
    """Return a moment as the database gave it: SQLite keeps it in UTC without saying so."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
