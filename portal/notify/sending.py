"""Out of the outbox: claim under a lease, send outside any transaction, settle by the lease's token.

A sender that dies leaves its lease behind; when that has run out, another sends again with the same idempotency key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from portal.directory.enums import MethodKind
from portal.notify import bundling, following
from portal.notify.channels import CHANNELS, Channel, DeliveryError, within
from portal.notify.models import Message, MessageState
from portal.notify.outbox import WAITING
from portal.notify.parcels import parcel_of
from portal.notify.seats import seat

BACKOFF = [timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600)]
TRIES = 8
LEASE_BEYOND_TIMEOUT = timedelta(seconds=3)
CLAIM_LEASE = timedelta(seconds=3)
LEASE_FOR_MANY = timedelta(milliseconds=2)  # for each row of a delivery

# One message, or several that leave as one.
Delivery = Sequence[Message]

Now = Callable[[], datetime]


def send_lane(lane: str, *, now: Now, batch: int = 10) -> int:
    """Send at most `batch` waiting messages of one lane, and return how many were claimed.

    A lane whose seats are all taken, because its server hangs, claims nothing: other lanes need the workers.
    """
    with seat(lane) as seated:
        return _send_batch(lane, now, batch) if seated else 0


def _send_batch(lane: str, now: Now, batch: int) -> int:
    token = uuid.uuid4()
    claimed = claim(lane, token=token, at=now(), batch=batch)
    if not claimed:
        return 0
    channel = CHANNELS[lane]()
    failing: dict[str, DeliveryError] = {}
    try:
        for delivery in _deliveries(claimed):
            server = _server(delivery[0])
            problem = _deliver(delivery, token, channel, now, failing.get(server))
            if problem is not None and problem.everywhere:
                failing[server] = problem
    finally:
        channel.close()
    return len(claimed)


def _deliveries(claimed: Sequence[Message]) -> list[list[Message]]:
    """Return what leaves together, in the order of the first of each."""
    found: dict[str, list[Message]] = {}
    for message in claimed:
        found.setdefault(message.bundle or message.idempotency_key, []).append(message)
    return list(found.values())


def lease(messages: int = 1) -> timedelta:
    """Return how long one delivery may take before another sender may take it over."""
    return timedelta(seconds=settings.EMAIL_TIMEOUT) + LEASE_BEYOND_TIMEOUT + messages * LEASE_FOR_MANY


@transaction.atomic
def claim(lane: str, *, token: uuid.UUID, at: datetime, batch: int) -> list[Message]:
    """Take messages that are due under a lease, urgent ones first; those whose lease has run out are due again.

    Pages to one recipient are taken together, when their turn has come (`bundling`). The lease is short: it is renewed
    when a message's turn comes, and whoever waits too long behind a slow one may be taken over by another sender.
    """
    mine = Message.objects.filter(lane=lane)
    expired = Q(state=MessageState.SENDING, lease_until__lte=at)
    mine.filter(expired, stopped_at__isnull=False).update(**_settled(MessageState.CANCELLED, at))
    due = mine.filter(Q(state__in=WAITING) | expired, next_attempt_at__lte=at, stopped_at=None)
    leaving = bundling.take(due, at=at, most=batch)
    if len(leaving) < batch:
        others = due.filter(bundling.OTHERS).select_for_update(skip_locked=True).order_by("next_attempt_at", "id")
        leaving.append(("", list(others.values_list("pk", flat=True)[: batch - len(leaving)])))
    count = 0
    for name, ids in leaving:
        until = at + CLAIM_LEASE + len(ids) * LEASE_FOR_MANY
        for some in bundling.parts(ids):
            count += mine.filter(pk__in=some).update(
                state=MessageState.SENDING, lease_token=token, lease_until=until, bundle=name
            )
    if not count:
        return []
    taken = mine.filter(lease_token=token, state=MessageState.SENDING)
    return list(taken.order_by("-urgent", "is_drill", "next_attempt_at", "id"))


def _deliver(
    delivery: Delivery, token: uuid.UUID, channel: Channel, now: Now, failing: DeliveryError | None
) -> DeliveryError | None:
    """Send one delivery and settle it. When its server is failing, it fails with it, without another wait."""
    at = now()
    delivery = _begin(delivery, token, at)
    if not delivery:
        return None
    problem = failing
    if problem is None and min(message.attempts for message in delivery) > TRIES:
        problem = DeliveryError("Every sender of this message died. It is not tried again.", permanent=True)
    if problem is None:
        problem = _send(delivery, channel, at)
    settle_delivery(delivery, token, problem=problem, at=now())
    return problem


def _held(delivery: Delivery, token: uuid.UUID) -> QuerySet[Message]:
    """Return the rows of the delivery whose lease is still ours."""
    held = Message.objects.filter(lane=delivery[0].lane, lease_token=token, state=MessageState.SENDING)
    return held.filter(bundle=delivery[0].bundle) if delivery[0].bundle else held.filter(pk=delivery[0].pk)


@transaction.atomic
def _begin(delivery: Delivery, token: uuid.UUID, at: datetime) -> Delivery:
    """Count the try, renew the lease, and return what is still to be sent: not what was stopped or lost meanwhile."""
    held = _held(delivery, token)
    if len(delivery) > 1:
        list(held.select_for_update().order_by("pk").values_list("pk", flat=True))  # in one order, as `outbox` does
    alive = held.filter(stopped_at=None)
    if alive.update(attempts=F("attempts") + 1, lease_until=at + lease(len(delivery))) < len(delivery):
        held.filter(stopped_at__isnull=False).update(**_settled(MessageState.CANCELLED, at))
        left = set(alive.values_list("pk", flat=True))
        delivery = [message for message in delivery if message.pk in left]
    for message in delivery:
        message.attempts += 1
    return delivery


def _send(delivery: Delivery, channel: Channel, at: datetime) -> DeliveryError | None:
    try:
        parcel = parcel_of(delivery, at=at)
        within(settings.EMAIL_TIMEOUT, lambda: channel.send(parcel))
    except DeliveryError as problem:
        return problem
    except TimeoutError:
        channel.close()
        return DeliveryError("The server did not answer in time.", everywhere=True)
    except Exception as problem:  # noqa: BLE001 - failure is data; only its kind is kept, its text may hold an address
        return DeliveryError(f"The message could not be sent ({type(problem).__name__}).")
    return None


def _server(message: Message) -> str:
    """Return which server takes the message: the one mail server, or the host in a channel's address."""
    return "" if message.lane == MethodKind.EMAIL else urlsplit(message.address).netloc.rpartition("@")[2]


def settle(message: Message, token: uuid.UUID, *, problem: DeliveryError | None, at: datetime) -> None:
    """Settle the delivery of one message."""
    settle_delivery([message], token, problem=problem, at=at)


@transaction.atomic
def settle_delivery(delivery: Delivery, token: uuid.UUID, *, problem: DeliveryError | None, at: datetime) -> None:
    """Write down how the delivery ended, and decide what follows: a repeat, another try, another way, or nothing.

    Whoever lost the lease decides nothing. Stopping a message takes the same row lock, so that nothing is decided
    after an acknowledgement has committed.
    """
    rows = list(_held(delivery, token).select_for_update().order_by("pk"))
    if not rows:
        return
    if problem is None:
        _settle(rows, MessageState.SENT, at)
        following.repeat(rows, at=at)
        return
    bundling.give_back(rows[0], at=at)
    stopped = [row for row in rows if row.stopped_at is not None]
    dead = [row for row in rows if row.stopped_at is None and (problem.permanent or row.attempts >= TRIES)]
    failed = [row for row in rows if row not in stopped and row not in dead]
    _settle(stopped, MessageState.CANCELLED, at, error=str(problem))
    _settle(dead, MessageState.DEAD, at, error=str(problem))
    following.give_up(dead, at=at)
    for tries in {row.attempts for row in failed}:
        some = [row for row in failed if row.attempts == tries]
        next_at = at + BACKOFF[min(tries, len(BACKOFF)) - 1]
        _settle(some, MessageState.FAILED, None, error=str(problem), next_attempt_at=next_at)
    following.fall_back([row for row in failed if row.urgent and row.attempts == 1], at=at)


def _settled(state: MessageState, at: datetime | None) -> dict[str, object]:
    return {"state": state, "settled_at": at, "lease_token": None, "lease_until": None}


def _settle(
    rows: Sequence[Message], state: MessageState, at: datetime | None, *, error: str = "", **more: datetime
) -> None:
    values = _settled(state, at) | {"error": error[:2000], **more}
    for some in bundling.parts([row.pk for row in rows]):
        Message.objects.filter(pk__in=some).update(**values)
