"""Escalation: which policy fits (`choosing`), how it runs, whom a step reaches, how it is shown (`viewing`).

`holding` says when nobody is paged yet, since maintenance goes on.
"""

from incidents.escalation.choosing import choose_policy, fitting, freeze, snapshot_of
from incidents.escalation.holding import HELD, held_ids
from incidents.escalation.reaching import Book, Recipient, held, page
from incidents.escalation.running import (
    ESCALATION,
    escalate_now,
    fire_steps,
    is_paging,
    look_again,
    page_anyway,
    release,
    start,
    stop,
)
from incidents.escalation.viewing import EscalationView, StepView, state_of

__all__ = [
    "ESCALATION",
    "HELD",
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
    "held_ids",
    "is_paging",
    "look_again",
    "page",
    "page_anyway",
    "release",
    "snapshot_of",
    "start",
    "state_of",
    "stop",
]
