"""The words of the messages that incidents send, rendered from templates/notify/."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType

from incidents.enums import ACTIVATION_PAGE, COMMUNICATION, EXHAUSTED, OUTSIDE_PAGE, PAGE, SECURITY_PAGE
from incidents.models import Incident
from portal.directory.models import Severity
from portal.notify.compose import About

ACKNOWLEDGE_PATH = "/a/"
GLASS = "incident_glass"  # somebody opened a restricted incident to themselves

# What an audience or a follower is told. Nobody takes it back: it was said.
FOLLOWED = "incident_followed"
TOLD = (COMMUNICATION, FOLLOWED)
# Acknowledging takes back the pages of the escalation; the others are still delivered, once.
OF_ESCALATION = (PAGE, EXHAUSTED, OUTSIDE_PAGE)
PAGES = (*OF_ESCALATION, SECURITY_PAGE, ACTIVATION_PAGE)


@dataclass(frozen=True, slots=True)
class Told:
    """What the body of a page may say about its incident: the same for many incidents of one storm.

    Its moment is cut to the second, as it is shown. What names the incident stands in the title.
    """

    severity: Severity
    declared_at: datetime
    declared_by: str

    @classmethod
    def of(cls, incident: Incident) -> Told:
        """Return what a page tells of `incident`."""
        return cls(incident.severity, incident.declared_at.replace(microsecond=0), incident.declared_by)


def about(incident: Incident) -> About:
    """Return how a message points to its incident, and whether that is a drill."""
    kind = ContentType.objects.get_for_model(Incident).pk
    return About(kind, incident.pk, incident.reference, incident.is_drill)


def facts(incident: Incident, **more: Any) -> dict[str, Any]:
    """Return what every template of an incident may use."""
    return {"incident": incident, "url": f"/incidents/{incident.reference}/", **more}
