"""The words of the messages that maintenance sends, rendered from templates/notify/, and who gets them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from maintenance.models import Occurrence, Plan
from maintenance.reminding import DUE, MANAGER, OVERDUE, TEAM, kind_of
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.digests import digest
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

ONE, MANY = "maintenance_due", "maintenance_digest"
MOST_LINES = 100
GRAVEST = (TEAM, MANAGER, OVERDUE, "sign", DUE, "before")
SIGN = "sign"
UP = frozenset({MANAGER, TEAM, SIGN})
"""What is told to whoever answers for a plan, not to whoever does it."""
WHY_YOU = "nobody who answers for the plan is left, so the administrators are told"


@dataclass(frozen=True, slots=True)
class Item:
    """One occurrence of which somebody is told, and the gravest of the reminders that are due for it."""

    occurrence: Occurrence
    key: str
    generation: int
    is_last_resort: bool = False

    @property
    def kind(self) -> str:
        """What kind of reminder it is."""
        return kind_of(self.key)


def active(people: Iterable[Contact | None]) -> list[Contact]:
    """Return those who are still there."""
    return [person for person in people if person is not None and person.active]


def leads_nowhere(plan: Plan) -> bool:
    """Tell whether nobody is left who could be told of what is overdue past its grace."""
    return not (active([plan.manager]) or _team(plan))


def recipients(occurrence: Occurrence, key: str, *, last_resort: Sequence[Contact] = ()) -> list[Contact]:
    """Return who is told of a reminder. What an owner who left would be told goes to the backup, then up the line.

    What goes up a line that leads nowhere goes to the last resort; an ordinary reminder does not.
    """
    plan, kind = occurrence.plan, kind_of(key)
    if kind in UP and leads_nowhere(plan):
        return list(last_resort)
    if kind == TEAM:
        return _team(plan) or active([plan.manager])
    if kind in UP:
        return active([plan.manager]) or _team(plan)
    first = active([plan.owner, plan.backup]) if kind == OVERDUE else active([plan.owner])
    return first or active([plan.backup]) or active([plan.manager]) or _team(plan)


def _team(plan: Plan) -> list[Contact]:
    return active(plan.team.members.all()) if plan.team is not None else []


def tell(items: Mapping[int, Collection[Item]], people: Mapping[int, Contact], *, at: datetime) -> int:
    """Queue one message to each person: of the one occurrence, or a digest of all that is due to be told to them."""
    methods = directory.sending_methods(people) if people else {}
    about = ContentType.objects.get_for_model(Occurrence).pk
    drafts: list[Draft] = []
    for pk, mine in items.items():
        contact = people[pk]
        with timezone.override(zone_or_utc(contact.time_zone)):
            drafts += drafts_for(contact, methods.get(pk, []), **_message(contact, list(mine), about, at))
    return notify.queue(drafts, at=at)


def _message(contact: Contact, mine: list[Item], about: int, at: datetime) -> dict[str, object]:
    if len(mine) == 1:
        item = mine[0]
        occurrence = item.occurrence
        title, body = render(
            ONE, {"contact_name": contact.name, "item": item, "occurrence": occurrence, "plan": occurrence.plan}
        )
        return {
            "key": f"mt:{occurrence.pk}:{item.key}:{item.generation}:c{contact.pk}", "kind": ONE, "title": title,
            "body": body, "url_path": occurrence.get_absolute_url(),
            "about": About(about, occurrence.pk, occurrence.reference),
        }  # fmt: skip
    mine.sort(key=lambda item: (GRAVEST.index(item.kind), item.occurrence.due_at, item.occurrence.pk))
    late = sum(item.occurrence.is_overdue(at) for item in mine)
    title, body = render(
        MANY,
        {
            "contact_name": contact.name, "items": mine[:MOST_LINES], "count": len(mine), "late": late,
            "more": max(len(mine) - MOST_LINES, 0),
        },
    )  # fmt: skip
    told = digest(" ".join(f"{item.occurrence.pk}:{item.key}:{item.generation}" for item in mine))
    return {
        "key": f"mt:digest:{told[:40]}:c{contact.pk}", "kind": MANY, "title": title, "body": body,
        "url_path": "/maintenance/",
    }  # fmt: skip
