"""The lives of records as drawings and tables, printed from the dictionaries that decide them (law 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices

from changes import policy as changes
from changes.enums import Status as ChangeStatus
from incidents import policy
from incidents.communications import policy as communications
from incidents.communications.words import FIELDS
from incidents.enums import OPEN, CommunicationState, Status
from maintenance import policy as maintenance
from maintenance import window_policy as windows
from maintenance.enums import PlanState, WindowState
from maintenance.enums import State as OccurrenceState
from maintenance.exercises import policy as exercises
from maintenance.exercises.enums import ExerciseState
from maintenance.exercises.enums import StepState as ExerciseStepState
from portal.actions import policy as actions
from portal.actions.enums import State as ActionState
from portal.approvals import policy as approvals
from portal.approvals.enums import RequestState, StageState
from portal.assurance import policy as assurance
from portal.assurance.enums import ItemState, ReviewKind, ReviewState
from portal.assurance.exporting import policy as exports
from portal.assurance.exporting.enums import ExportState
from portal.dashboard import printing
from portal.lib import durations
from portal.records.evidence import policy as custody
from portal.records.evidence.enums import Caution, Kind, State
from portal.runbooks import policy as runbooks
from portal.runbooks.checklists import policy as steps
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.enums import VersionState


def pages() -> dict[str, list[str]]:
    """Return the lines of each page of states, by file name."""
    return {
        "incident-states.md": _incident(),
        "change-states.md": _change(),
        "maintenance-states.md": _maintenance(),
        "action-states.md": _action(),
        "exercise-states.md": _exercise(),
        "communication-states.md": _communication(),
        "approval-states.md": _approval(),
        "review-states.md": _review(),
        "export-states.md": _export(),
        "custody-states.md": _custody(),
        "runbook-states.md": _runbook(),
        "step-states.md": _step(),
    }


def _incident() -> list[str]:
    arrows = [
        f"    {before.value} --> {after.value}: {verb}"
        for verb, moves in policy.TRANSITIONS.items()
        for before, after in moves.items()
    ]
    rows = [
        (verb, before.label, after.label, printing.yes(verb in policy.NEEDS_REASON))
        for verb, moves in policy.TRANSITIONS.items()
        for before, after in moves.items()
    ]
    opened = ", ".join(Status(state).label.lower() for state in OPEN)
    return [
        *printing.title("The life of an incident"),
        f"An incident is open while it is {opened}. A verb that does not fit the state is refused with a sentence.",
        "",
        *("```mermaid", "stateDiagram-v2", f"    [*] --> {Status.DECLARED.value}: declare", *arrows),
        *(f"    {state.value} --> [*]" for state in (Status.CLOSED, Status.CANCELLED, Status.MERGED)),
        *("```", ""),
        *printing.table(("verb", "from", "to", "asks for a reason"), rows),
    ]


def _change() -> list[str]:
    asking = ", ".join(sorted(changes.NEEDS_REASON))
    return [
        *printing.title("The life of a change"),
        "Nothing but its services moves a change: no form, no import and no record page. What does not fit is refused",
        f"with a sentence. These ask for a reason: {asking}.",
        "An edit leads back to submitted and voids what was decided.",
        "",
        *diagram(ChangeStatus.DRAFT, "draft", changes.TRANSITIONS),
    ]


def _maintenance() -> list[str]:
    asking = ", ".join(sorted(maintenance.NEEDS_REASON))
    return [
        *printing.title("The life of a maintenance plan"),
        "A draft reminds nobody. A plan in force has at most one date that stands, and the next one is opened as soon",
        f"as it is settled. These ask for a reason: {asking}.",
        "",
        *diagram(PlanState.DRAFT, "draft", maintenance.PLAN),
        "## One date of it",
        "",
        "Its scheduled date never changes, and what is settled stays as it is; the database refuses it too. A plan",
        "that asks for a second person hands in what was done, others complete it. Dates of a fixed plan that passed",
        "while another stood open are kept as missed.",
        "",
        *diagram(OccurrenceState.OPEN, "open", maintenance.OCCURRENCE),
        "## A maintenance window",
        "",
        "It begins by itself at its time. While it lasts, and never after its end, nobody is paged for its systems.",
        "One of a series may end by itself; any other overruns, loudly, until somebody has verified the systems.",
        f"These ask for a reason: {', '.join(sorted(windows.NEEDS_REASON))}.",
        "",
        *diagram(WindowState.SCHEDULED, "plan", windows.WINDOW),
    ]


def _action() -> list[str]:
    asking = ", ".join(sorted(actions.NEEDS_REASON))
    return [
        *printing.title("The life of an action item"),
        "Its owner is reminded 7 days and 1 day before its day, on the day, and every week once it is overdue. Whoever",
        f"does it says what was done. These ask for a reason: {asking}.",
        "",
        *diagram(ActionState.OPEN, "open", actions.TRANSITIONS),
    ]


def _exercise() -> list[str]:
    asking = ", ".join(sorted(exercises.NEEDS_REASON))
    return [
        *printing.title("The life of an exercise"),
        "Its start stands for the loss. The time to recover runs from it until the last step that recovers was done;",
        "what is lost runs from the newest recovered data until it. Steps are copied at the start, and worked only",
        f"while it runs. These ask for a reason: {asking}.",
        "",
        *diagram(ExerciseState.SCHEDULED, "scheduled", exercises.EXERCISE),
        "## One step of it",
        "",
        "Nothing ends before it begins, and nothing is done in the future.",
        "",
        *diagram(ExerciseStepState.OPEN, "open", exercises.STEP),
        "## The recovery plan",
        "",
        "An edit of its steps is a new version. Only a plan in force is exercised.",
        "",
        *diagram(PlanState.DRAFT, "draft", exercises.PLAN),
    ]


def _communication() -> list[str]:
    return [
        *printing.title("The life of a message to an audience"),
        "A message goes out once, and is recorded as it goes out: this meets the clock of its audience. Where a rule",
        "asks for an approval, it goes out only once every stage has approved words and list as they stand; an edit",
        "voids that, and so does a denial or the end of the time to decide. Nothing leaves sent and withdrawn.",
        "",
        *diagram(CommunicationState.DRAFTED, "draft", communications.TRANSITIONS),
        "## The fields of a template",
        "",
        "Any other field is refused when a template is saved.",
        "",
        *printing.table(("field", "becomes"), ((f"`{{{name}}}`", words) for name, words in FIELDS.items())),
    ]


def _approval() -> list[str]:
    return [
        *printing.title("The life of an approval"),
        "A request shows one record word for word, and every decision is bound to the digest of those words. While it",
        "is pending or approved, any later edit of the record voids it. Nothing leaves denied, expired, voided,",
        "withdrawn and final. A new implementer voids the decisions so far: reassign leads back to pending.",
        "",
        *diagram(RequestState.PENDING, "ask", approvals.TRANSITIONS),
        "## Its stages",
        "",
        "Stages open in their order. One denial ends the request; the others are closed with it.",
        "",
        *diagram(StageState.WAITING, "ask", approvals.STAGE_TRANSITIONS),
    ]


def _runbook() -> list[str]:
    return [
        *printing.title("The life of a version of a runbook"),
        "Only the version that is published is followed. It is superseded when the next one is published, or when its",
        "runbook is retired. Once published its words never change; the database refuses it too. Of one runbook at",
        "most one version is in force, and at most one is being written or reviewed.",
        "",
        *diagram(VersionState.DRAFT, "begin", runbooks.TRANSITIONS),
    ]


def _review() -> list[str]:
    return [
        *printing.title("The life of a review"),
        "A review is signed once each of its items is decided. Then nothing in it changes any more. Its reviewers",
        "decide for as long as they hold a role that reviews. Nobody, superusers included, decides on their own acts",
        "or access. Of two who decide on one item at once, the second is told what the first decided.",
        "",
        *diagram(ReviewState.OPEN, "open", assurance.REVIEW),
        "## An item of privileged changes",
        "",
        "Attested, settled and followed up are decided. Whoever made a change answers, and never decides on it.",
        "",
        *diagram(ItemState.OPEN, "open", assurance.ITEMS[ReviewKind.CHANGES]),
        "## An item of access",
        "",
        "Attested, revoked and no longer held are decided. Nobody decides on their own access.",
        "",
        *diagram(ItemState.OPEN, "open", assurance.ITEMS[ReviewKind.ACCESS]),
    ]


def _custody() -> list[str]:
    closed = ", ".join(sorted(custody.ONLY_UNSEALED))
    asking = ", ".join(sorted(custody.NEEDS_REASON))
    return [
        *printing.title("The custody of evidence"),
        "Whoever holds an item acts on it, or a security lead in their place; only the receiver confirms a receipt.",
        f"Once it is sealed these no longer fit: {closed}. These ask for a reason: {asking}.",
        "Every act is a custody event, which is never edited or deleted. The file and its custody stay when it is",
        "released.",
        "",
        *diagram(State.HELD, "collect", custody.TRANSITIONS),
        "## What a custody event tells",
        "",
        *printing.table(("event", "word"), ((f"`{kind.value}`", kind.label) for kind in Kind)),
        "## What a reader is warned of",
        "",
        *printing.table(("caution", "sentence"), ((f"`{caution.value}`", caution.label) for caution in Caution)),
    ]


def _export() -> list[str]:
    lease, longest = (durations.words(span.total_seconds()) for span in (exports.LEASE, exports.LONGEST_WORK))
    return [
        *printing.title("The life of an export"),
        f"A worker holds an export under a lease of {lease} that it renews while it works; when the lease has run out,",
        f"another worker takes the export and begins anew, at most {exports.TRIES} times in all. One that takes longer",
        f"than {longest} fails. A file is handed out to whoever asked, once it is ready and until it expires, and no",
        "longer when they have lost a role, an engagement or a record that they had when it was made.",
        "",
        *diagram(ExportState.WAITING, "ask", exports.TRANSITIONS),
    ]


def _step() -> list[str]:
    asking = ", ".join(sorted(steps.NEEDS_REASON))
    return [
        *printing.title("The life of a step of a checklist"),
        "Every act is an event, which is never edited or deleted: undoing is one more. Of two who settle one step at",
        f"once, the second is told who was first. These ask for a reason: {asking}.",
        "",
        *diagram(StepState.OPEN, "start", steps.TRANSITIONS),
    ]


def diagram(first: TextChoices, verb: str, transitions: Mapping[str, Mapping[Any, Any]]) -> list[str]:
    """Return a state machine as a drawing and as a table."""
    moves = [(verb, before, after) for verb, found in transitions.items() for before, after in found.items()]
    ends = {after for _, _, after in moves} - {before for _, before, _ in moves}
    return [
        *("```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}: {verb}"),
        *(f"    {before.value} --> {after.value}: {verb}" for verb, before, after in moves),
        *(f"    {state.value} --> [*]" for state in type(first) if state in ends),
        *("```", ""),
        *printing.table(("verb", "from", "to"), ((verb, before.label, after.label) for verb, before, after in moves)),
    ]
