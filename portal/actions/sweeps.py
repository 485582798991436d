"""What the engine does for action items: reminds each owner of what is due, once, and catches up in one message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from portal.actions import messages
from portal.actions.messages import Reminder
from portal.actions.models import ActionItem
from portal.actions.reminding import steps_between
from portal.actions.services import NOTICE, SYSTEM
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.records import services as records
from portal.records.models import Note

TURN = "action reminders"  # whoever holds this row's lock reminds; others leave it to them
AT_ONCE = 5000
Batch = list[tuple[Deadline, ActionItem]]


def sweep_actions(*, at: datetime) -> int:
    """Send the reminders that are due at `at`, all of a person's in one message; return how many there were."""
    return _remind(at=at) if deadlines.kinds_due([NOTICE], at=at) else 0


@transaction.atomic
def _remind(*, at: datetime) -> int:
    # Of several sweeps at once one does it: else a person could be told in as many digests as there are sweeps.
    if not deadlines.takes_turn(TURN, at=at):
        return 0
    with acting(by=SYSTEM, origin="task", at=at, reason="A reminder was due."):
        return deadlines.fire_due(kinds=[NOTICE], at=at, lock=lock, handle=handle, limit=AT_ONCE).count


def lock(ids: list[int], _at: datetime) -> Mapping[int, ActionItem]:
    """Lock the items in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = ActionItem.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    held = list(rows.values_list("pk", flat=True))
    return ActionItem.objects.select_related("owner", "asker").in_bulk(held)


def handle(batch: Batch, at: datetime) -> None:
    """Tell who must be told, write it into the timelines, and write down when each is reminded next."""
    mine: dict[int, list[Reminder]] = defaultdict(list)
    people: dict[int, Contact] = {}
    notes: list[Note] = []
    coming: list[Deadline] = []
    kind = ContentType.objects.get_for_model(ActionItem).pk
    for deadline, item in batch:
        if not item.is_standing:
            continue
        zone = zone_or_utc(item.owner.time_zone)
        passed, following = steps_between(item.due_at, zone, after=deadline.key, until=at)
        coming += deadlines.following(deadline, passed=passed, waits=following, at=at)
        key = passed[-1].key if passed else deadline.key  # the later, the graver
        told = messages.recipients(item)
        for contact in told:
            people[contact.pk] = contact
            mine[contact.pk].append(Reminder(item, key, deadline.generation))
        notes.append(_note(kind, item, told, at))
    deadlines.start_many(coming)
    records.write_notes(notes)
    messages.tell(mine, people, at=at)


def _note(kind: int, item: ActionItem, told: list[Contact], at: datetime) -> Note:
    names = ", ".join(contact.name for contact in told)
    text = f"reminded {names}" if names else "found nobody to remind: everybody named has left"
    if names and not item.owner.active:
        text += f", since {item.owner} has left"
    return records.make_note(subject_type_id=kind, subject_id=item.pk, kind="reminded", text=text, by=SYSTEM, at=at)
