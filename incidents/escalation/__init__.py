"""Escalation: which policy fits (`choosing`), how it runs, whom a step reaches, how it is shown (`viewing`)."""

from incidents.escalation.choosing import choose_policy, fitting, freeze, snapshot_of
from incidents.escalation.reaching import Book, Recipient, held, page
from incidents.escalation.running import ESCALATION, escalate_now, fire_steps, start, stop
from incidents.escalation.viewing import EscalationView, StepView, state_of

__all__ = [
    "ESCALATION",
    "Book",
    "EscalationView",
    "Recipient",
    "StepView",
    "choose_policy",
    "escalate_now",
    "fire_steps",
    "fitting",
    "freeze",
    "held",
    "page",
    "snapshot_of",
    "start",
    "state_of",
    "stop",
]
