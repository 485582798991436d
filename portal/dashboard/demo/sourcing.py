"""The sources of the demo company: where its alerts come from, beside the one whose address is printed."""

from __future__ import annotations

from datetime import datetime, timedelta

from incidents.enums import IntakeKind
from incidents.intake import heartbeats, tokens
from incidents.intake.posts import Post
from portal.audit.actor import By

MONTH = 30 * 24 * 60  # minutes: a demo that is left alone falls silent late


def add_sources(*, by: By, at: datetime, now: datetime, reason: str) -> None:
    """Make a few sources, and let the nightly backup be heard this morning."""
    for name, kind in (("Grafana", IntakeKind.GRAFANA), ("Uptime Kuma", IntakeKind.UPTIME_KUMA)):
        tokens.add(name=name, kind=kind, by=by, at=at, reason=reason)
    tokens.add(name="Pingdom", kind=IntakeKind.GENERIC, preset="pingdom", by=by, at=at, reason=reason)
    beat, _ = tokens.add(
        name="Nightly backup", kind=IntakeKind.HEARTBEAT, by=by, at=at, reason=reason, every_minutes=MONTH
    )
    heartbeats.ping(Post(beat, b"", content_type="", address="", at=now - timedelta(hours=5)))
