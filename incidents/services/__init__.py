"""The verbs of an incident. Each locks its row, checks the rule, writes, and returns the incident as it stands then.

`by` is a user, a contact or a system name; `at` is the moment of the act as the edge read it. A verb that does not fit
raises `incidents.policy.Refused` with the sentence for the user.
"""

from incidents.services.affecting import set_systems, set_type
from incidents.services.declaring import declare
from incidents.services.drilling import became, came_from, turn_real
from incidents.services.ending import (
    cancel,
    close,
    end_alerts,
    mitigate,
    open_ends,
    reopen,
    reopen_by_source,
    resolve,
    resolve_by_source,
)
from incidents.services.grading import raise_severity, reclassify
from incidents.services.responding import acknowledge, activate, add_responder, answer_page, escalate, page_person
from incidents.services.telling import add_note, pause_clock, record_update, resume_clock, skip_clock

__all__ = [
    "acknowledge",
    "activate",
    "add_note",
    "add_responder",
    "answer_page",
    "became",
    "came_from",
    "cancel",
    "close",
    "declare",
    "end_alerts",
    "escalate",
    "mitigate",
    "open_ends",
    "page_person",
    "pause_clock",
    "raise_severity",
    "reclassify",
    "record_update",
    "reopen",
    "reopen_by_source",
    "resolve",
    "resolve_by_source",
    "resume_clock",
    "set_systems",
    "set_type",
    "skip_clock",
    "turn_real",
]
