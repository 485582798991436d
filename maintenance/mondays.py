"""The digest that managers get every Monday: what is overdue, due soon, not signed off, and promised but unproven."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from maintenance.enums import PlanState, State
from maintenance.messages import MOST_LINES
from maintenance.models import Occurrence, Plan
from maintenance.selectors.recovery import unproven
from portal.actions import services as actions
from portal.actions.models import ActionItem
from portal.directory import services as directory
from portal.directory.models import Contact, System
from portal.directory.recovery import reading
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.models import Message
from portal.notify.wording import render

KIND = "maintenance_monday"
HOUR = time(8)
AHEAD = timedelta(days=7)
MOST_PROMISES = 20


def write(*, at: datetime) -> int:
    """Queue the digest of this week for every manager who has not got it yet; return how many that were.

    It is due on Monday at eight by the manager's clock. What an outage held back comes later in the week, once.
    """
    in_force = Plan.objects.filter(state=PlanState.IN_FORCE)
    managers = Contact.objects.filter(active=True, pk__in=in_force.order_by().values("manager"))
    managers = managers.select_related("user").order_by("pk")
    due = {contact: week for contact in managers if (week := _week(contact, at)) is not None}
    keys = {f"mt:monday:{week:%G-%V}:c{contact.pk}": contact for contact, week in due.items()}
    stands = Message.objects.filter(idempotency_key__in=[f"{key}:inbox" for key in keys])
    known = set(stands.values_list("idempotency_key", flat=True))
    fresh = {key: contact for key, contact in keys.items() if f"{key}:inbox" not in known and _owes(contact, due)}
    return _queue(fresh, at) if fresh else 0


def _week(contact: Contact, at: datetime) -> datetime | None:
    """Return the Monday hour that has come for somebody this week; nothing while it has not."""
    local = at.astimezone(zone_or_utc(contact.time_zone))
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), HOUR, local.tzinfo)
    return monday if monday <= local else None


def _owes(contact: Contact, due: dict[Contact, datetime]) -> bool:
    """Tell whether somebody managed a plan when the Monday hour came, and can get the digest in the portal."""
    managed = contact.managed_plans.filter(state=PlanState.IN_FORCE, activated_at__lte=due[contact])
    return contact.user_id is not None and managed.exists()


def _queue(fresh: dict[str, Contact], at: datetime) -> int:
    people = {contact.pk: contact for contact in fresh.values()}
    rows = (
        Occurrence.objects.standing().filter(plan__manager__in=people, due_at__lt=at + AHEAD)
        .select_related("plan").prefetch_related("plan__owner").order_by("due_at", "pk")
    )  # fmt: skip
    of_manager: dict[int, list[Occurrence]] = defaultdict(list)
    for row in rows:
        of_manager[row.plan.manager_id].append(row)
    owed = actions.due_for(people.values(), until=at + AHEAD)
    promised = reading.promises()
    methods = directory.sending_methods(people)
    drafts: list[Draft] = []
    for key, contact in fresh.items():
        with timezone.override(zone_or_utc(contact.time_zone)):
            words = {
                **_words(contact, of_manager.get(contact.pk, []), owed[contact.pk], at),
                **_promises(unproven(contact.user, promised, at=at)),
            }
            title, body = render(KIND, words)
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=key, kind=KIND, title=title, body=body,
            url_path="/maintenance/?whose=managed",
        )  # fmt: skip
    notify.queue(drafts, at=at)
    return len(fresh)


def _words(contact: Contact, mine: list[Occurrence], owed: list[ActionItem], at: datetime) -> dict[str, object]:
    to_sign = [row for row in mine if row.state == State.TO_SIGN]
    overdue = [row for row in mine if row.is_overdue(at)]
    soon = [row for row in mine if row.state == State.OPEN and not row.is_overdue(at)]
    gone = sorted({row.plan.reference for row in mine if row.plan.owner is not None and not row.plan.owner.active})
    parts = [("Overdue", overdue), ("Due in the next 7 days", soon), ("Done, and not signed off", to_sign)]
    return {
        "contact_name": contact.name, "overdue": len(overdue), "soon": len(soon), "to_sign": len(to_sign),
        "parts": [(name, rows[:MOST_LINES], max(len(rows) - MOST_LINES, 0)) for name, rows in parts if rows],
        "owed": owed[:MOST_LINES], "owed_more": max(len(owed) - MOST_LINES, 0),
        "gone": ", ".join(gone), "portal_url": settings.PORTAL_URL,
    }  # fmt: skip


def _promises(found: list[tuple[System, str]]) -> dict[str, object]:
    """Return the words about what is promised and unproven, for one reader."""
    return {
        "promises": found[:MOST_PROMISES],
        "unproven": len(found),
        "promises_more": max(len(found) - MOST_PROMISES, 0),
    }
