"""A run of reconciliation: begun by hand or once a night, worked off in slices, told in the trail.

A run is a row that knows where it goes on, so that no process has to live as long as it takes. Whoever works on it
holds it by a lease; a worker that died is followed by the next one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from portal.audit import told, trail
from portal.audit.actor import By, actor_of
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.reconciling.comparing import Part, Unrecorded, Untold, Versions
from portal.audit.reconciling.findings import Finding
from portal.audit.reconciling.telling import Facts, Groundless, told_facts
from portal.audit.runs import Reconciliation
from portal.audit.tables import Difference
from portal.audit.told import ending

Clock = Callable[[], datetime]
Settle = Callable[[Reconciliation, datetime], object]

BATCH = 20_000  # rows that one statement looks at
LEASE = timedelta(minutes=5)
NIGHT_BEGINS = timedelta(hours=2)  # after midnight, in the portal's own zone
MOST_KEPT = 500  # findings that a run keeps; all are counted
MOST_TOLD = 50  # findings whose values stand in the trail


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run that came to its end. `findings` are the first of `found`."""

    at: datetime
    by: str
    nightly: bool
    seconds: float
    rows: int
    found: int
    findings: list[Finding]


def last_run() -> LastRun | None:
    """Return the newest run of which the trail tells the end, or nothing when there was none. One query."""
    run = told.told_reconciliations().order_by("-finished_at", "-id").first()
    return None if run is None else finished(run)


def finished(run: Reconciliation) -> LastRun:
    """Return what came of a run that has come to its end; ValueError is raised for another."""
    if run.finished_at is None:
        raise ValueError("This run has not come to its end.")
    seconds = (run.finished_at - run.started_at).total_seconds()
    findings = [Finding.from_json(found) for found in run.findings]
    return LastRun(run.finished_at, run.started_by, run.night is not None, seconds, run.rows, run.found, findings)


def waiting_since(*, at: datetime) -> datetime | None:
    """Return since when no run has come to its end: the last end that the trail tells, else the first beginning."""
    newest: datetime | None = told.reconciliations().filter(at__lte=at).values_list("at", flat=True).first()
    if newest is not None:
        return newest
    begun: datetime | None = Reconciliation.objects.order_by("started_at").values_list("started_at", flat=True).first()
    return begun


def audited_models() -> list[type[models.Model]]:
    """Return every audited model that has a table of its own, in a fixed order."""
    known = [model for model in apps.get_models() if not model._meta.proxy and model in AuditHistory.of]
    return sorted(known, key=lambda model: str(model._meta.label_lower))


def parts() -> list[Part]:
    """Return all that a run looks at, in its order."""
    audited = audited_models()
    each = [part(model) for model in audited for part in (Versions, Unrecorded, Untold)]
    facts = [Facts(model) for model in told_facts()]
    return [*each, *facts, Groundless(audited, facts)]


def begin(*, by: By, at: datetime) -> Reconciliation:
    """Begin a run that somebody asked for."""
    return Reconciliation.objects.create(started_at=at, started_by=actor_of(by).name)


def night_of(at: datetime) -> date:
    """Return the night that a moment belongs to: it begins at two in the morning, in the portal's own zone."""
    return (at.astimezone(ZoneInfo(settings.TIME_ZONE)) - NIGHT_BEGINS).date()


def begin_nightly(*, by: By, at: datetime) -> bool:
    """Begin the run of this night unless it is under way or done; tell whether it was begun. The row is the claim.

    A claim that says that it is done, without the trail telling it, was written ahead: it is begun anew.
    """
    night, name = night_of(at), actor_of(by).name
    taken = Reconciliation.objects.filter(night=night).first()
    if taken is None:
        row = Reconciliation(night=night, started_at=at, started_by=name)
        Reconciliation.objects.bulk_create([row], ignore_conflicts=True)
        return True
    if taken.finished_at is None or told.told_reconciliations().filter(pk=taken.pk).exists():
        return False
    begun = Reconciliation(pk=taken.pk, night=night, started_at=at, started_by=name)
    anew = {field.attname: getattr(begun, field.attname) for field in Reconciliation._meta.concrete_fields}
    return bool(Reconciliation.objects.filter(pk=taken.pk, finished_at=taken.finished_at).update(**anew))


def advance(*, now: Clock, budget: timedelta, settle: Settle) -> int:
    """Work on the oldest unfinished run for as long as `budget` allows; return how many rows were read.

    `settle` is called in the transaction that ends a run. Safe in any number of processes: one holds the run.
    """
    found = _take(at=now())
    return 0 if found is None else _work(found, now=now, budget=budget, settle=settle)


def run(row: Reconciliation, *, now: Clock, settle: Settle, tell: Callable[[Reconciliation], object]) -> None:
    """Work on one run until it ends; `tell` is called from time to time. LookupError: another process has taken it."""
    while True:
        held = _take(at=now(), only=row.pk)
        if held is None:
            raise LookupError("Another process works on this run.")
        _work(held, now=now, budget=timedelta(seconds=5), settle=settle)
        row.refresh_from_db()
        tell(row)
        if row.finished_at is not None:
            return


def _take(*, at: datetime, only: int | None = None) -> Reconciliation | None:
    """Hold an unfinished run that nobody holds, the oldest first."""
    held = Q(lease_until__gte=at, lease_until__lte=at + LEASE)  # nobody takes a longer lease than that
    free = Reconciliation.objects.exclude(held).filter(finished_at=None)
    free = free.filter(pk=only) if only is not None else free
    for pk in free.order_by("started_at", "id").values_list("pk", flat=True)[:5]:
        token = secrets.token_hex(16)
        if free.filter(pk=pk).update(lease_token=token, lease_until=at + LEASE):
            return Reconciliation.objects.get(pk=pk)
    return None


def _work(row: Reconciliation, *, now: Clock, budget: timedelta, settle: Settle) -> int:
    ends, before = now() + budget, row.rows
    todo = parts()
    keys = [part.key for part in todo]
    place = keys.index(row.part) if row.part in keys else 0
    after, findings = row.after if row.part in keys else None, list(row.findings)
    while place < len(todo):
        look = todo[place].look(after, BATCH)
        row.rows += look.rows
        row.found += len(look.findings)
        findings += [found.as_json() for found in look.findings[: MOST_KEPT - len(findings)]]
        place, after = (place + 1, None) if look.after is None else (place, look.after)
        if now() >= ends:
            break
    row.findings = findings
    if place < len(todo):
        _put_down(row, part=keys[place], after=after)
    else:
        _finish(row, at=now(), settle=settle)
    return int(row.rows - before)


def _put_down(row: Reconciliation, **values: Any) -> bool:
    """Keep how far the run has come and let it go; False when another process has taken it meanwhile."""
    mine = Reconciliation.objects.filter(pk=row.pk, lease_token=row.lease_token)
    kept = {"rows": row.rows, "found": row.found, "findings": row.findings, "lease_until": None, **values}
    return bool(mine.update(**kept))


@transaction.atomic
def _finish(row: Reconciliation, *, at: datetime, settle: Settle) -> None:
    """End the run, tell the trail what it found, and let `settle` do what follows; nothing when it was taken over."""
    if not _put_down(row, finished_at=at, part="", after=None):
        return
    row.finished_at = at
    words = f"{row.found} {'finding' if row.found == 1 else 'findings'}" if row.found else "nothing differs"
    named = [Finding.from_json(found) for found in row.findings[:MOST_TOLD]]
    with ending(at):
        trail.record(
            Action.EVENT,
            event=f"Reconciled {row.rows:,} rows with their history: {words}",
            model=told.RECONCILIATION,
            object_id=row.pk,
            differences=[Difference(_name(found), found.kept, found.live) for found in named],
        )
    settle(row, at)


def _name(found: Finding) -> str:
    """Return how the trail names the field of a finding, without spaces."""
    return f"{found.model}:{found.object_id}.{found.field or found.kind.value}"
