"""What the room of a security incident shows beside that of every other."""

from __future__ import annotations

from dataclasses import dataclass, field

from incidents import services
from incidents.enums import IncidentType
from incidents.models import ContainmentStep, Incident
from incidents.security.policy import Proposal
from incidents.services.containing import QUESTIONS, RULE, label_of
from portal.records import services as records


@dataclass(frozen=True)
class Security:
    """The rule, who has read it, the classification, and the steps of containment."""

    rule: str = ""
    readers: list[str] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    proposal: Proposal | None = None
    steps: list[ContainmentStep] = field(default_factory=list)


def security_of(incident: Incident) -> Security:
    """Return what is shown of a security incident, in three queries; of another nothing, in none."""
    if incident.type != IncidentType.SECURITY:
        return Security()
    names = [(QUESTIONS[name], name, getattr(incident, name)) for name in QUESTIONS]
    readers = records.timeline(incident).filter(kind=RULE).order_by("id").values_list("actor_name", flat=True)
    return Security(
        rule=services.rule_of(incident),
        readers=list(dict.fromkeys(readers)),
        answers=[(label_of(name), kind(answer).label) for kind, name, answer in names if answer],
        proposal=services.proposal_of(incident),
        steps=list(incident.containment.all()),
    )
