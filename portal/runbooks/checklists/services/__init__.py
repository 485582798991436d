"""The verbs of checklists: edit one, start a run of it, work its steps, end it.

Every change of a step is an event in the same transaction, and a line in the timeline of the record that the run is
for. `by` is a user, a contact or a system name; `at` is the moment as the edge read it. What does not fit raises
`policy.Refused` with the sentence for the user; who comes second is told by `policy.Taken` who was first, and when.
"""

from portal.runbooks.checklists.services.common import done
from portal.runbooks.checklists.services.editing import Line, make, revise
from portal.runbooks.checklists.services.ending import end, end_all, resume, resume_all
from portal.runbooks.checklists.services.starting import may_work, start, start_matching, start_plan, start_procedure
from portal.runbooks.checklists.services.working import (
    Outcome,
    add_note,
    attach,
    attach_file,
    fail,
    hand_over,
    skip,
    tick,
    tick_all,
    undo,
)

__all__ = [
    "Line", "Outcome", "add_note", "attach", "attach_file", "done", "end", "end_all", "fail", "hand_over", "make",
    "may_work", "resume", "resume_all", "revise", "skip", "start", "start_matching", "start_plan", "start_procedure",
    "tick", "tick_all", "undo",
]  # fmt: skip
