"""The verbs of approvals: ask, decide, withdraw, reassign, finalise, notice what changed; and how a record stands."""

from portal.approvals.services.asking import ask, rule_of
from portal.approvals.services.badges import Standing, check_approved, standing, standings
from portal.approvals.services.common import done
from portal.approvals.services.deciding import decide
from portal.approvals.services.ending import expire, finalise, withdraw, withdraw_with_record
from portal.approvals.services.noticing import notice, notice_all, out_of_date
from portal.approvals.services.people import account_of, asked_people, deciders, may_decide, person_of
from portal.approvals.services.reassigning import check_may_name, reassign
from portal.approvals.services.voiding import changes_of

__all__ = [
    "Standing",
    "account_of",
    "ask",
    "asked_people",
    "changes_of",
    "check_approved",
    "check_may_name",
    "decide",
    "deciders",
    "done",
    "expire",
    "finalise",
    "may_decide",
    "notice",
    "notice_all",
    "out_of_date",
    "person_of",
    "reassign",
    "rule_of",
    "standing",
    "standings",
    "withdraw",
    "withdraw_with_record",
]
