"""What was changed on the systems of an incident shortly before it, and which of it is suspected.

Changes are known by their periods and links alone: this part of the portal knows no model of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q

from incidents.models import Incident
from portal.directory.models import System
from portal.records import linking
from portal.records.linking import Near
from portal.records.services import LINK_WORDS, Linked

BEFORE = timedelta(hours=72)
CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Nearby:
    """The changes near an incident: those that are linked with it, and those of the three days before it."""

    links: list[Linked]
    near: list[Near]
    becomes: str


def nearby_of(incident: Incident, links: list[Linked], *, user: Any, at: datetime) -> Nearby:
    """Return the changes near an incident as `user` may see them; `links` are all of its links. At most four queries.

    A system that it touches counts with those that it is a part of, and with its parts.
    """
    touched = [system.pk for system in incident.systems.all()]
    near = Q(pk__in=touched) | Q(parts__in=touched) | Q(parent__in=touched)
    systems = list(System.objects.visible_to(user).filter(near).distinct()) if touched else []
    until = incident.resolved_at or at
    found = linking.near(
        systems, kind=CHANGE, since=incident.declared_at - BEFORE, until=until, user=user,
        linked=[link.record for link in links],
    )  # fmt: skip
    return Nearby(
        [link for link in links if link.kind in LINK_WORDS],
        [one for one in found if not one.linked],
        _becomes(incident),
    )


def _becomes(incident: Incident) -> str:
    """Return what the form of a change is filled in with."""
    systems = [("system", system.slug) for system in incident.systems.all()]
    return urlencode([("incident", incident.reference), *systems])
