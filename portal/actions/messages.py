"""The words of the messages about action items, rendered from templates/notify/, and who gets them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from portal.actions.models import ActionItem
from portal.actions.reminding import DUE, OVERDUE
from portal.directory import services as directory
from portal.directory.models import Contact, Team
from portal.lib.digests import digest
from portal.lib.visibility import restricted_among
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

ONE, MANY, YOURS = "action_due", "action_digest", "action_yours"
MOST_LINES = 100
GRAVEST = (OVERDUE, DUE, "before")


@dataclass(frozen=True, slots=True)
class Reminder:
    """One item of which somebody is told, and the gravest of the reminders that are due for it."""

    item: ActionItem
    key: str
    generation: int

    @property
    def kind(self) -> str:
        """What kind of reminder it is: before, due or overdue."""
        return self.key.partition(":")[0]


def recipients(item: ActionItem) -> list[Contact]:
    """Return who is reminded: its owner; of one who has left, whoever opened it, else the owner's teams."""
    if item.owner.active:
        return [item.owner]
    if item.asker is not None and item.asker.active:
        return [item.asker]
    teams = Team.objects.filter(members=item.owner_id)
    return list(Contact.objects.filter(active=True, teams__in=teams).distinct().order_by("pk"))


def about(item: ActionItem) -> About:
    """Return an item as what a message concerns."""
    is_drill = bool(getattr(item.source, "is_drill", False))
    return About(ContentType.objects.get_for_model(ActionItem).pk, item.pk, item.reference, is_drill)


def tell_owner(item: ActionItem, *, by: str, at: datetime) -> None:
    """Tell the owner that an item is theirs from now on."""
    methods = directory.sending_methods([item.owner_id])
    with timezone.override(zone_or_utc(item.owner.time_zone)):
        title, body = render(YOURS, {"contact_name": item.owner.name, "item": item, "by": by})
    key = f"act:{item.pk}:yours:{at.timestamp():.0f}:c{item.owner_id}"
    notify.queue(
        drafts_for(
            item.owner, methods.get(item.owner_id, []), key=key, kind=YOURS, title=title, body=body,
            url_path=item.get_absolute_url(), about=about(item),
        ),
        at=at,
    )  # fmt: skip


def tell(mine: Mapping[int, Collection[Reminder]], people: Mapping[int, Contact], *, at: datetime) -> int:
    """Queue one message to each person: of the one item, or a digest of all that is due to be told to them.

    What came from a restricted record is told by itself, so that its message hides with it.
    """
    methods = directory.sending_methods(people) if people else {}
    restricted = restricted_among(ActionItem, {str(one.item.pk) for many in mine.values() for one in many})
    drafts: list[Draft] = []
    for pk, reminders in mine.items():
        contact = people[pk]
        alone = [one for one in reminders if str(one.item.pk) in restricted]
        together = [one for one in reminders if one not in alone]
        with timezone.override(zone_or_utc(contact.time_zone)):
            for batch in (*([one] for one in alone), *([together] if together else [])):
                drafts += drafts_for(contact, methods.get(pk, []), **_message(contact, batch, at))
    return notify.queue(drafts, at=at)


def _message(contact: Contact, mine: list[Reminder], at: datetime) -> dict[str, object]:
    if len(mine) == 1:
        one = mine[0]
        title, body = render(ONE, {"contact_name": contact.name, "reminder": one, "item": one.item})
        return {
            "key": f"act:{one.item.pk}:{one.key}:{one.generation}:c{contact.pk}", "kind": ONE, "title": title,
            "body": body, "url_path": one.item.get_absolute_url(), "about": about(one.item),
        }  # fmt: skip
    mine.sort(key=lambda one: (GRAVEST.index(one.kind), one.item.due_at, one.item.pk))
    late = sum(one.item.is_overdue(at) for one in mine)
    words = {
        "contact_name": contact.name, "reminders": mine[:MOST_LINES], "count": len(mine), "late": late,
        "more": max(len(mine) - MOST_LINES, 0),
    }  # fmt: skip
    title, body = render(MANY, words)
    told = digest(" ".join(f"{one.item.pk}:{one.key}:{one.generation}" for one in mine))
    return {
        "key": f"act:digest:{told[:40]}:c{contact.pk}", "kind": MANY, "title": title, "body": body,
        "url_path": "/actions/?whose=mine",
    }  # fmt: skip
