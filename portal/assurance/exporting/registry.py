"""Which sources there are."""

from __future__ import annotations

from typing import Any

from portal.assurance.exporting.incidents import Incidents
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.registers import Register
from portal.assurance.exporting.sources import Source
from portal.assurance.exporting.trail import Trail
from portal.assurance.packets.source import Packet

SOURCES: dict[str, Source] = {found.slug: found for found in (Packet(), Trail(), Register(), Incidents())}


def source(slug: str) -> Source:
    """Return the source of that name; Refused is raised when there is none."""
    if slug not in SOURCES:
        raise Refused("There is no such export. Choose one of the list.")
    return SOURCES[slug]


def sources_for(user: Any) -> list[Source]:
    """Return what this reader may export."""
    return [found for found in SOURCES.values() if user.is_active and user.has_perm(found.permission)]
