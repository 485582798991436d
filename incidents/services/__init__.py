"""The verbs of an incident. Each locks its row, checks the rule, writes, and returns the incident as it stands then.

`by` is a user, a contact or a system name; `at` is the moment of the act as the edge read it. A verb that does not fit
raises `incidents.policy.Refused` with the sentence for the user.
"""

from incidents.services.access import (
    break_glass,
    grant_access,
    lift_restriction,
    restrict,
    revoke_access,
    standing_grants,
)
from incidents.services.affecting import set_systems, set_type
from incidents.services.containing import (
    acknowledge_rule,
    add_step,
    classify,
    has_read_rule,
    proposal_of,
    rule_of,
    settle_step,
)
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
from incidents.services.merging import hold, merge, relate, split_off, survivor_of
from incidents.services.relating import clear_suspicion, suspect
from incidents.services.responding import acknowledge, activate, add_responder, answer_page, escalate, page_person
from incidents.services.shutting import hold_shutdown, release_shutdown
from incidents.services.telling import add_note, pause_clock, record_update, resume_clock, skip_clock

__all__ = [
    "acknowledge",
    "acknowledge_rule",
    "activate",
    "add_note",
    "add_responder",
    "add_step",
    "answer_page",
    "became",
    "break_glass",
    "came_from",
    "cancel",
    "classify",
    "clear_suspicion",
    "close",
    "declare",
    "end_alerts",
    "escalate",
    "grant_access",
    "has_read_rule",
    "hold",
    "hold_shutdown",
    "lift_restriction",
    "merge",
    "mitigate",
    "open_ends",
    "page_person",
    "pause_clock",
    "proposal_of",
    "raise_severity",
    "reclassify",
    "record_update",
    "relate",
    "release_shutdown",
    "reopen",
    "reopen_by_source",
    "resolve",
    "resolve_by_source",
    "restrict",
    "resume_clock",
    "revoke_access",
    "rule_of",
    "set_systems",
    "set_type",
    "settle_step",
    "skip_clock",
    "split_off",
    "standing_grants",
    "survivor_of",
    "suspect",
    "turn_real",
]
