"""The verbs of backups: a plan, its token, its runs and what was verified of each; and the silence of a plan."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from maintenance import policy
from maintenance.enums import Source
from maintenance.models import BackupPlan, BackupRun
from maintenance.policy import BACKUP, Refused
from maintenance.services.common import say
from portal.audit.actor import By, acting, actor_of
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import System
from portal.directory.recovery import facts
from portal.lib import times
from portal.lib.blank import is_blank
from portal.lib.digests import digest
from portal.records import services as records

SILENCE = "backup_silence"
"""The kind of the deadline of a backup plan: from then on its silence is an incident."""
OPEN_INCIDENT = "incident.open"
EDITABLE = frozenset({"what", "place", "frequency_minutes", "grace_minutes", "owner"})


@contextmanager
def _locked(plan: BackupPlan, *, by: By, at: datetime, reason: str = "") -> Iterator[BackupPlan]:
    """Open one atomic gesture on the locked, freshly read plan of a backup."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        BackupPlan.objects.select_for_update(of=("self",)).values_list("pk").get(pk=plan.pk)
        yield BackupPlan.objects.select_related("system", "owner").get(pk=plan.pk)


def plan_backup(system: System, values: Mapping[str, Any], *, by: By, at: datetime, reason: str) -> BackupPlan:
    """Write down what of a system is backed up. From now on its runs are waited for. Refused says what cannot be."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        plan = BackupPlan(reference=records.next_reference(BACKUP), system=system)
        _set(plan, values)
        stamp(plan, "made", by=by, at=at)
        plan.save()
        say(plan, "made", "wrote the backup down", by=by, at=at, reason=reason)
        _wait(plan, at=at)
        _tell_directory(system)
    return plan


def revise_backup(plan: BackupPlan, values: Mapping[str, Any], *, by: By, at: datetime, reason: str) -> BackupPlan:
    """Change what is backed up, how often or where to."""
    with _locked(plan, by=by, at=at, reason=reason) as row:
        _check_in_force(row)
        _set(row, values)
        if row.changed_fields():
            row.save()
            say(row, "revised", "changed the backup", by=by, at=at, reason=reason)
            last = last_completed(row)
            # What was told as silent, and is not by what it says now, is waited for anew.
            if not _is_silent(row) or row.silent_from(None if last is None else last.finished_at) > at:
                _wait(row, at=at)
    return row


def retire_backup(plan: BackupPlan, *, by: By, at: datetime, reason: str) -> BackupPlan:
    """Wait for its runs no more. Those that were kept stay."""
    with _locked(plan, by=by, at=at, reason=reason) as row:
        _check_in_force(row)
        stamp(row, "retired", by=by, at=at)
        row.digest = ""
        stamp(row, "token", by=None, at=None)
        row.save()
        deadlines.cancel(subject=row, kind=SILENCE, at=at)
        say(row, "retired", "retired the backup", by=by, at=at, reason=reason)
        _tell_directory(row.system)
    return row


def make_backup_token(plan: BackupPlan, *, by: By, at: datetime, reason: str) -> tuple[BackupPlan, str]:
    """Make the token of the backup job and return it with its secret, which is shown this once. An older one ends."""
    secret = secrets.token_urlsafe(32)
    with _locked(plan, by=by, at=at, reason=reason) as row:
        _check_in_force(row)
        row.digest = digest(secret)
        stamp(row, "token", by=by, at=at)
        row.save()
        say(row, "token", "made a new token for its job", by=by, at=at, reason=reason)
    return row, secret


def backup_of(secret: str) -> BackupPlan | None:
    """Return the plan whose job has this secret."""
    rows = BackupPlan.objects.filter(digest=digest(secret), retired_at=None).select_related("system")
    found: BackupPlan | None = rows.first()
    return found


def record_run(
    plan: BackupPlan,
    *,
    by: By,
    at: datetime,
    finished_at: datetime | None = None,
    started_at: datetime | None = None,
    size: int | None = None,
    newest_data_at: datetime | None = None,
    completed: bool = True,
    verified: bool = False,
    stored: bool = False,
    source: Source = Source.PERSON,
    reason: str = "",
) -> tuple[BackupRun, bool]:
    """Keep one run and what was validated of it; return it, and whether it is news.

    One that finished at the same moment was reported already, and stands as it was. Refused is raised for what cannot
    be. A run that is empty, or did not complete, is kept and verifies nothing.
    """
    moment = finished_at or at
    policy.check_run(started_at, moment, newest_data_at, at=at)
    with _locked(plan, by=by, at=at, reason=reason) as row:
        _check_in_force(row)
        known: BackupRun | None = row.runs.filter(finished_at=moment).first()
        if known is not None:
            return known, False
        holds = completed and size != 0
        if verified and holds and newest_data_at is None:
            raise Refused("It was verified, so say how new the newest data in it is: newest_data_at.")
        run = BackupRun(
            plan=row, started_at=started_at, finished_at=moment, size=size, newest_data_at=newest_data_at,
            completed=completed, verified=verified and holds, stored=stored and completed, source=source,
            recorded_at=at, recorded_by=actor_of(by).name,
        )  # fmt: skip
        run.save()
        if source == Source.PERSON:
            say(row, "run", f"recorded the run of {times.in_utc(moment)}", by=by, at=at, event_at=moment)
        if run.completed:
            _heard(row, run, by=by, at=at)
        _tell_directory(row.system)
    return run, True


def validate_run(run: BackupRun, *, verified: bool, stored: bool, by: By, at: datetime, reason: str) -> BackupRun:
    """Say by hand whether a run was verified and stored securely, or is not after all. Refused says what cannot be."""
    with _locked(run.plan, by=by, at=at, reason=reason) as row:
        held: BackupRun = BackupRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if is_blank(reason):
            raise Refused("Say in a sentence how you know. It is kept.")
        if not held.completed:
            raise Refused("This run did not complete. There is nothing to verify.")
        if verified and (held.newest_data_at is None or held.size == 0):
            raise Refused("It is empty, or does not say how new its data is. It cannot count as verified.")
        if (held.verified, held.stored) == (verified, stored):
            return held
        held.verified, held.stored = verified, stored
        held.save(update_fields=["verified", "stored"])
        words = (
            f"{'verified' if verified else 'not verified'}, {'stored securely' if stored else 'not stored securely'}"
        )
        text = f"said of the run of {times.in_utc(held.finished_at)}: {words}"
        say(row, "validated", text, by=by, at=at, reason=reason)
        _tell_directory(row.system)
    return held


def last_completed(plan: BackupPlan) -> BackupRun | None:
    """Return the newest run of a plan that completed."""
    found: BackupRun | None = plan.runs.filter(completed=True).order_by("-finished_at").first()
    return found


def _set(plan: BackupPlan, values: Mapping[str, Any]) -> None:
    unknown = set(values) - EDITABLE
    if unknown:
        raise ValueError(f"A backup has no {', '.join(sorted(unknown))} to write.")
    for name, value in values.items():
        setattr(plan, name, value)
    if is_blank(plan.what) or is_blank(plan.place):
        raise Refused("Say what is backed up, and where to.")
    try:
        plan.clean_fields(exclude=["reference", "made_at", "made_by"])
        plan.clean()
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from None


def _check_in_force(plan: BackupPlan) -> None:
    if not plan.is_in_force:
        raise Refused(f"{plan.reference} was retired. Write a new backup down.")


def _wait(plan: BackupPlan, *, at: datetime) -> None:
    """Write down from when on silence is an incident."""
    last = last_completed(plan)
    due = plan.silent_from(None if last is None else last.finished_at)
    deadlines.move(kind=SILENCE, subject=plan, started_at=at, due_at=due)


def _is_silent(plan: BackupPlan) -> bool:
    """Tell whether its silence was told, and nothing was heard since."""
    return not deadlines.of(plan, [SILENCE]).filter(state=DeadlineState.PENDING).exists()


def _heard(plan: BackupPlan, run: BackupRun, *, by: By, at: datetime) -> None:
    """Wait for the next run. Where silence has opened an incident, tell it that a backup came."""
    newest = last_completed(plan)
    if newest is None or newest.pk != run.pk:
        return
    told: Deadline | None = deadlines.of(plan, [SILENCE]).order_by("-generation").first() if _is_silent(plan) else None
    _wait(plan, at=at)
    if told is not None:
        moment = times.in_utc(run.finished_at)
        say(plan, "heard", "was heard of again", by=by, at=at, event_at=run.finished_at)
        records.ask(
            topic=OPEN_INCIDENT, key=f"backup:{plan.pk}:{told.generation}:heard", system=plan.system,
            payload={
                "title": f"{plan.reference} was heard of again: a backup finished at {moment}.",
                "dedup_key": f"backup:{plan.pk}", "only_joins": True,
            },
            by="system: backups", at=at, answer_by=at + policy.ANSWER_WITHIN,
        )  # fmt: skip


def _tell_directory(system: System) -> None:
    """Tell the directory up to which moment all that is backed up of a system stands in verified backups.

    The standing is held before the runs are read: of two backups at once, the later one sees the run of the other.
    """
    facts.hold(system)
    newest: list[tuple[datetime, datetime]] = []
    for plan in BackupPlan.objects.filter(system=system, retired_at=None).order_by("pk"):
        run = plan.runs.filter(verified=True).order_by("-newest_data_at").first()
        if run is None:
            newest = []
            break
        newest.append((run.newest_data_at, run.finished_at))
    data, finished = min(newest, default=(None, None))
    facts.record_backup(system, finished_at=finished, newest_data_at=data)
