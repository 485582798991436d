"""What follows a delivery: the next repeat of what got through, another way for what did not.

Many messages settle at once when they were delivered as one, so that everything here is written for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.directory import services as directory
from portal.directory.models import ContactMethod
from portal.lib.doorbell import ring_on_commit
from portal.lib.inserting import insert_values
from portal.notify import verification
from portal.notify.bundling import AT_ONCE
from portal.notify.models import Message, MessageState
from portal.notify.outbox import RING

# What a repeat or a message over another way shares with the first one.
KEPT_IN_COPIES = (
    *("kind", "about_type_id", "about_id", "about_reference", "generation", "contact_id", "channel_id"),
    *("lane", "method_id", "address", "title", "body", "url_path", "action_path"),
    *("urgent", "gathers", "is_drill", "waits_while_quiet", "repeat_seconds", "repeat_number"),
)

Methods = dict[int, list[ContactMethod]]


def _stem(row: Message) -> str:
    """Return the key that all ways and repeats of a message share."""
    return row.idempotency_key.partition("#")[0].rpartition(":")[0]


def _copy(row: Message, *, key: str, due_at: datetime, at: datetime, **changes: Any) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in KEPT_IN_COPIES} | {"fallback_of_id": None} | changes
    return {
        **values, "idempotency_key": key, "state": MessageState.PENDING.value,
        "created_at": at, "due_at": due_at, "next_attempt_at": due_at,
    }  # fmt: skip


def _queue(rows: Sequence[dict[str, Any]]) -> None:
    """Queue these further messages; one that stands under its key is left alone."""
    if rows:
        insert_values(Message, rows, ignore_conflicts=True)
        ring_on_commit(RING)


def _methods(rows: Sequence[Message]) -> Methods:
    people = {row.contact_id for row in rows if row.contact_id is not None and row.method_id is not None}
    return directory.sending_methods(people) if people else {}


def _way(method: ContactMethod) -> dict[str, Any]:
    return {"lane": method.kind, "method_id": method.pk, "address": method.address}


def repeat(rows: Sequence[Message], *, at: datetime) -> None:
    """Queue the next repeat of the urgent ones, unless they were stopped, or another way has taken over.

    It goes where the person is reached by then: nothing more is sent to somebody who has left, or over a retired way.
    """
    going_on = [row for row in rows if row.urgent and row.repeat_seconds and row.stopped_at is None]
    if not going_on:
        return
    taken_over = _taken_over([row.pk for row in going_on])
    methods = _methods(going_on)
    copies = (_repeat(row, methods, at) for row in going_on if row.pk not in taken_over)
    _queue([copy for copy in copies if copy is not None])


def _taken_over(ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), AT_ONCE):
        others = Message.objects.filter(fallback_of__in=ids[start : start + AT_ONCE]).exclude(state=MessageState.DEAD)
        found.update(pk for pk in others.values_list("fallback_of_id", flat=True) if pk is not None)
    return found


def _repeat(row: Message, methods: Methods, at: datetime) -> dict[str, Any] | None:
    key, way = row.idempotency_key.partition("#")[0], {}
    if row.contact_id is not None and row.method_id is not None:
        usable = {one.pk: one for one in methods.get(row.contact_id, [])}
        if not usable:
            return None
        if row.method_id not in usable:
            first = next(iter(usable.values()))
            key, way = f"{_stem(row)}:{first.pk}", _way(first)
    number = row.repeat_number + 1
    due_at = at + timedelta(seconds=row.repeat_seconds or 0)
    return _copy(row, key=f"{key}#{number}", due_at=due_at, at=at, repeat_number=number, **way)


def give_up(rows: Sequence[Message], *, at: datetime) -> None:
    """Queue another way, or let a message that got through after all repeat when this was the last way."""
    helped = fall_back(rows, at=at)
    parents = {row.fallback_of_id for row in rows if row.pk not in helped and row.fallback_of_id is not None}
    if parents:
        repeat(list(Message.objects.filter(pk__in=parents, state=MessageState.SENT)), at=at)


def fall_back(rows: Sequence[Message], *, at: datetime) -> set[int]:
    """Queue each over the person's next verified method that was not tried with it; return for which there was one.

    A later step of the person's own rules that still waits for its time goes at once instead.
    """
    moving = [row for row in rows if row.contact_id and row.method_id and row.kind != verification.KIND]
    methods = _methods(moving)
    keys = {row.pk: _keys(row, methods) for row in moving}
    standing = _standing([key for found in keys.values() for key in found])
    helped, copies = set(), []
    for row in moving:
        for key, method in keys[row.pk].items():
            other = standing.get(key)
            if other is None:
                copies.append(_copy(row, key=key, due_at=at, at=at, fallback_of_id=row.pk, **_way(method)))
            elif not _bring_forward(other, row, at):
                continue
            helped.add(row.pk)
            break
    _queue(copies)
    return helped


def _keys(row: Message, methods: Methods) -> dict[str, ContactMethod]:
    suffix = f"#{row.repeat_number}" if row.repeat_number else ""
    return {f"{_stem(row)}:{method.pk}{suffix}": method for method in methods.get(row.contact_id or 0, [])}


def _standing(keys: Sequence[str]) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = Message.objects.filter(idempotency_key__in=keys[start : start + AT_ONCE])
        found |= {row.idempotency_key: row for row in rows.only("idempotency_key", "due_at", "repeat_number")}
    return found


def _bring_forward(other: Message, row: Message, at: datetime) -> bool:
    """Let a step that waits for its time take over at once, and tell whether it did."""
    if other.due_at <= at or other.pk == row.pk:
        return False
    waiting = Message.objects.filter(pk=other.pk, state=MessageState.PENDING, attempts=0, stopped_at=None)
    ring_on_commit(RING)
    return bool(waiting.update(due_at=at, next_attempt_at=at, fallback_of=row.pk))
