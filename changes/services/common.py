"""What every verb does: lock the change, name who acts, write its line in the timeline, keep its period."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count

from changes.models import Change
from changes.policy import NotYours, check_reason, next_status
from portal.accounts.models import User
from portal.audit.actor import By, acting, actor_of
from portal.records import services as records
from portal.records.models import Note, Period

PERIOD = "change"
PERMISSION = "changes.change_change"
NO_PART = "Only people who work on changes do this. Ask an administrator for a role that does."


@contextmanager
def locked(change: Change, *, by: By, at: datetime, reason: str = "") -> Iterator[Change]:
    """Open one atomic gesture on the locked, freshly read row, for somebody who has a part in changes."""
    check_part(by)
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield Change.objects.select_for_update(of=("self",)).get(pk=change.pk)


def move(change: Change, verb: str, *, reason: str = "") -> None:
    """Set the state that `verb` leads to; Refused is raised when it does not fit or lacks its reason."""
    status = next_status(verb, change.status)
    check_reason(verb, reason)
    change.status = status


def say(change: Change, kind: str, text: str, *, by: By, at: datetime, **more: Any) -> Note:
    """Write one line of the timeline."""
    return records.write_note(change, kind=kind, text=text, by=by, at=at, **more)


def steps_of(change: Change) -> dict[str, int]:
    """Return how many steps each plan has."""
    counted = change.steps.order_by().values_list("kind").annotate(count=Count("pk"))
    return dict(counted)


def account_of(by: By) -> User | None:
    """Return the account of whoever acts; nothing for a part of the system."""
    actor = actor_of(by)
    return User.objects.filter(pk=actor.user_id).first() if actor.user_id is not None else None


def check_part(by: By) -> None:
    """Refuse an account that may not work on changes, however it came here. CI systems and the engine have none."""
    account = by if isinstance(by, User) else account_of(by)
    if account is not None and not account.has_perm(PERMISSION):
        raise NotYours(NO_PART)


def keep_period(change: Change) -> None:
    """Let the periods of the change's systems say what its slot is now, or that it has none any more.

    Once it has started, the slot begins at the actual start, and stays open until it is verified.
    """
    type_ = ContentType.objects.get_for_model(Change)
    mine = Period.objects.filter(record_type=type_, record_id=change.pk, kind=PERIOD)
    mine.delete()
    starts, ends = change.started_at or change.planned_start, change.verified_at
    if change.started_at is None:
        ends = change.planned_end if change.scheduled_at and change.cancelled_at is None else None
    if starts is None or (change.started_at is None and ends is None):
        return
    Period.objects.bulk_create(
        Period(
            system=system,
            kind=PERIOD,
            starts=starts,
            ends=max(starts, ends) if ends else None,
            record_type=type_,
            record_id=change.pk,
            reference=change.reference,
        )
        for system in change.systems.all()
    )
