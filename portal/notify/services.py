"""The verbs of messages in one place, and what pages and health ask about them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from portal.notify.channels import CHANNELS
from portal.notify.compose import INBOX
from portal.notify.links import LinkRefused, peek, redeem
from portal.notify.models import Message, MessageState
from portal.notify.outbox import UNSENT, cancel_unsent, queue
from portal.notify.sending import send_lane
from portal.notify.trying import TestRefused, newest_test, send_test
from portal.notify.verification import VerificationRefused, start_verification, verify

__all__ = [
    "LinkRefused",
    "TestRefused",
    "VerificationRefused",
    "cancel_unsent",
    "inbox_of",
    "lanes",
    "mark_read",
    "newest_test",
    "oldest_unsent_seconds",
    "peek",
    "queue",
    "redeem",
    "send_lane",
    "send_test",
    "start_verification",
    "stuck",
    "unread_count",
    "verify",
    "waiting_lanes",
]

STUCK_AFTER = timedelta(minutes=2)
DEAD_SHOWN_FOR = timedelta(days=7)


def lanes() -> list[str]:
    """Return the lanes that messages leave by. Each is sent by itself, so that a hung server delays no other lane."""
    return list(CHANNELS)


def waiting_lanes(*, at: datetime) -> list[str]:
    """Return the lanes in which something is due: whoever rings needs no sender for the others. One query."""
    due = Message.objects.filter(state__in=UNSENT, next_attempt_at__lte=at, lane__in=CHANNELS)
    return sorted(due.order_by().values_list("lane", flat=True).distinct())


def oldest_unsent_seconds(*, at: datetime) -> float:
    """Return for how many seconds the oldest unsent message should have been out; 0.0 when nothing waits."""
    oldest = (
        Message.objects.filter(state__in=UNSENT, due_at__lte=at)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return 0.0 if oldest is None else (at - oldest).total_seconds()


def stuck(*, at: datetime) -> QuerySet[Message]:
    """Return the messages that did not get through: failed and waiting, late, or given up in the last seven days."""
    return Message.objects.filter(
        Q(state=MessageState.FAILED)
        | Q(state__in=[MessageState.PENDING, MessageState.SENDING], due_at__lt=at - STUCK_AFTER)
        | Q(state=MessageState.DEAD, settled_at__gt=at - DEAD_SHOWN_FOR)
    )


def inbox_of(user: Any) -> QuerySet[Message]:
    """Return the messages in the portal's inbox of `user`, newest first."""
    return Message.objects.filter(lane=INBOX, contact__user_id=user.pk)


def unread_count(user: Any) -> int:
    """Return how many messages of the inbox `user` has not read."""
    return inbox_of(user).filter(read_at=None).count()


def mark_read(user: Any, ids: Collection[int], *, at: datetime) -> int:
    """Mark messages of the user's own inbox as read, and return how many were unread."""
    mine = inbox_of(user).filter(pk__in=list(ids), read_at=None).values("pk")
    return Message.objects.filter(pk__in=mine, read_at=None).update(read_at=at)
