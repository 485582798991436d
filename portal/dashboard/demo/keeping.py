"""How people of the demo company keep evidence."""

from __future__ import annotations

from datetime import datetime, timedelta

from incidents.models import Incident
from portal.audit.actor import By
from portal.directory.models import Contact
from portal.records.evidence import policy, services
from portal.records.evidence.incoming import Incoming
from portal.records.evidence.models import Evidence

TAKEN_BEFORE = timedelta(minutes=4)


def keep_evidence(
    incident: Incident, *, name: str, content: str, source: str, description: str, by: By, at: datetime
) -> None:
    """Keep a small file as evidence of an incident. It was taken some minutes before."""
    with Incoming(name) as incoming:
        incoming.write(content.encode())
        services.collect(
            incident, incoming, source=source, description=description, acquired_at=at - TAKEN_BEFORE,
            most=policy.MEGABYTE, by=by, at=at,
        )  # fmt: skip


def give_evidence(incident: Incident, *, contact: Contact, reason: str, by: By, at: datetime) -> None:
    """Hand the newest evidence of an incident over; its receipt is not confirmed yet."""
    item = Evidence.objects.of(incident)[0]
    services.hand_over(item, to=contact, reason=reason, by=by, at=at)
