"""Escalation: which policy, its running (`running`), whom a step reaches (`reaching`), and how it is shown (`viewing`)."""

from incidents.escalation.reaching import Book, Recipient, page
from incidents.escalation.running import ESCALATION, choose_policy, escalate_now, fire_steps, snapshot_of, start, stop
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
    "page",
    "snapshot_of",
    "start",
    "state_of",
    "stop",
]
