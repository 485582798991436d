"""Drills: one is started with an exercise of something else; one that turns out real becomes a real incident."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.contenttypes.models import ContentType

from incidents import policy
from incidents.models import Incident, IncidentQuerySet
from incidents.policy import Refused
from incidents.services.common import locked, say, systems_of
from incidents.services.declaring import declare
from incidents.services.ending import cancel
from portal.audit.actor import By
from portal.directory.models import Severity, System
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.records.models import Link

REAL = "became real"
"""The kind of the link from a drill to what it turned out to be."""


def start_drill(
    *, title: str, description: str, severity: Severity, systems: Iterable[System], by: By, at: datetime
) -> Incident:
    """Start a drill for another part of the portal; who may is asked by its edges. See portal.records.drills."""
    return declare(
        title=title, description=description, severity=severity, systems=systems, by=by, at=at, is_drill=True
    )  # fmt: skip


def became(drill: Incident) -> IncidentQuerySet:
    """Return the real incident that a drill turned out to be, if it did."""
    kind = ContentType.objects.get_for_model(Incident)
    links = Link.objects.filter(kind=REAL, from_type=kind, from_id=drill.pk, to_type=kind)
    found: IncidentQuerySet = Incident.objects.filter(pk__in=links.values("to_id"))
    return found


def came_from(incident: Incident) -> IncidentQuerySet:
    """Return the drill in which a real incident came to light, if it was one."""
    kind = ContentType.objects.get_for_model(Incident)
    links = Link.objects.filter(kind=REAL, from_type=kind, to_type=kind, to_id=incident.pk)
    found: IncidentQuerySet = Incident.objects.filter(pk__in=links.values("from_id"))
    return found


def turn_real(drill: Incident, *, by: By, at: datetime, reason: str) -> Incident:
    """Declare the real incident of what a drill turned out to be, and return it; the two are linked.

    It begins anew, with its own clocks and escalation, from the words, severity, type and systems of the drill. A drill
    that is still open is cancelled, so that nobody is called for both. Refused is raised for what is no drill or became
    real before, and without a reason.
    """
    if is_blank(reason):
        raise Refused("Say what is really wrong. The reason is kept with both.")
    with locked(drill, by=by, at=at, reason=reason) as row:
        if not row.is_drill:
            raise Refused("This is no drill. It is real already.")
        if became(row).exists():
            raise Refused("It became real before. Work on the real incident; it is linked.")
        real = declare(
            title=row.title, description=row.description, severity=row.severity, type=row.type,
            systems=systems_of(row), by=by, at=at, reason=reason,
        )  # fmt: skip
        if row.restricted and not real.restricted:
            real.restricted = True
            real.save()
        records.link(row, real, kind=REAL, by=by, at=at)
        say(real, "note", "noted", by=by, at=at, detail=f"It came to light in the drill {row.reference}. {reason}")
        say(row, "real", f"said that it is real: {real.reference}", by=by, at=at, reason=reason)
        if policy.can("cancel", row.status):
            cancel(row, by=by, at=at, reason=f"It turned out real: {real.reference}")
    return real
