"""The record of one change as an auditor asks for it: who, apart from whom, on what proof, and how long before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from changes.approving import CHANGE, facts_of
from changes.enums import ChangeType
from changes.looks import OUTCOME_LOOKS, Look
from changes.models import Change, FreezeOverride
from changes.selectors.gates import Gates, gates_of
from changes.selectors.matrix import Matrix, matrix_of
from changes.selectors.room import look_of
from changes.selectors.timeline import Timeline, timeline_of
from changes.selectors.undoing import Undoing, undoing_of
from portal.approvals.enums import RequestState, Verdict
from portal.approvals.models import ApprovalRequest, Decision
from portal.approvals.services import standing
from portal.approvals.shown import Fact, digest
from portal.records import services as records
from portal.records.services import Linked
from portal.runbooks.models import ChecklistRun, RunStep


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `before` is how long before the start it was made; negative when it was made afterwards."""

    decision: Decision
    verdict: str
    before: timedelta | None
    counts: bool

    @property
    def afterwards(self) -> bool:
        """Tell whether it was made after the change had begun."""
        return self.before is not None and self.before < timedelta(0)


@dataclass(frozen=True, slots=True)
class Duty:
    """One question of the separation of duties, with its answer in words."""

    question: str
    holds: bool
    words: str


@dataclass(frozen=True, slots=True)
class Worked:
    """One run of steps: what was done, by whom, when, to the second."""

    run: ChecklistRun
    steps: list[RunStep]
    bound: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is printed."""

    look: Look
    outcome: Look | None
    facts: list[Fact]
    digest: str
    request: ApprovalRequest | None
    decisions: list[Decided]
    before: timedelta | None
    duties: list[Duty]
    gates: Gates
    matrix: Matrix
    overrides: list[FreezeOverride]
    links: list[Linked]
    worked: list[Worked]
    undoing: Undoing
    timeline: Timeline


def record_of(change: Change, *, user: Any, at: datetime) -> Record:
    """Return the record of a change as `user` may read it. A fixed number of queries."""
    requests = ApprovalRequest.objects.visible_to(user).filter(kind=CHANGE.kind, subject_id=change.pk)
    request: ApprovalRequest | None = requests.order_by("-pk").first()
    rows = Decision.objects.visible_to(user).filter(request__kind=CHANGE.kind, request__subject_id=change.pk)
    decided = [_decided(one, change, request) for one in rows.select_related("stage", "request").order_by("pk")]
    counting = [one for one in decided if one.counts and one.verdict == "approved"]
    return Record(
        look=look_of(change),
        outcome=OUTCOME_LOOKS.get(change.outcome),
        facts=list(facts_of(change)),
        digest=CHANGE.digest(change),
        request=request,
        decisions=decided,
        before=_before(change, counting),
        duties=_duties(change, counting),
        gates=gates_of(change, user=user),
        matrix=matrix_of(change, user=user),
        overrides=list(FreezeOverride.objects.visible_to(user).filter(change=change).select_related("freeze")),
        links=records.links_of(change, user=user),
        worked=_worked(change, user),
        undoing=undoing_of(change, user=user, at=at),
        timeline=timeline_of(change, whole=True, at=at, oldest_first=True),
    )


def _worked(change: Change, user: Any) -> list[Worked]:
    """Return the runs of a change with their steps; bound are those whose steps are of the text that was approved."""
    runs = list(ChecklistRun.objects.visible_to(user).of(change).select_related("runbook_version__runbook"))
    steps: dict[int, list[RunStep]] = {run.pk: [] for run in runs}
    for step in RunStep.objects.visible_to(user).filter(run__in=steps).order_by("position"):
        steps[step.run_id].append(step)
    approved = digest(change.started_text) if change.started_text else ""
    return [Worked(run, steps[run.pk], bool(run.plan) and run.digest == approved) for run in runs]


def _decided(one: Decision, change: Change, request: ApprovalRequest | None) -> Decided:
    before = change.started_at - one.decided_at if change.started_at is not None else None
    stands = request is not None and one.request_id == request.pk and one.round == request.round
    voided = request is not None and request.state == RequestState.VOIDED
    return Decided(one, "approved" if one.verdict == Verdict.APPROVE else "rejected", before, stands and not voided)


def _before(change: Change, counting: Sequence[Decided]) -> timedelta | None:
    """Return how long before the start the last approval was given, of a standard change the one of its template."""
    if change.started_at is None:
        return None
    if counting:
        return counting[-1].before
    if change.type == ChangeType.STANDARD and change.template is not None:
        at = change.approved_at or standing(change.template).at
        return change.started_at - at if at is not None else None
    return None


def _duties(change: Change, counting: Sequence[Decided]) -> list[Duty]:
    """Return whether those who asked, decided and carried it out are different people."""
    deciders = {one.decision.decider_id: one.decision.decided_by for one in counting}
    if change.type == ChangeType.STANDARD:
        return [
            Duty(
                question="Approved beforehand",
                holds=change.approved_at is not None,
                words=f"By its template: {change.approved_by}",
            )
        ]
    if not deciders:
        return [Duty("Somebody has approved it", holds=False, words="Nobody has approved it as it stands.")]
    names = ", ".join(deciders.values())
    found = [
        Duty("The requester decided nothing", change.requester_id not in deciders,
             f"Requested by {change.requester}; approved by {names}"),
        Duty("Who carries it out decided nothing", change.implementer_id not in deciders,
             f"Carried out by {change.implementer or 'nobody'}; approved by {names}"),
    ]  # fmt: skip
    if change.authority_id is not None:
        found.append(
            Duty("Who let it start decided nothing afterwards", change.authority_id not in deciders,
                 f"Started on the authority of {change.authorised_by}; approved by {names}")
        )  # fmt: skip
    if change.started_at is not None:
        early = all(not one.afterwards for one in counting)
        words = "Every approval was given before the start" if early else "It was approved after its start"
        if change.authority_id is not None:
            words = f"An emergency: it was started on the authority of {change.authorised_by}, and approved afterwards"
        found.append(Duty("Approved before it was started", early, words))
    return found
