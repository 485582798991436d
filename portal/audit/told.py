"""What the runs that prove the record said last, as the trail tells it.

The tables of runs are leases: whoever runs the portal may write them, ahead of time too. What a run found stands in
the trail, which is appended to and sealed. So a run counts as finished when the trail tells it, of the same moment, and
never when it says that it ends in a time that has not come.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from portal.audit.actor import acting, current
from portal.audit.enums import Action
from portal.audit.runs import Reconciliation
from portal.audit.seals import Verification
from portal.audit.tables import TrailRow

VERIFICATION = "audit.verification"
RECONCILIATION = "audit.reconciliation"
NEAR = timedelta(minutes=1)  # a run and its row of the trail are of one moment; older ones were told a little later
AHEAD = timedelta(hours=1)  # by which clocks may differ at the very most


@dataclass(frozen=True, slots=True)
class Verified:
    """The last verification that the trail tells of.

    `rows` seals were read up to `position`; `found` counts the findings, `named` are the first of them in words.
    `agrees` is false when the table of runs says otherwise of its newest run: somebody wrote it past the portal.
    """

    at: datetime
    rows: int
    position: int
    found: int
    named: list[str] = field(default_factory=list)
    agrees: bool = True

    @property
    def finished_at(self) -> datetime:
        """The moment at which it came to its end."""
        return self.at


def verifications(using: str = DEFAULT_DB_ALIAS) -> QuerySet[Any]:
    """Return the rows of the trail that tell of verifications, the newest first."""
    rows: QuerySet[Any] = TrailRow.objects.using(using).filter(model=VERIFICATION, action=Action.EVENT)
    return rows.order_by("-at", "-id")  # as the index of kinds has them


def finished_runs(using: str = DEFAULT_DB_ALIAS) -> QuerySet[Any]:
    """Return the runs of verification that say that they ended, the newest first."""
    rows: QuerySet[Any] = Verification.objects.using(using).filter(finished_at__isnull=False)
    return rows.order_by("-finished_at", "-id")


def last_verified(using: str = DEFAULT_DB_ALIAS) -> Verified | None:
    """Return what the trail tells of the last verification, and whether its run says the same. Two queries."""
    told = verifications(using).values("at", "changes").first()
    run = finished_runs(using).values("finished_at", "rows", "position", "found").first()
    return verified_of(told, run)


def verified_of(told: Mapping[str, Any] | None, run: Mapping[str, Any] | None) -> Verified | None:
    """Return the last verification out of its row of the trail and of the newest run, either of which may be missing.

    A run that the trail does not tell makes one that nobody can believe: it has no findings and does not agree.
    """
    if told is None:
        return None if run is None else Verified(run["finished_at"], run["rows"], run["position"], 0, agrees=False)
    figures: dict[str, str] = {}
    named = []
    for name, _, value in json.loads(told["changes"]):
        figures[name] = value or "0"
        named += [value] if name == "finding" else []
    rows, position, found = (_number(figures.get(name)) for name in ("rows", "position", "findings"))
    agrees = (
        run is not None
        and abs(run["finished_at"] - told["at"]) <= NEAR
        and (rows, position, found) == (run["rows"], run["position"], run["found"])
    )
    return Verified(told["at"], rows, position, found, named, agrees)


def _number(told: str | None) -> int:
    digits = (told or "0").replace(",", "")
    return int(digits) if digits.isdecimal() else 0


def is_told(run: Verification, *, at: datetime) -> bool:
    """Tell whether a run of verification came to its end by `at`, and the trail says so."""
    ended = run.finished_at
    if ended is None or ended > at:
        return False
    return bool(verifications().filter(at__range=(ended - NEAR, ended + NEAR)).exists())


def reconciliations() -> QuerySet[Any]:
    """Return the rows of the trail that tell of reconciliations, the newest first."""
    rows: QuerySet[Any] = TrailRow.objects.filter(model=RECONCILIATION, action=Action.EVENT)
    return rows.order_by("-at", "-id")


def told_reconciliations() -> QuerySet[Any]:
    """Return the runs of reconciliation that came to their end, and the trail says so."""
    told = reconciliations().filter(object_id=Cast(OuterRef("pk"), CharField()))
    ended: QuerySet[Any] = Reconciliation.objects.filter(Exists(told), finished_at__isnull=False)
    return ended


def written_ahead(*, at: datetime) -> int:
    """Return how many runs claim a night, or tell of a moment, that has not come: somebody typed them."""
    later, tomorrow = at + AHEAD, (at + timedelta(days=1)).date()
    ahead = Q(night__gt=tomorrow) | Q(started_at__gt=later) | Q(finished_at__gt=later)
    return int(Verification.objects.filter(ahead).count() + Reconciliation.objects.filter(ahead).count())


@contextmanager
def ending(at: datetime) -> Iterator[None]:
    """Tell what is told inside as of the moment at which a run came to its end, by whoever acts."""
    context = current()
    with acting(by=context.actor if context is not None else "unattributed", at=at):
        yield
