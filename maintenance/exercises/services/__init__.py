"""The verbs of recovery plans and exercises. Each locks, checks the rule, writes, and returns what stands then.

`by` is whoever acts; `at` is the moment of the act as the edge read it. A verb that does not fit raises
`maintenance.policy.Refused` with the sentence for the user.
"""

from maintenance.exercises.services.planning import draft, put_in_force, retire, revise
from maintenance.exercises.services.running import call_off, end, move, schedule, start
from maintenance.exercises.services.working import finish_step, skip_step, start_step, take_step_back

__all__ = [
    "call_off",
    "draft",
    "end",
    "finish_step",
    "move",
    "put_in_force",
    "retire",
    "revise",
    "schedule",
    "skip_step",
    "start",
    "start_step",
    "take_step_back",
]
