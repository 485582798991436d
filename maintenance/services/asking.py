"""What a change can do: asked of the part that knows changes, and answered once such a change is closed (a demand)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from maintenance.models import Occurrence
from maintenance.services.common import SYSTEM
from portal.records import services as records
from portal.records.models import Demand

KEY = "maintenance"


def ask_for_change(occurrence: Occurrence, *, at: datetime) -> None:
    """Ask for a change on each system of a plan that changes do; closing the change answers it."""
    plan = occurrence.plan
    if not plan.topic:
        return
    for system in plan.systems.all():
        records.ask(
            topic=plan.topic, key=f"{KEY}:{occurrence.reference}:{system.slug}", system=system, by=SYSTEM, at=at,
            answer_by=max(occurrence.due_at, at + timedelta(hours=1)),
            payload={"plan": plan.reference, "occurrence": occurrence.reference, "task": plan.task},
        )  # fmt: skip


def demands_of(occurrence: Occurrence) -> list[Demand]:
    """Return what was asked of changes for it, one for each system."""
    return list(Demand.objects.filter(key__startswith=f"{KEY}:{occurrence.reference}:").order_by("pk"))


def with_answers(occurrences: QuerySet[Occurrence]) -> QuerySet[Occurrence]:
    """Return those of which something that was asked of changes is answered."""
    key = Concat(Value(f"{KEY}:"), OuterRef("reference"), Value(":"))
    return occurrences.filter(Exists(Demand.objects.filter(key__startswith=key, answered_at__isnull=False)))


def settle_demands(occurrence: Occurrence, *, at: datetime) -> None:
    """Answer what is still asked of changes: it was done, or left out, another way."""
    waiting = Demand.objects.filter(key__startswith=f"{KEY}:{occurrence.reference}:", answered_at=None)
    for demand in waiting.select_for_update(of=("self",)).order_by("pk"):
        demand.answer = {"occurrence": occurrence.reference, "state": occurrence.state}
        demand.answered_at, demand.answered_by = at, occurrence.done_by or occurrence.skipped_by or SYSTEM
        demand.retry_at, demand.given_up_at, demand.error = None, None, ""
        demand.save()


def answered(occurrence: Occurrence) -> tuple[str, datetime, str] | None:
    """Return the change that did it, when, and who closed it, once what was asked is answered on every system."""
    demands = demands_of(occurrence)
    if not demands or any(demand.answered_at is None for demand in demands):
        return None
    last = max(demands, key=lambda demand: demand.answered_at or occurrence.opened_at)
    if last.answered_at is None or "change" not in last.answer:
        return None
    return str(last.answer["change"]), last.answered_at, last.answered_by
