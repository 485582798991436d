"""What every verb does: lock, name who acts, write the line in the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction

from maintenance.models import Occurrence, Plan
from portal.accounts.models import User
from portal.audit.actor import By, acting, actor_of
from portal.records import services as records
from portal.records.models import Note

NOTICE = "maintenance_notice"
"""The kind of the deadlines of occurrences: the reminder that comes next."""
SYSTEM = "system: maintenance"


@contextmanager
def locked_plan(plan: Plan, *, by: By, at: datetime, reason: str = "") -> Iterator[Plan]:
    """Open one atomic gesture on the locked, freshly read plan."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        Plan.objects.select_for_update(of=("self",)).values_list("pk").get(pk=plan.pk)
        yield Plan.objects.select_related(*PEOPLE).get(pk=plan.pk)


@contextmanager
def locked(occurrence: Occurrence, *, by: By, at: datetime, reason: str = "") -> Iterator[Occurrence]:
    """Open one atomic gesture on an occurrence: its plan is locked first, as everywhere, then its own row."""
    with locked_plan(occurrence.plan, by=by, at=at, reason=reason) as plan:
        row = Occurrence.objects.select_for_update(of=("self",)).get(pk=occurrence.pk)
        row.plan = plan
        yield row


@contextmanager
def once(row: models.Model, *, by: By, key: UUID) -> Iterator[bool]:
    """Lock a row and tell whether the form with this key acts for the first time: a second submit waits and is not."""
    with transaction.atomic(), acting(by=by, once=key) as context:
        type(row)._base_manager.select_for_update(of=("self",)).values_list("pk").get(pk=row.pk)
        yield not Note.objects.filter(gesture=context.gesture).exists()


PEOPLE = ("owner", "backup", "manager", "team", "calendar")


def say(record: models.Model, kind: str, text: str, *, by: By, at: datetime, **more: Any) -> Note:
    """Write one line of the timeline of a plan or an occurrence."""
    return records.write_note(record, kind=kind, text=text, by=by, at=at, **more)


def account_of(by: By) -> User | None:
    """Return the account of whoever acts; nothing for a part of the system."""
    actor = actor_of(by)
    return User.objects.filter(pk=actor.user_id).first() if actor.user_id is not None else None
