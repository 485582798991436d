"""Which template a message begins with, and what its fields become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents import clocks
from incidents.communications.policy import LONGEST_SUBJECT, LONGEST_TEXT
from incidents.communications.words import render, unknown_fields
from incidents.enums import Occasion, Status
from incidents.models import CommunicationTemplate, Incident
from portal.directory.models import System
from portal.lib import durations
from portal.records import services as records


@dataclass(frozen=True, slots=True)
class Words:
    """What a new message begins with: the template, and both texts with their fields filled in."""

    template: CommunicationTemplate | None
    subject: str
    text: str
    unknown: list[str]


def occasion_of(incident: Incident, audience: str) -> Occasion:
    """Return which message of the incident is due to an audience."""
    if incident.status not in {Status.DECLARED, Status.ACKNOWLEDGED}:
        return Occasion.END
    told = records.timeline(incident).filter(kind="update", audience=audience).exists()
    return Occasion.NEXT if told else Occasion.FIRST


def fitting(
    templates: Iterable[CommunicationTemplate], incident: Incident, occasion: str
) -> list[CommunicationTemplate]:
    """Return the templates that fit, the closest first: by type, then by occasion, then by severity."""
    found = [
        one
        for one in templates
        if one.type in {"", incident.type}
        and one.occasion in {"", occasion}
        and one.severity_id in {None, incident.severity_id}
    ]
    return sorted(found, key=lambda one: (not one.type, not one.occasion, one.severity_id is None, one.name, one.pk))


def templates_for(audience: str) -> Sequence[CommunicationTemplate]:
    """Return the templates of an audience that are in use, by name."""
    return list(CommunicationTemplate.objects.filter(audience=audience, active=True).order_by("name", "id"))


def words_for(incident: Incident, *, audience: str, at: datetime, template_id: int | None = None) -> Words:
    """Return what a message to an audience begins with: by the template asked for, else the one that fits best."""
    templates = templates_for(audience)
    chosen = next((one for one in templates if one.pk == template_id), None)
    chosen = chosen or next(iter(fitting(templates, incident, occasion_of(incident, audience))), None)
    if chosen is None:
        return Words(None, f"{incident.reference}: {incident.title}"[:LONGEST_SUBJECT], "", [])
    values = values_of(incident, audience=audience, at=at)
    return Words(
        chosen,
        " ".join(render(chosen.subject, values).split())[:LONGEST_SUBJECT],
        render(chosen.body, values)[:LONGEST_TEXT],
        unknown_fields(f"{chosen.subject} {chosen.body}"),
    )


def values_of(incident: Incident, *, audience: str, at: datetime) -> dict[str, str]:
    """Return what each field of a template becomes."""
    systems: list[System] = list(incident.systems.all())
    ended = incident.resolved_at or incident.cancelled_at or at
    return {
        "reference": incident.reference,
        "title": incident.title,
        "severity": incident.severity.code,
        "severity_name": incident.severity.name,
        "impact": incident.severity.description,
        "systems": ", ".join(system.name for system in systems) or "some of our systems",
        "status": incident.get_status_display().lower(),
        "started": clocks.local(incident.declared_at),
        "duration": durations.minutes(max((ended - incident.declared_at).total_seconds(), 0)),
        "commander": str(incident.commander or "nobody yet"),
        "next_update": next_update(incident, audience),
    }


def next_update(incident: Incident, audience: str) -> str:
    """Return when the audience hears again after a message that goes out now, in words."""
    rule = clocks.rules_of(incident).get(audience)
    if rule is None or not rule.repeat_minutes or not incident.is_open:
        return "when there is news"
    return f"within {durations.words(rule.repeat_minutes * 60)}"
