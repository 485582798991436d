"""The verbs of a change. Each locks its row, checks the rule, writes, and returns the change as it stands then.

`by` is the account that acts; `at` is the moment of the act as the edge read it. A verb that does not fit raises
`changes.policy.Refused` with the sentence for the user.
"""

from changes.services.deciding import approve, ask, follow, reject
from changes.services.doing import roll_back, start, start_emergency, verify
from changes.services.drafting import Plan, draft, draft_from_template, revise, submit
from changes.services.ending import asked_of, cancel, close, open_ends, write_review
from changes.services.freezing import override
from changes.services.gating import hand_out_token, report_gate, revoke_token, token_of, token_used
from changes.services.noting import KINDS as LINK_KINDS
from changes.services.noting import add_note, relate, unrelate
from changes.services.releasing import answer, answer_row, carry_over
from changes.services.scheduling import assess, conflicts_of, schedule, stops
from changes.services.templating import new_template_version, revoke_template
from changes.services.unauthorised import accept, turn

__all__ = [
    "LINK_KINDS",
    "Plan",
    "accept",
    "add_note",
    "answer",
    "answer_row",
    "approve",
    "ask",
    "asked_of",
    "assess",
    "cancel",
    "carry_over",
    "close",
    "conflicts_of",
    "draft",
    "draft_from_template",
    "follow",
    "hand_out_token",
    "new_template_version",
    "open_ends",
    "override",
    "reject",
    "relate",
    "report_gate",
    "revise",
    "revoke_template",
    "revoke_token",
    "roll_back",
    "schedule",
    "start",
    "start_emergency",
    "stops",
    "submit",
    "token_of",
    "token_used",
    "turn",
    "unrelate",
    "verify",
    "write_review",
]
