"""What stands in the way of a change at its planned time, read anew whenever it is asked.

A freeze and an open SEV-1 or SEV-2 stop it; another change of the same system, its parent or its parts, the same
implementer elsewhere, and a missing maintenance window warn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from changes.enums import PLANNED, Status, Weight
from changes.models import Change, Freeze, FreezeOverride
from changes.policy import LONGEST_SLOT
from changes.recurrence import LONGEST_FREEZE, times
from portal.directory.models import System
from portal.lib.visibility import is_restricted
from portal.records.models import Period

INCIDENT, MAINTENANCE = "incident", "maintenance"
GRAVE = 2
"""Incidents of this level and graver ones stop a change of their systems."""
MOST, MOST_WORKED = 50, 500


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing in the way: how much it weighs, what it is, which record it is about, and what to do."""

    weight: Weight
    kind: str
    title: str
    detail: str
    reference: str = ""
    url: str = ""
    freeze_id: int | None = None


def of_change(change: Change) -> list[Conflict]:
    """Return what stands in the way of a change at its planned time; nothing while it has none. Stops come first."""
    start, end = change.planned_start, change.planned_end
    if start is None or end is None:
        return []
    systems = list(change.systems.all())
    near = _near(systems)
    found = [
        *_freezes(change, near, start, end),
        *_incidents(near, end),
        *_changes(change, near, start, end),
        *_window(systems, start, end),
    ]
    order = {weight: place for place, weight in enumerate(Weight)}
    return sorted(found, key=lambda one: order[one.weight])


def freezes_of(change: Change, *, since: datetime | None = None) -> list[Conflict]:
    """Return the freezes that a change is planned in and nobody let it through; from `since` if that is earlier."""
    start, end = change.planned_start, change.planned_end
    if start is None or end is None:
        return []
    begins = min(start, since) if since is not None else start
    found = _freezes(change, _near(list(change.systems.all())), begins, end)
    return [one for one in found if one.weight == Weight.STOPS]


def _near(systems: Iterable[System]) -> dict[int, str]:
    """Return these systems, all above and all below them, by id, each with how it is near."""
    parents = dict(System.objects.values_list("pk", "parent_id"))
    children: dict[int, list[int]] = {}
    for pk, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(pk)
    found = {system.pk: "the same system" for system in systems}
    for system in systems:
        above = parents.get(system.pk)
        while above is not None and above not in found:
            found[above] = "a system that it is part of"
            above = parents.get(above)
        below = list(children.get(system.pk, ()))
        while below:
            one = below.pop()
            if one not in found:
                found[one] = "a part of it"
                below += children.get(one, ())
    return found


def _freezes(change: Change, near: dict[int, str], start: datetime, end: datetime) -> Iterator[Conflict]:
    overridden = set(
        FreezeOverride.objects.filter(change=change, version=change.version).values_list("freeze_id", flat=True)
    )
    candidates = Freeze.objects.filter(Q(starts__gt=start - LONGEST_FREEZE) | ~Q(rule=""), active=True, starts__lt=end)
    elsewhere = _elsewhere(near)
    for freeze in candidates:
        if freeze.pk in elsewhere:
            continue
        for begins, ends in times(freeze.starts, freeze.ends, freeze.rule, freeze.time_zone, since=start, until=end):
            passed = freeze.pk in overridden
            yield Conflict(
                Weight.WARNS if passed else Weight.STOPS,
                "freeze",
                f"{freeze.name}, {freeze.get_domain_display().lower()}",
                "The change authority let it through."
                if passed
                else "Move the change out of the freeze, or ask the change authority to let it through.",
                reference=f"{begins.isoformat()}/{ends.isoformat()}",
                freeze_id=freeze.pk,
            )
            break


def _elsewhere(near: dict[int, str]) -> set[int]:
    """Return the freezes that hold for some systems, none of them near; the others hold here, or for all."""
    rows = Freeze.systems.through.objects.filter(freeze__active=True).values_list("freeze_id", "system_id")
    scopes: dict[int, set[int]] = {}
    for freeze, system in rows:
        scopes.setdefault(freeze, set()).add(system)
    return {freeze for freeze, scope in scopes.items() if not scope & near.keys()}


def _incidents(near: dict[int, str], end: datetime) -> Iterator[Conflict]:
    open_now = Period.objects.filter(kind=INCIDENT, system__in=near, weight__lte=GRAVE, ends=None, starts__lt=end)
    seen: set[str] = set()
    for period in open_now.select_related("system", "record_type").order_by("weight", "starts")[:MOST]:
        if period.reference in seen:
            continue
        seen.add(period.reference)
        if is_hidden(period):
            title = f"An open incident that is restricted touches {near[period.system_id]}"
            yield Conflict(Weight.STOPS, "incident", title, "Scheduling waits until it is resolved.")
            continue
        yield Conflict(
            Weight.STOPS,
            "incident",
            f"An open SEV-{period.weight} touches {near[period.system_id]}",
            f"{period.reference} on {period.system}. Scheduling waits until it is resolved.",
            reference=period.reference,
        )


def is_hidden(period: Period) -> bool:
    """Tell whether a period is of a restricted record: whoever reads the change may not know which."""
    model = period.record_type.model_class()
    return model is not None and is_restricted(model, period.record_id)


def _changes(change: Change, near: dict[int, str], start: datetime, end: datetime) -> Iterator[Conflict]:
    """Return the changes of near systems, and those of the same implementer, that are planned or worked then.

    What is planned and what is worked is asked by queries of their own: with an OR between them no index answers.
    """
    planned = Change.objects.filter(status__in=PLANNED).overlapping(start, end).exclude(pk=change.pk).order_by()
    worked = {pk: who for pk, who in _worked(start, end) if pk != change.pk}
    ways: dict[int, int] = {}
    chosen: tuple[Any, ...] = (planned.values("pk"), list(worked))
    for ids in chosen:
        through = Change.systems.through.objects.filter(change__in=ids, system__in=near)
        for change_id, system_id in through.values_list("change_id", "system_id")[: MOST * 4]:
            ways.setdefault(change_id, system_id)
    for other in Change.objects.filter(pk__in=list(ways)[:MOST]).order_by("planned_start"):
        yield Conflict(
            Weight.WARNS,
            "change",
            f"Another change touches {near[ways[other.pk]]}",
            f"{other.title}. Move one of them, or agree on the order.",
            reference=other.reference,
            url=other.get_absolute_url(),
        )
    if change.implementer_id is None:
        return
    mine = [pk for pk, who in worked.items() if who == change.implementer_id]
    mine += planned.filter(implementer=change.implementer_id).values_list("pk", flat=True)[:MOST]
    for other in Change.objects.filter(pk__in=mine).order_by("planned_start")[:MOST]:
        yield Conflict(
            Weight.WARNS,
            "implementer",
            "Same implementer in an overlapping change",
            f"{change.implementer} carries out {other.title} too. Name another person or move one.",
            reference=other.reference,
            url=other.get_absolute_url(),
        )


def _worked(start: datetime, end: datetime) -> Iterable[tuple[int, int | None]]:
    """Return what somebody is at, past its slot or without one, as emergencies are, each with its implementer.

    Nobody knows when it ends: for as long as a slot may last it is in the way of what is planned after it began.
    """
    rows = Change.objects.filter(
        status=Status.IN_PROGRESS, started_at__gt=start - LONGEST_SLOT, started_at__lt=end
    ).order_by()
    return rows.values_list("pk", "implementer_id")[:MOST_WORKED]


def _window(systems: Iterable[System], start: datetime, end: datetime) -> Iterator[Conflict]:
    covered = set(
        Period.objects.filter(kind=MAINTENANCE, system__in=[s.pk for s in systems], starts__lte=start, ends__gte=end)
        .values_list("system_id", flat=True)
    )  # fmt: skip
    bare = sorted(system.name for system in systems if system.pk not in covered)
    if bare:
        yield Conflict(
            Weight.WARNS, "window", "No maintenance window covers it",
            f"{', '.join(bare)} would page people as usual. Plan a window for the same time.",
        )  # fmt: skip
