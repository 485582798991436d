"""The evidence packet as an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from portal.accounts.models import User
from portal.assurance.exporting.enums import ExportFormat
from portal.assurance.exporting.sources import Made, Source, Step, Work
from portal.assurance.packets.asking import Asked
from portal.assurance.packets.building import Order, build


class Packet(Source):
    """A population of the trail, a sample of it, and the seals that prove both."""

    slug: ClassVar[str] = "packet"
    name: ClassVar[str] = "Evidence packet"
    explanation: ClassVar[str] = (
        "A period of the trail with a random sample, and the seals that prove it to somebody who has no access here."
    )
    icon: ClassVar[str] = "shield-check"
    permission: ClassVar[str] = "audit.view_trailrow"
    formats: ClassVar[tuple[ExportFormat, ...]] = (ExportFormat.PACKET,)
    by_filters: ClassVar[bool] = False

    def check(self, user: User, parameters: Mapping[str, Any]) -> None:
        """Refuse also what is no period, no size of a sample and no seed."""
        super().check(user, parameters)
        Asked.of(parameters)

    def title(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the period."""
        return f"Evidence packet: {Asked.of(parameters).words(zone)}"

    def narrowing(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the period and the sample in words."""
        if not parameters:
            return ""
        asked = Asked.of(parameters)
        rows = "privileged changes" if asked.privileged else "all rows of the trail"
        return f"{rows}, {asked.words(zone)}; a sample of {asked.size:,} with the seed {asked.seed}"

    def make(self, work: Work, folder: Path, step: Step) -> Made:
        """Build it."""
        order = Order(work.user, work.asked_by, Asked.of(work.parameters), work.reference, work.reason, work.at)
        path, rows = build(order, folder, step)
        return Made(path, rows)
