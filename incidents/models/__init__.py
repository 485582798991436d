"""The models of incidents by subject: records and responders, communications, escalation, intake."""

from incidents.models.communications import (
    AudienceMember,
    Communication,
    CommunicationRule,
    CommunicationTemplate,
    Subscription,
)
from incidents.models.escalation import Escalation, EscalationPolicy, EscalationStep, EscalationTarget
from incidents.models.incidents import AccessGrant, Incident, IncidentQuerySet, Responder
from incidents.models.intake import Alert, IntakeDelivery, IntakeMapping, IntakeToken, PayloadLine, StatusWord
from incidents.models.security import ContainmentProposal, ContainmentStep, TypeRule
from incidents.models.sources import Heartbeat, IntakeSecret, SeenSignature, TopicSubscription

__all__ = [
    "AccessGrant",
    "Alert",
    "AudienceMember",
    "Communication",
    "CommunicationRule",
    "CommunicationTemplate",
    "ContainmentProposal",
    "ContainmentStep",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "EscalationTarget",
    "Heartbeat",
    "Incident",
    "IncidentQuerySet",
    "IntakeDelivery",
    "IntakeMapping",
    "IntakeSecret",
    "IntakeToken",
    "PayloadLine",
    "Responder",
    "SeenSignature",
    "StatusWord",
    "Subscription",
    "TopicSubscription",
    "TypeRule",
]
