"""The models of incidents by subject: records and responders, escalation, intake."""

from incidents.models.escalation import Escalation, EscalationPolicy, EscalationStep, EscalationTarget
from incidents.models.incidents import Incident, IncidentQuerySet, Responder
from incidents.models.intake import Alert, IntakeDelivery, IntakeMapping, IntakeToken, PayloadLine, StatusWord

__all__ = [
    "Alert",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "EscalationTarget",
    "Incident",
    "IncidentQuerySet",
    "IntakeDelivery",
    "IntakeMapping",
    "IntakeToken",
    "PayloadLine",
    "Responder",
    "StatusWord",
]
