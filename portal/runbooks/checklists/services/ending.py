"""Ending a run, and going on with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import models, transaction

from portal.audit.actor import By, acting, actor_of
from portal.runbooks.checklists import policy, subjects
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.services.common import event_of, tell
from portal.runbooks.models import ChecklistRun, RunStep

ENDED = "It has ended already."
RUNS = "It has not ended, so there is nothing to resume."


@contextmanager
def _locked(run: ChecklistRun, *, by: By, at: datetime, reason: str) -> Iterator[ChecklistRun]:
    """Open one atomic gesture on the locked run. Its steps are locked before it, as by those who work them."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason.strip()):
        list(RunStep.objects.filter(run=run).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        yield ChecklistRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)


def end(run: ChecklistRun, *, by: By, at: datetime, reason: str) -> ChecklistRun:
    """End a run before its steps are all settled: those still open are left open, and leave every board."""
    policy.check_reason("end", reason)
    with _locked(run, by=by, at=at, reason=reason) as row:
        if row.is_over:
            raise Refused(ENDED)
        left = RunStep.objects.filter(run=row, state=StepState.OPEN).update(state=StepState.LEFT)
        _end(row, by=by, at=at, left=left)
    return row


def end_all(subject: models.Model, *, by: By, at: datetime, reason: str) -> None:
    """End every run of a record that is over; nothing happens where none runs."""
    for run in ChecklistRun.objects.of(subject).filter(ended_at=None):
        end(run, by=by, at=at, reason=reason)


def resume(run: ChecklistRun, *, by: By, at: datetime, reason: str) -> ChecklistRun:
    """Go on with a run that was ended: what was left open is open again."""
    policy.check_reason("resume", reason)
    with _locked(run, by=by, at=at, reason=reason) as row:
        if not row.is_over:
            raise Refused(RUNS)
        _check_subject(row)
        RunStep.objects.filter(run=row, state=StepState.LEFT).update(state=StepState.OPEN)
        _resume(row, by=by, at=at)
    return row


def reopen(run: ChecklistRun, *, by: By, at: datetime) -> None:
    """Go on with a run that ended by itself, since a step of it is opened again. The caller holds that step.

    Refused is raised for one that was ended by hand: to go on with that takes a decision of its own.
    """
    row = ChecklistRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    if RunStep.objects.filter(run=row, state__in=[StepState.LEFT, StepState.FAILED]).exists():
        raise Refused(policy.OVER)
    _check_subject(row)
    if row.is_over:
        _resume(row, by=by, at=at)


def _check_subject(row: ChecklistRun) -> None:
    kind = subjects.of_record(row.subject) if row.subject is not None else None
    if kind is not None and kind.is_over(row.subject):
        raise Refused(policy.SUBJECT_OVER.format(subject=row.subject))


def _resume(row: ChecklistRun, *, by: By, at: datetime) -> None:
    row.ended_at, row.ended_by = None, ""
    row.save(update_fields=["ended_at", "ended_by"])
    event_of(row, What.RESUMED, by=by, at=at).save()
    tell(row, f"resumed the checklist “{row.name}”", by=by, at=at)


def resume_all(subject: models.Model, *, by: By, at: datetime, reason: str) -> None:
    """Go on with the runs of a record that is open again and that were left with open steps."""
    left = RunStep.objects.filter(state=StepState.LEFT).order_by().values("run")
    for run in ChecklistRun.objects.of(subject).filter(ended_at__isnull=False, pk__in=left):
        resume(run, by=by, at=at, reason=reason)


def end_when_done(run: ChecklistRun, *, by: By, at: datetime) -> None:
    """End a run none of whose steps is open or failed any more. The caller holds a step of it.

    Of two who settle the last two steps at once the run's lock makes one wait; the later one sees both settled.
    """
    row = ChecklistRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    waits = RunStep.objects.filter(run=row, state__in=[StepState.OPEN, StepState.FAILED]).exists()
    if not waits and not row.is_over:
        _end(row, by=by, at=at, left=0)


def _end(row: ChecklistRun, *, by: By, at: datetime, left: int) -> None:
    row.ended_at, row.ended_by = at, actor_of(by).name[:200]
    row.save(update_fields=["ended_at", "ended_by"])
    event_of(row, What.ENDED, by=by, at=at).save()
    detail = f"{left} step{' was' if left == 1 else 's were'} left open." if left else "Every step is settled."
    tell(row, f"ended the checklist “{row.name}”", by=by, at=at, detail=detail)
