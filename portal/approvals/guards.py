"""What the database itself refuses of approvals, whoever writes: law 10 and the binding to what was shown.

A decision proves on its way in that its copies, its digest, its stage and its decider are true, and that nobody
decides on what they asked for or implement. A request keeps what was shown, moves only along its states, and is
approved only by enough decisions. Constraints of the model refuse own and second decisions and denials without a reason
once more; alone they would not do, because whoever opens a SQLite file may have its constraints ignored.

Each list holds what is refused and its condition in the SQL of PostgreSQL; SQLite writes IS NOT for IS DISTINCT FROM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.approvals.policy import STAGE_TRANSITIONS, TRANSITIONS
from portal.audit.triggers import refusing

REQUEST, STAGE, DECISION = "approvals_approvalrequest", "approvals_stage", "approvals_decision"
Refusals = dict[str, str]

PROVED: Refusals = {
    "the stage is not one of this request": """NOT EXISTS (
        SELECT 1 FROM approvals_stage s WHERE s.id = NEW.stage_id AND s.request_id = NEW.request_id)""",
    "the request is not pending": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id AND r.state = 'pending')""",
    "the stage is not open": """NOT EXISTS (
        SELECT 1 FROM approvals_stage s WHERE s.id = NEW.stage_id AND s.state = 'open')""",
    "the round is not that of the request": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id AND r.round = NEW.round)""",
    "the digest is not that of what the request shows": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id AND r.digest = NEW.digest)""",
    "the requester is not that of the request": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id
        AND r.requester_id = NEW.requester_id AND r.requester_name = NEW.requester_name)""",
    "the implementer is not that of the request": """EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id
        AND (r.implementer_id IS DISTINCT FROM NEW.implementer_id OR r.implementer_name <> NEW.implementer_name))""",
    "nobody decides on their own request": "NEW.decider_id = NEW.requester_id",
    "nobody decides on what they implement": "NEW.decider_id = NEW.implementer_id",
    "the time to decide has passed": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id AND NEW.decided_at <= r.decide_by)""",
    "a denial says why": "NEW.verdict = 'deny' AND trim(NEW.reason) = ''",
    "the decider has no open account": """NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.decider_id AND u.is_active)""",
    "the decider is not called so": """NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.decider_id AND NEW.decided_by = CASE
            WHEN trim(u.first_name || ' ' || u.last_name) = '' THEN u.username
            ELSE trim(u.first_name || ' ' || u.last_name) END)
        AND NOT EXISTS (SELECT 1 FROM directory_contact c
            WHERE c.user_id = NEW.decider_id AND c.name = NEW.decided_by)""",
    "the decider has not the role of the stage": """NOT EXISTS (
        SELECT 1 FROM approvals_stage s WHERE s.id = NEW.stage_id AND s.role IN (
            SELECT g.name FROM accounts_user_groups m JOIN auth_group g ON g.id = m.group_id
            WHERE m.user_id = NEW.decider_id))""",
}

_KEPT_OF_REQUEST = (
    *("id", "reference", "kind", "subject_type_id", "subject_id", "title", "is_drill", "shown", "digest"),
    *("requester_id", "requester_name", "why", "asked_at", "asked_by"),
)
_KEPT_OF_STAGE = ("id", "request_id", "position", "name", "role", "needed")


def _differs(*names: str) -> str:
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names)


def _strays(transitions: Mapping[str, Mapping[Any, Any]]) -> str:
    """Return when a state moves where no verb leads."""
    moves = sorted({(str(before), str(after)) for found in transitions.values() for before, after in found.items()})
    lawful = " OR ".join(f"(OLD.state = '{before}' AND NEW.state = '{after}')" for before, after in moves)
    return f"NEW.state <> OLD.state AND NOT ({lawful})"


REQUEST_KEPT: Refusals = {
    "what was shown, and who asked, never changes": _differs(*_KEPT_OF_REQUEST),
    "it does not move from that state to this one": _strays(TRANSITIONS),
    "another implementer needs another round": (
        f"({_differs('implementer_id', 'implementer_name')}) AND NEW.round <> OLD.round + 1"
    ),
    "another round begins pending": (
        "NEW.round <> OLD.round AND (NEW.round <> OLD.round + 1 OR NEW.state <> 'pending')"
    ),
    "what was approved is decided again in another round only": (
        "OLD.state = 'approved' AND NEW.state = 'pending' AND NEW.round = OLD.round"
    ),
    "its stages have not approved it": """NEW.state = 'approved' AND OLD.state <> 'approved' AND (
        NOT EXISTS (SELECT 1 FROM approvals_stage s WHERE s.request_id = NEW.id)
        OR EXISTS (
            SELECT 1 FROM approvals_stage s WHERE s.request_id = NEW.id AND s.needed > (
                SELECT count(*) FROM approvals_decision d
                WHERE d.stage_id = s.id AND d.round = NEW.round AND d.verdict = 'approve')))""",
}
REQUEST_BEGUN: Refusals = {"a request begins pending": "NEW.state <> 'pending' OR NEW.round <> 1"}
STAGE_KEPT: Refusals = {
    "who decides, and how many must, never changes": _differs(*_KEPT_OF_STAGE),
    "it does not move from that state to this one": _strays(STAGE_TRANSITIONS),
    "the stages before it have not approved": """NEW.state = 'open' AND OLD.state <> 'open' AND EXISTS (
        SELECT 1 FROM approvals_stage s
        WHERE s.request_id = NEW.request_id AND s.position < NEW.position AND s.state <> 'approved')""",
    "its people have not approved it": """NEW.state = 'approved' AND OLD.state <> 'approved' AND NEW.needed > (
        SELECT count(*) FROM approvals_decision d JOIN approvals_approvalrequest r ON r.id = d.request_id
        WHERE d.stage_id = NEW.id AND d.round = r.round AND d.verdict = 'approve')""",
}
STAGE_BEGUN: Refusals = {
    "a stage begins waiting": "NEW.state <> 'waiting'",
    "a stage needs somebody": "NEW.needed < 1",
    "stages come with the request": """NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest r
        WHERE r.id = NEW.request_id AND r.state = 'pending' AND r.round = 1)
        OR EXISTS (SELECT 1 FROM approvals_decision d WHERE d.request_id = NEW.request_id)""",
}
NEVER: Refusals = {"it is never deleted": "1 = 1"}

# Of a decision and whatever settles its request at the same moment, one waits for the other.
_LOCK = "  PERFORM 1 FROM approvals_approvalrequest r WHERE r.id = NEW.request_id FOR UPDATE;\n"


OF_DECISIONS = (
    refusing("watchbook_decision_proved", table=DECISION, act="INSERT", what="Decision", refusals=PROVED, first=_LOCK),
)
OF_REQUESTS = (
    refusing("watchbook_request_begun", table=REQUEST, act="INSERT", what="Approval request", refusals=REQUEST_BEGUN),
    refusing("watchbook_request_kept", table=REQUEST, act="UPDATE", what="Approval request", refusals=REQUEST_KEPT),
    refusing("watchbook_request_never", table=REQUEST, act="DELETE", what="Approval request", refusals=NEVER),
)
OF_STAGES = (
    refusing("watchbook_stage_begun", table=STAGE, act="INSERT", what="Approval stage", refusals=STAGE_BEGUN),
    refusing("watchbook_stage_kept", table=STAGE, act="UPDATE", what="Approval stage", refusals=STAGE_KEPT),
    refusing("watchbook_stage_never", table=STAGE, act="DELETE", what="Approval stage", refusals=NEVER),
)
