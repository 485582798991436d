"""The rules of a change as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from changes.enums import EDITABLE, ChangeType, Outcome, Status, StepKind
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal

LONGEST_SLOT = timedelta(days=14)
"""The longest time that one change may be planned for. It bounds how far back a conflict can have begun."""


class Refused(Refusal):
    """A verb does not fit the change as it stands. The sentence is shown to the user."""


class NotYours(Refused):
    """Whoever acts has no part in this act, however the change stands."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[Status, Status]] = MappingProxyType(
    {
        "submit": {Status.DRAFT: Status.SUBMITTED, Status.REJECTED: Status.SUBMITTED},
        "assess": {Status.SUBMITTED: Status.ASSESSED, Status.ASSESSED: Status.ASSESSED},
        "approve": {Status.ASSESSED: Status.APPROVED},
        "reject": {Status.ASSESSED: Status.REJECTED},
        "revise": {
            Status.DRAFT: Status.DRAFT,
            Status.REJECTED: Status.DRAFT,
            Status.SUBMITTED: Status.SUBMITTED,
            Status.ASSESSED: Status.SUBMITTED,
            Status.APPROVED: Status.SUBMITTED,
            Status.SCHEDULED: Status.SUBMITTED,
        },
        "lose the approval of": {Status.APPROVED: Status.ASSESSED, Status.SCHEDULED: Status.ASSESSED},
        "schedule": {Status.APPROVED: Status.SCHEDULED},
        "start": {Status.SCHEDULED: Status.IN_PROGRESS},
        "start as an emergency": {Status.DRAFT: Status.IN_PROGRESS, Status.SUBMITTED: Status.IN_PROGRESS},
        "verify": {Status.IN_PROGRESS: Status.VERIFYING},
        "roll back": {Status.IN_PROGRESS: Status.IN_PROGRESS, Status.VERIFYING: Status.IN_PROGRESS},
        "close": {Status.VERIFYING: Status.CLOSED},
        "cancel": {
            Status.DRAFT: Status.CANCELLED,
            Status.SUBMITTED: Status.CANCELLED,
            Status.ASSESSED: Status.CANCELLED,
            Status.APPROVED: Status.CANCELLED,
            Status.REJECTED: Status.CANCELLED,
            Status.SCHEDULED: Status.CANCELLED,
        },
    }
)

_REFUSALS: MappingProxyType[tuple[str, Status], str] = MappingProxyType(
    {
        ("submit", Status.SUBMITTED): "It is submitted already. It waits to be assessed.",
        ("assess", Status.DRAFT): "It is still a draft. Submit it first.",
        ("approve", Status.SUBMITTED): "Nobody has assessed its risk yet. Assess it, then it can be decided on.",
        ("reject", Status.SUBMITTED): "Nobody has assessed its risk yet. Assess it, then it can be decided on.",
        ("schedule", Status.DRAFT): "It is still a draft. Submit it, have it assessed and approved.",
        ("schedule", Status.SUBMITTED): "It is not assessed yet. Assess it, then ask for its approval.",
        ("schedule", Status.ASSESSED): "It is not approved yet. It can be scheduled once its last stage has approved.",
        ("start", Status.ASSESSED): "It is not approved as it stands. Have it approved and scheduled first.",
        ("start", Status.APPROVED): "It is approved, but not scheduled. Schedule it first.",
        ("start", Status.IN_PROGRESS): "It is in progress already.",
        ("verify", Status.SCHEDULED): "It has not been started. Start it first.",
        ("close", Status.IN_PROGRESS): "It is still in progress. Verify it first.",
        (
            "roll back",
            Status.SCHEDULED,
        ): "It has not been started: there is nothing to roll back. Cancel it instead.",
        ("cancel", Status.IN_PROGRESS): "It is in progress. Roll it back, or finish it.",
        ("cancel", Status.VERIFYING): "It is carried out. Roll it back, or close it with its outcome.",
    }
)

NEEDS_REASON = frozenset({"cancel", "roll back", "start as an emergency"})


def next_status(verb: str, status: str) -> Status:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = Status(status)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        sentence = _REFUSALS.get((verb, before))
        raise Refused(sentence or f"This change is {before.label.lower()}, so you cannot {in_words(verb)}.")
    return after


def can(verb: str, status: str) -> bool:
    """Tell whether `verb` fits a change in this state."""
    return Status(status) in TRANSITIONS[verb]


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {in_words(verb)}. The reason is kept.")


def in_words(verb: str) -> str:
    """Return a verb as a sentence says it of a change: "submit it", "roll it back"."""
    first, _, rest = verb.partition(" ")
    return f"{first} it {rest}".rstrip()


def check_editable(status: str) -> None:
    """Refuse an edit of what was decided on, once somebody is at it or it is over."""
    if status not in EDITABLE:
        raise Refused(
            f"This change is {Status(status).label.lower()}. What was approved stands as it is; write a note instead."
        )


class Content(Protocol):
    """What the rules read of a change."""

    title: str
    justification: str
    type: str
    planned_start: datetime | None
    planned_end: datetime | None
    has_outage: bool
    outage_minutes: int | None
    test_plan: str
    rollback_minutes: int | None
    point_of_no_return: str
    implementer_id: int | None
    requester_id: int


def check_slot(start: datetime | None, end: datetime | None, *, at: datetime) -> None:
    """Refuse a slot that is half given, ends before it starts, lies in the past, or is longer than fourteen days."""
    if start is None or end is None:
        raise Refused("Say when it is to start and to end.")
    if end <= start:
        raise Refused("It would end before it starts. Choose an end after the start.")
    if end - start > LONGEST_SLOT:
        raise Refused("It is planned for more than 14 days. Divide it into changes of at most 14 days.")
    if start < at:
        raise Refused("This window has passed. Choose one that is still to come.")


def missing(content: Content, *, systems: int, steps: Mapping[str, int]) -> list[str]:
    """Return what a change lacks before it can be submitted, a sentence each. `steps` counts those of each plan."""
    lacks = [
        (is_blank(content.title), "Give it a title: what is changed, in a few words."),
        (is_blank(content.justification), "Say why it is needed."),
        (not systems, "Name at least one system that it touches."),
        (content.implementer_id is None, "Name who carries it out."),
        (content.has_outage and not content.outage_minutes, "Say how long the outage lasts."),
        (not steps.get("implementation"), "Write the steps of the implementation."),
        (is_blank(content.test_plan), "Say how it is tested."),
        *lacks_rollback(content, steps),
    ]
    return [sentence for lacking, sentence in lacks if lacking]


def lacks_rollback(content: Content, steps: Mapping[str, int]) -> list[tuple[bool, str]]:
    """Return what a rollback plan lacks: its steps, how long they take, and until when they help."""
    return [
        (not steps.get("rollback"), "Write the steps of the rollback."),
        (not content.rollback_minutes, "Say how many minutes the rollback takes."),
        (is_blank(content.point_of_no_return), "Say where the point of no return is, or that there is none."),
    ]


def check_complete(content: Content, *, systems: int, steps: Mapping[str, int]) -> None:
    """Refuse a change that lacks something; the sentence names all of it."""
    sentences = missing(content, systems=systems, steps=steps)
    if sentences:
        raise Refused(" ".join(sentences))


def check_rollback(content: Content, steps: Mapping[str, int]) -> None:
    """Refuse a change that could not be undone by its own plan."""
    sentences = [sentence for lacking, sentence in lacks_rollback(content, steps) if lacking]
    if sentences:
        raise Refused(" ".join(sentences))


@dataclass(frozen=True, slots=True)
class Ends:
    """What keeps a change that is carried out from being closed."""

    demands: Collection[str] = ()
    review: str = ""
    rolled_back: bool = False


def needs_review(type_: str, outcome: str) -> bool:
    """Tell whether a post-implementation review is required: after a failure, a rollback, and every emergency."""
    return type_ == ChangeType.EMERGENCY or outcome in {Outcome.FAILED, Outcome.ROLLED_BACK}


def check_close(type_: str, outcome: str, ends: Ends) -> None:
    """Refuse to close with an outcome that does not fit, without its review, or while something is still open."""
    if ends.rolled_back and outcome not in {Outcome.ROLLED_BACK, Outcome.FAILED}:
        raise Refused("It was rolled back. Close it as rolled back, or as failed when the rollback did not work.")
    if outcome == Outcome.ROLLED_BACK and not ends.rolled_back:
        raise Refused("It was never rolled back. Roll it back first, or choose another outcome.")
    if needs_review(type_, outcome) and is_blank(ends.review):
        raise Refused("Write the post-implementation review first: what happened, why, and what follows from it.")
    if ends.demands:
        raise Refused(" ".join(ends.demands))


@dataclass(frozen=True, slots=True)
class Standing:
    """How the steps of one plan stand: how many are open or left open, which failed, when the last was settled."""

    kind: StepKind
    reference: str
    open: int = 0
    left: int = 0
    failed: tuple[int, ...] = ()
    ended_at: datetime | None = None


_AFTER_FAILURE: MappingProxyType[StepKind, str] = MappingProxyType(
    {
        StepKind.IMPLEMENTATION: "or roll the change back",
        StepKind.VALIDATION: "or close the change as failed",
        StepKind.ROLLBACK: "or close the change as failed",
    }
)


def check_settled(standing: Standing, *, failed_ends: bool = False) -> None:
    """Refuse while steps of a plan wait for somebody. With `failed_ends` one that failed waits no more."""
    plan = f"the {standing.kind.label.lower()}, {standing.reference},"
    if standing.open:
        counted = "A step" if standing.open == 1 else f"{standing.open} steps"
        verb = "is" if standing.open == 1 else "are"
        raise Refused(
            f"{counted} of {plan} {verb} still open. Tick what is done; what is left out is skipped, with why."
        )
    if standing.left:
        counted = "a step" if standing.left == 1 else f"{standing.left} steps"
        raise Refused(f"It was ended with {counted} of {plan} left open. Resume it, and tick or skip what is left.")
    if standing.failed and not failed_ends:
        named = ", ".join(map(str, standing.failed))
        words = f"Step {named}" if len(standing.failed) == 1 else f"Steps {named}"
        way = _AFTER_FAILURE[standing.kind]
        raise Refused(f"{words} of {plan} failed. Tick it once it works, skip it with the reason, {way}.")


def asked_by(outcome: str) -> tuple[StepKind, ...]:
    """Return whose steps an outcome rests on: a success on the work and its validation, a rollback on its way back.

    The work was settled when it was verified, but a step of it may have been opened again since.
    """
    if outcome in {Outcome.SUCCESSFUL, Outcome.WITH_ISSUES}:
        return (StepKind.IMPLEMENTATION, StepKind.VALIDATION)
    return (StepKind.ROLLBACK,) if outcome == Outcome.ROLLED_BACK else ()
