"""The verbs of maintenance. Each locks its plan, checks the rule, writes, and returns what stands then.

`by` is whoever acts; `at` is the moment of the act as the edge read it. A verb that does not fit raises
`maintenance.policy.Refused` with the sentence for the user.
"""

from maintenance.services.backups import (
    backup_of,
    make_backup_token,
    plan_backup,
    record_run,
    retire_backup,
    revise_backup,
    validate_run,
)
from maintenance.services.completing import complete, did, send_back, sign_off, skip
from maintenance.services.needing import evaluate, need
from maintenance.services.opening import open_many, open_next
from maintenance.services.planning import draft, hand_over, put_in_force, retire, revise, take_up_again
from maintenance.services.restoring import record_restore_test
from maintenance.services.series import end_series, open_ahead, start_series
from maintenance.services.tokens import hand_out_token, report_done, revoke_token, token_of
from maintenance.services.windows import (
    begin,
    cancel,
    extend,
    move,
    open_now,
    plan_window,
    verify,
    work_on,
)
from maintenance.services.windows import complete as complete_window

__all__ = [
    "backup_of",
    "begin",
    "cancel",
    "complete",
    "complete_window",
    "did",
    "draft",
    "end_series",
    "evaluate",
    "extend",
    "hand_out_token",
    "hand_over",
    "make_backup_token",
    "move",
    "need",
    "open_ahead",
    "open_many",
    "open_next",
    "open_now",
    "plan_backup",
    "plan_window",
    "put_in_force",
    "record_restore_test",
    "record_run",
    "report_done",
    "retire",
    "retire_backup",
    "revise",
    "revise_backup",
    "revoke_token",
    "send_back",
    "sign_off",
    "skip",
    "start_series",
    "take_up_again",
    "token_of",
    "validate_run",
    "verify",
    "work_on",
]
