"""Into the outbox, and out of it again before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import QuerySet

from portal.lib.doorbell import ring_on_commit
from portal.lib.inserting import insert_values
from portal.notify.compose import INBOX, Draft
from portal.notify.models import Message, MessageState

RING = "portal.dashboard.tasks.ring_lanes"
WAITING = [MessageState.PENDING.value, MessageState.FAILED.value]
DRILL = "DRILL: "
UNSENT = [*WAITING, MessageState.SENDING.value]
OF_REPEATS = (
    *("idempotency_key", "about_type", "about_id", "contact", "channel", "method"),
    *("state", "due_at"),
)

# What a message is about, and the contact method that it goes to.
Place = tuple[tuple[int | None, int | None], int]


@transaction.atomic
def queue(drafts: Iterable[Draft], *, at: datetime, instead: bool = False) -> int:
    """Write the drafts into the outbox, in the transaction that decided them, and return how many were given.

    A key that stands already is left alone. What goes to the inbox has arrived by being written. With `instead`, what
    already repeats to the same people about the same record stops: the new messages take over, each way no later than
    the message would have gone out that it replaces.
    """
    given = list(drafts)
    sooner = _stop_repeats(given, at=at) if instead else {}
    rows = [_row(draft, at, sooner) for draft in given]
    if rows:
        insert_values(Message, rows, ignore_conflicts=True)
        ring_on_commit(RING)
    return len(rows)


def _stop_repeats(drafts: list[Draft], *, at: datetime) -> dict[Place, datetime]:
    """Stop what repeats to the recipients of these drafts, each about its own record; look again as below.

    Return when what was not tried yet would have gone out, by record and method.
    """
    new = {draft.key for draft in drafts}
    wanted = {(draft.about[:2], draft.contact_id, draft.channel_id) for draft in drafts if draft.about}
    records = {about for about, _, _ in wanted}
    sooner: dict[Place, datetime] = {}
    if not records:
        return sooner
    repeating = Message.objects.filter(
        about_type__in={about[0] for about in records}, about_id__in={about[1] for about in records},
        stopped_at=None, repeat_seconds__isnull=False,
    ).exclude(state__in=[MessageState.DEAD, MessageState.CANCELLED])  # fmt: skip
    while older := [
        row
        for row in repeating.only(*OF_REPEATS)
        if (_about(row), row.contact_id, row.channel_id) in wanted and row.idempotency_key not in new
    ]:
        for row in older:
            if row.method_id is not None and row.state == MessageState.PENDING:
                place = (_about(row), row.method_id)
                sooner[place] = min(row.due_at, sooner.get(place, row.due_at))
        stop(repeating.filter(pk__in=[row.pk for row in older]), at=at)
    return sooner


def _about(message: Message) -> tuple[int | None, int | None]:
    return message.about_type_id, message.about_id


def stop(messages: QuerySet[Message], *, at: datetime) -> int:
    """Cancel those of the messages that wait, stop the others, and return how many were cancelled.

    A sender settles many at once: whoever takes several rows takes them in the order of their ids.
    """
    list(messages.select_for_update().order_by("pk").values_list("pk", flat=True))
    cancelled = messages.filter(state__in=WAITING).update(state=MessageState.CANCELLED, stopped_at=at, settled_at=at)
    messages.exclude(state__in=WAITING).update(stopped_at=at)
    return cancelled


def _row(draft: Draft, at: datetime, sooner: Mapping[Place, datetime]) -> dict[str, Any]:
    about_type, about_id, reference, is_drill = draft.about or (None, None, "", False)
    inside = draft.lane == INBOX
    due_at = at
    if draft.delay and not inside:
        due_at += timedelta(seconds=draft.delay)
        due_at = max(at, min(due_at, sooner.get(((about_type, about_id), draft.method_id or 0), due_at)))
    return {
        "idempotency_key": draft.key,
        "kind": draft.kind,
        "about_type_id": about_type,
        "about_id": about_id,
        "about_reference": reference,
        "generation": draft.generation,
        "lane": draft.lane,
        "contact_id": draft.contact_id,
        "method_id": draft.method_id,
        "channel_id": draft.channel_id,
        "address": draft.address,
        "is_drill": is_drill,
        "title": f"{DRILL}{draft.title}"[:300] if is_drill else draft.title,
        "body": draft.body,
        "url_path": draft.url_path,
        "action_path": draft.action_path,
        "urgent": draft.urgent,
        "gathers": draft.gathers and not draft.urgent,
        "waits_while_quiet": draft.waits_while_quiet,
        # What concerns no record could never be stopped.
        "repeat_seconds": draft.repeat_seconds if draft.about and not inside else None,
        "state": MessageState.SENT.value if inside else MessageState.PENDING.value,
        "settled_at": at if inside else None,
        "created_at": at,
        "due_at": due_at,
        "next_attempt_at": due_at,
    }


@transaction.atomic
def cancel_unsent(
    *, about: models.Model, at: datetime, kinds: Collection[str] | None = None, but: Collection[str] = ()
) -> int:
    """Cancel what waits to be sent about a record and return how many that were; stop what is being sent or repeats.

    With `kinds`, messages of other kinds are not taken back: they are still delivered, and do not repeat. So are those
    of the kinds in `but`.

    After this commits, no try, repeat or fallback is decided. A sender that settles at the same moment holds the row's
    lock; when it has just added a repeat, or made the row wait again, that is newer than a statement's snapshot. So it
    looks again until it finds nothing more.
    """
    subject_type = ContentType.objects.get_for_model(about)
    going_on = (
        Message.objects.filter(about_type=subject_type, about_id=about.pk, stopped_at=None)
        .exclude(lane=INBOX)
        .exclude(state__in=[MessageState.DEAD, MessageState.CANCELLED])
    )
    named = (going_on if kinds is None else going_on.filter(kind__in=kinds)).exclude(kind__in=but)
    others = going_on.filter(repeat_seconds__isnull=False)
    cancelled = 0
    while named.exists():
        cancelled += stop(named, at=at)
    while others.exists():
        # A repeat says nothing new: what was said once is enough.
        others.filter(state__in=WAITING, repeat_number__gt=0).update(
            state=MessageState.CANCELLED, stopped_at=at, settled_at=at
        )
        others.update(repeat_seconds=None)
    return cancelled
