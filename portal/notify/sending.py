"""Out of the outbox: claim under a lease, send outside any transaction, settle by the lease's token.

A sender that dies leaves its lease behind; when that has run out, another sends again with the same idempotency key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from portal.directory import services as directory
from portal.directory.enums import MethodKind
from portal.directory.models import ContactMethod
from portal.lib.doorbell import ring_on_commit
from portal.notify import verification
from portal.notify.channels import CHANNELS, Channel, DeliveryError, within
from portal.notify.models import Message, MessageState
from portal.notify.outbox import RING, WAITING
from portal.notify.parcels import parcel_of
from portal.notify.seats import seat

BACKOFF = [timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600)]
TRIES = 8
LEASE_BEYOND_TIMEOUT = timedelta(seconds=3)
CLAIM_LEASE = timedelta(seconds=3)

# What a repeat or a message over another way shares with the first one.
KEPT_IN_COPIES = (
    *("kind", "about_type_id", "about_id", "about_reference", "generation", "contact_id", "channel_id"),
    *("lane", "method_id", "address", "title", "body", "url_path", "action_path"),
    *("urgent", "repeat_seconds", "repeat_number"),
)

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
        for message in claimed:
            problem = _deliver(message, token, channel, now, failing.get(_server(message)))
            if problem is not None and problem.everywhere:
                failing[_server(message)] = problem
    finally:
        channel.close()
    return len(claimed)


def lease() -> timedelta:
    """Return how long one delivery may take before another sender may take it over."""
    return timedelta(seconds=settings.EMAIL_TIMEOUT) + LEASE_BEYOND_TIMEOUT


@transaction.atomic
def claim(lane: str, *, token: uuid.UUID, at: datetime, batch: int) -> list[Message]:
    """Take messages that are due under a lease, urgent ones first; those whose lease has run out are due again.

    The lease is short: it is renewed when a message's turn comes, and whoever waits too long behind a slow one may be
    taken over by another sender.
    """
    mine = Message.objects.filter(lane=lane)
    expired = Q(state=MessageState.SENDING, lease_until__lte=at)
    mine.filter(expired, stopped_at__isnull=False).update(**_settled(MessageState.CANCELLED, at))
    due = mine.filter(Q(state__in=WAITING) | expired, next_attempt_at__lte=at, stopped_at=None)
    ids = list(
        due.select_for_update(skip_locked=True)
        .order_by("-urgent", "next_attempt_at", "id")
        .values_list("pk", flat=True)[:batch]
    )
    if not ids:
        return []
    mine.filter(pk__in=ids).update(state=MessageState.SENDING, lease_token=token, lease_until=at + CLAIM_LEASE)
    return list(Message.objects.filter(pk__in=ids).order_by("-urgent", "next_attempt_at", "id"))


def _deliver(
    message: Message, token: uuid.UUID, channel: Channel, now: Now, failing: DeliveryError | None
) -> DeliveryError | None:
    """Send one message and settle it. When its server is failing, it fails with it, without another wait."""
    at = now()
    if not _begin(message, token, at):
        return None
    problem = failing
    if problem is None and message.attempts > TRIES:
        problem = DeliveryError("Every sender of this message died. It is not tried again.", permanent=True)
    if problem is None:
        problem = _send(message, channel, at)
    settle(message, token, problem=problem, at=now())
    return problem


def _begin(message: Message, token: uuid.UUID, at: datetime) -> bool:
    """Count the try and renew the lease, unless the lease is lost or the message was stopped meanwhile."""
    held = Message.objects.filter(pk=message.pk, lease_token=token, state=MessageState.SENDING)
    if held.filter(stopped_at=None).update(attempts=F("attempts") + 1, lease_until=at + lease()):
        message.attempts += 1
        return True
    held.filter(stopped_at__isnull=False).update(**_settled(MessageState.CANCELLED, at))
    return False


def _send(message: Message, channel: Channel, at: datetime) -> DeliveryError | None:
    try:
        parcel = parcel_of(message, at=at)
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


@transaction.atomic
def settle(message: Message, token: uuid.UUID, *, problem: DeliveryError | None, at: datetime) -> None:
    """Write down how the delivery ended, and decide what follows: a repeat, another try, another way, or nothing.

    Whoever lost the lease decides nothing. Stopping the message takes the same row lock, so that nothing is decided
    after an acknowledgement has committed.
    """
    held = Message.objects.select_for_update().filter(pk=message.pk, lease_token=token, state=MessageState.SENDING)
    row = held.first()
    if row is None:
        return
    if problem is None:
        _settle(row, MessageState.SENT, at)
        _repeat(row, at)
    elif row.stopped_at is not None:
        _settle(row, MessageState.CANCELLED, at, error=str(problem))
    elif problem.permanent or row.attempts >= TRIES:
        _settle(row, MessageState.DEAD, at, error=str(problem))
        _give_up(row, at)
    else:
        row.next_attempt_at = at + BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        _settle(row, MessageState.FAILED, None, error=str(problem))
        if row.urgent and row.attempts == 1:
            _fall_back(row, at)


def _settled(state: MessageState, at: datetime | None) -> dict[str, Any]:
    return {"state": state, "settled_at": at, "lease_token": None, "lease_until": None}


def _settle(row: Message, state: MessageState, at: datetime | None, *, error: str = "") -> None:
    for name, value in (_settled(state, at) | {"error": error[:2000]}).items():
        setattr(row, name, value)
    row.save(update_fields=["state", "settled_at", "lease_token", "lease_until", "error", "next_attempt_at"])


def _stem(row: Message) -> str:
    """Return the key that all ways and repeats of a message share."""
    return row.idempotency_key.partition("#")[0].rpartition(":")[0]


def _again(row: Message, *, key: str, due_at: datetime, at: datetime, **changes: Any) -> None:
    """Queue a further message like `row`; one that stands under this key is left alone."""
    values = {name: getattr(row, name) for name in KEPT_IN_COPIES} | changes
    again = Message(idempotency_key=key, created_at=at, due_at=due_at, next_attempt_at=due_at, **values)
    Message.objects.bulk_create([again], ignore_conflicts=True)
    ring_on_commit(RING)


def _repeat(row: Message, at: datetime) -> None:
    """Queue the next repeat of an urgent message, unless it was stopped, or another way has taken over.

    It goes where the person is reached by then: nothing more is sent to somebody who has left, or over a retired way.
    """
    if not (row.urgent and row.repeat_seconds) or row.stopped_at is not None:
        return
    if row.fallbacks.exclude(state=MessageState.DEAD).exists():
        return
    number = row.repeat_number + 1
    key, way = row.idempotency_key.partition("#")[0], {}
    if row.contact_id is not None and row.method_id is not None:
        methods = {one.pk: one for one in directory.sending_methods([row.contact_id]).get(row.contact_id, [])}
        if not methods:
            return
        if row.method_id not in methods:
            first = next(iter(methods.values()))
            key, way = f"{_stem(row)}:{first.pk}", _way(first)
    due_at = at + timedelta(seconds=row.repeat_seconds)
    _again(row, key=f"{key}#{number}", due_at=due_at, at=at, repeat_number=number, **way)


def _way(method: ContactMethod) -> dict[str, Any]:
    return {"lane": method.kind, "method_id": method.pk, "address": method.address}


def _give_up(row: Message, at: datetime) -> None:
    """Queue another way, or let a message that got through after all repeat when this was the last way."""
    if not _fall_back(row, at) and row.fallback_of is not None and row.fallback_of.state == MessageState.SENT:
        _repeat(row.fallback_of, at)


def _fall_back(row: Message, at: datetime) -> bool:
    """Queue the message over the person's next verified method that was not tried with it; tell if there was one."""
    if row.contact_id is None or row.method_id is None or row.kind == verification.KIND:
        return False
    suffix = f"#{row.repeat_number}" if row.repeat_number else ""
    methods = directory.sending_methods([row.contact_id]).get(row.contact_id, [])
    keys = {f"{_stem(row)}:{method.pk}{suffix}": method for method in methods}
    tried = set(Message.objects.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True))
    for key, method in keys.items():
        if key not in tried:
            _again(row, key=key, due_at=at, at=at, fallback_of_id=row.pk, **_way(method))
            return True
    return False
