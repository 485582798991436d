"""What followers of a system or an incident are owed: a row written with the line of the timeline that they hear of.

The engine tells them in its next sweep, see incidents.communications.noticing. A storm of incidents that nobody follows
costs one short query each.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from incidents.enums import Audience
from incidents.models import Incident, Subscription
from portal.deadlines import services as deadlines
from portal.lib import doorbell
from portal.records.models import Note

NOTICE = "incident.notice"
SWEEP = "portal.dashboard.tasks.sweep"
TOLD = frozenset({"declared", "severity", "update", "mitigated", "resolved"})
"""The kinds of lines that followers hear of; of updates those to stakeholders."""


def owe(incident: Incident, note: Note, *, at: datetime) -> None:
    """Owe followers a line of the timeline, when it is one that they hear of and anybody follows."""
    if note.kind not in TOLD or (note.kind == "update" and note.audience != Audience.STAKEHOLDERS):
        return
    follows = Q(incident=incident) | Q(system__incidents=incident)
    if not Subscription.objects.active().filter(follows).exists():
        return
    key = f"{note.kind}.{note.pk}"
    deadlines.start(
        kind=NOTICE, subject=incident, key=key, started_at=at, due_at=at, payload={"note": note.pk}
    )  # fmt: skip
    doorbell.ring_on_commit(SWEEP)
