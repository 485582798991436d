"""The verbs of an action item. Each locks it, checks the rule, writes, and returns what stands then.

`by` is whoever acts; `at` is the moment of the act as the edge read it. A verb that does not fit raises
`portal.actions.policy.Refused` with the sentence for the user.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Max

from portal.actions import messages, policy
from portal.actions.enums import Kind
from portal.actions.models import ActionItem
from portal.actions.policy import PREFIX, Refused
from portal.actions.reminding import first_step
from portal.audit.actor import By, acting, actor_of
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.directory.models import Contact
from portal.lib import times
from portal.lib.blank import is_blank
from portal.lib.visibility import restricted_among
from portal.lib.zones import zone_or_utc
from portal.records import services as records

NOTICE = "action_notice"
"""The kind of the deadlines of action items: the reminder that comes next."""
SYSTEM = "system: action items"


@contextmanager
def _locked(item: ActionItem, *, by: By, at: datetime, reason: str = "") -> Iterator[ActionItem]:
    """Open one atomic gesture on the locked, freshly read item."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield ActionItem.objects.select_for_update(of=("self",)).get(pk=item.pk)


def open_item(
    *,
    title: str,
    kind: str,
    owner: Contact,
    due_at: datetime,
    by: By,
    at: datetime,
    description: str = "",
    source: models.Model | None = None,
    reason: str = "",
) -> ActionItem:
    """Open an action item, linked to the record that it came from, and remind its owner until it is done.

    Refused is raised without a title, for a day that has passed, and for an owner who has left.
    """
    if is_blank(title):
        raise Refused("Say what is to be done, in a few words.")
    policy.check_due(due_at, at=at)
    policy.check_owner(owner.name, active=owner.active)
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        item = ActionItem(
            reference=records.next_reference(PREFIX), title=title.strip(), description=description.strip(),
            kind=Kind(kind), owner=owner, due_at=due_at, asker=_asker(by),
        )  # fmt: skip
        if source is not None:
            item.source_type, item.source_id = ContentType.objects.get_for_model(source), source.pk
        stamp(item, "opened", by=by, at=at)
        item.save()
        records.write_note(item, kind="opened", text=f"opened it for {owner}", by=by, at=at, reason=reason)
        if source is not None:
            records.link(item, source, kind=records.ACTION, by=by, at=at)
            words = f"opened the action item {item.reference} for {owner}"
            records.write_note(source, kind="action", text=words, by=by, at=at, detail=item.title)
        _remind(item, at=at)
        if owner.user_id is None or owner.user_id != actor_of(by).user_id:
            messages.tell_owner(item, by=actor_of(by).name, at=at)
    return item


def _asker(by: By) -> Contact | None:
    """Return the entry in the directory of whoever acts; nothing for a part of the system."""
    actor = actor_of(by)
    if actor.contact_id is not None:
        return Contact.objects.filter(pk=actor.contact_id).first()
    return Contact.objects.filter(user_id=actor.user_id).first() if actor.user_id is not None else None


def _remind(item: ActionItem, *, at: datetime) -> None:
    """Write down when its owner is reminded next, anew where its day has moved."""
    deadlines.cancel(subject=item, kind=NOTICE, at=at)
    last = deadlines.of(item, [NOTICE]).aggregate(last=Max("generation"))["last"] or 0
    step = first_step(item.due_at, zone_or_utc(item.owner.time_zone), at=at)
    deadlines.start(
        kind=NOTICE, subject=item, key=step.key, generation=last + 1, started_at=at, due_at=step.at
    )  # fmt: skip


def complete(
    item: ActionItem, *, note: str, by: By, at: datetime, done_at: datetime | None = None, reason: str = ""
) -> ActionItem:
    """Record that it is done, and what was done. Refused is raised for a moment in the future or before it was opened.

    The record that it came from is told in its timeline.
    """
    with _locked(item, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("complete", row.state)
        moment = done_at or at
        policy.check_done(moment, note, opened_at=row.opened_at, at=at)
        row.done_note = note.strip()
        stamp(row, "done", by=by, at=moment)
        row.save()
        records.write_note(row, kind="done", text="did it", by=by, at=at, event_at=moment, detail=row.done_note)
        _tell_source(row, f"did the action item {row.reference}", by=by, at=at)
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
    return row


def cancel(item: ActionItem, *, by: By, at: datetime, reason: str) -> ActionItem:
    """End an item that is not needed any more."""
    with _locked(item, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("cancel", row.state)
        policy.check_reason("cancel", reason)
        row.cancelled_because = reason.strip()
        stamp(row, "cancelled", by=by, at=at)
        row.save()
        records.write_note(row, kind="cancelled", text="cancelled it", by=by, at=at, reason=reason)
        _tell_source(row, f"cancelled the action item {row.reference}", by=by, at=at)
        deadlines.cancel(subject=row, kind=NOTICE, at=at)
    return row


def hand_over(item: ActionItem, *, owner: Contact, by: By, at: datetime, reason: str) -> ActionItem:
    """Give an item to another owner, who is told. Its day stays."""
    with _locked(item, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("hand over", row.state)
        policy.check_reason("hand over", reason)
        policy.check_owner(owner.name, active=owner.active)
        before = row.owner
        if before == owner:
            raise Refused(f"It is {owner}'s already. Choose somebody else.")
        row.owner = owner
        row.save()
        words = f"handed it over from {before} to {owner}"
        records.write_note(row, kind="handed_over", text=words, by=by, at=at, reason=reason)
        messages.tell_owner(row, by=actor_of(by).name, at=at)
    return row


def move_due(item: ActionItem, *, due_at: datetime, by: By, at: datetime, reason: str) -> ActionItem:
    """Let an item be due on another day. The day before stays in its history and its timeline."""
    with _locked(item, by=by, at=at, reason=reason) as row:
        row.state = policy.next_state("move", row.state)
        policy.check_reason("move", reason)
        policy.check_due(due_at, at=at)
        before = row.due_at
        if before == due_at:
            raise Refused("It is due then already. Choose another day.")
        row.due_at = due_at
        row.save()
        zone = zone_or_utc(row.owner.time_zone)
        was, becomes = (f"{times.day(moment.astimezone(zone), at)}" for moment in (before, due_at))
        records.write_note(row, kind="moved", text=f"moved it from {was} to {becomes}", by=by, at=at, reason=reason)
        _remind(row, at=at)
    return row


def _tell_source(item: ActionItem, words: str, *, by: By, at: datetime) -> None:
    if item.source is not None:
        records.write_note(item.source, kind="action", text=words, by=by, at=at, detail=item.title)


def due_for(people: Collection[Contact], *, until: datetime) -> dict[int, list[ActionItem]]:
    """Return what is overdue or due until a moment, by the key of its owner, in its order. One query and a few.

    What came from a restricted record is left out: it is told by itself alone.
    """
    found: dict[int, list[ActionItem]] = {person.pk: [] for person in people}
    rows = list(ActionItem.objects.standing().filter(owner__in=found, due_at__lt=until).order_by("due_at", "pk"))
    restricted = restricted_among(ActionItem, {str(item.pk) for item in rows})
    for item in rows:
        if str(item.pk) not in restricted:
            found[item.owner_id].append(item)
    return found
