"""What every verb of exercises does: lock, name who acts, read what stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from maintenance.models import Exercise, RecoveryPlan
from portal.audit.actor import By, acting


@contextmanager
def locked_plan(plan: RecoveryPlan, *, by: By, at: datetime, reason: str = "") -> Iterator[RecoveryPlan]:
    """Open one atomic gesture on the locked, freshly read recovery plan."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield RecoveryPlan.objects.select_for_update(of=("self",)).get(pk=plan.pk)


@contextmanager
def locked(exercise: Exercise, *, by: By, at: datetime, reason: str = "") -> Iterator[Exercise]:
    """Open one atomic gesture on the locked, freshly read exercise. Its steps are written under this lock alone."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield Exercise.objects.select_for_update(of=("self",)).get(pk=exercise.pk)
