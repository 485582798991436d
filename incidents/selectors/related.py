"""Which incidents may belong together: by the systems that suffer and the words of their titles, within a week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from incidents.enums import Status
from incidents.models import Incident

AROUND = timedelta(days=7)
LOOKED_AT = 100
SHOWN = 5
MOST_WORDS = 6
SHORTEST = 4  # letters of a word that says something
ENOUGH = 2  # points: a shared system is two, a shared word is one


@dataclass(frozen=True, slots=True)
class Related:
    """An incident that may be the same or belong to it, and why it is proposed."""

    incident: Incident
    why: str


def words_of(title: str) -> list[str]:
    """Return the words of a title that say something, in their order, at most six."""
    found = re.findall(rf"\w{{{SHORTEST},}}", title.casefold())
    return list(dict.fromkeys(found))[:MOST_WORDS]


def related_to(incident: Incident, *, user: Any) -> list[Related]:
    """Return at most five incidents that the reader may see, the likeliest first. Two queries, however many there are.

    Looked at are the hundred newest of those declared within a week of it that share a system or a word.
    """
    systems, words = {one.pk for one in incident.systems.all()}, words_of(incident.title)
    shared = Q(pk__in=Incident.systems.through.objects.filter(system_id__in=systems).values("incident_id"))
    for word in words:
        shared |= Q(title__icontains=word)
    near = Q(declared_at__gte=incident.declared_at - AROUND, declared_at__lte=incident.declared_at + AROUND)
    rows = Incident.objects.visible_to(user).filter(near & shared, is_drill=incident.is_drill).exclude(pk=incident.pk)
    rows = rows.exclude(status__in=[Status.MERGED, Status.CANCELLED]).order_by("-declared_at", "-pk")
    found = [_scored(row, systems, words) for row in rows.prefetch_related("systems")[:LOOKED_AT]]
    best = sorted((one for one in found if one[0] >= ENOUGH), key=lambda one: -one[0])
    return [Related(row, why) for _, row, why in best[:SHOWN]]


def _scored(row: Incident, systems: set[int], words: list[str]) -> tuple[int, Incident, str]:
    names = [one.name for one in row.systems.all() if one.pk in systems]
    title = row.title.casefold()
    common = [word for word in words if word in title]
    why = [f"the same {_counted('system', names)} ({', '.join(names)})"] if names else []
    why += [f"the {_counted('word', common)} “{', '.join(common)}”"] if common else []
    return 2 * len(names) + len(common), row, " and ".join(why)


def _counted(noun: str, found: list[str]) -> str:
    return noun if len(found) == 1 else f"{noun}s"
