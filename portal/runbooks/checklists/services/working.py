"""Working the steps of a run: tick, fail, skip, undo, hand over, note, attach.

The rows are locked in the order of their keys and read again, so that of two people who tick one step at the same
moment the second finds it ticked: on PostgreSQL because the lock waits, on SQLite because transactions that write come
one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import transaction

from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Contact, System, Team
from portal.lib import times
from portal.lib.blank import is_blank
from portal.records.evidence.incoming import Incoming
from portal.records.evidence.services import collect
from portal.records.models import Evidence
from portal.runbooks.checklists import policy, subjects
from portal.runbooks.checklists.enums import SETTLED, StepState, What
from portal.runbooks.checklists.policy import Refused, Taken
from portal.runbooks.checklists.services.common import event_of, named, tell
from portal.runbooks.checklists.services.ending import end_when_done, reopen
from portal.runbooks.configuration import services as configuration
from portal.runbooks.models import ChecklistRun, RunEvent, RunStep

_DID = {StepState.DONE: "ticked", StepState.FAILED: "failed", StepState.SKIPPED: "skipped"}
_EVENTS = {StepState.DONE: What.TICKED, StepState.FAILED: What.FAILED, StepState.SKIPPED: What.SKIPPED}
SAME_TEAM = "It is with {team} already. Choose another team, or a person."
GONE = "{person} has left. Choose somebody else."
NO_TEAM = "{team} is no team any more. Choose another one."
NO_RECEIVER = "Choose a team or a person, and not both."
NO_WORDS = "Write what you saw or did."
NOT_ITS = "That is no evidence of the record that this checklist is worked for."
CONFIGURATION = "configuration"  # the page that such a step leads to
AT_MOST = 500  # steps of one gesture


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of many steps at once: those that were done, and a sentence for each that was not."""

    done: list[RunStep] = field(default_factory=list)
    refused: list[tuple[RunStep, str]] = field(default_factory=list)


@contextmanager
def _locked(keys: Iterable[int], *, by: By, at: datetime, reason: str = "") -> Iterator[list[RunStep]]:
    """Open one atomic gesture on the locked, freshly read steps."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason.strip()):
        rows = RunStep.objects.filter(pk__in=set(keys)).order_by("pk").select_for_update(of=("self",), no_key=True)
        held = list(rows.values_list("pk", flat=True))
        yield list(RunStep.objects.filter(pk__in=held).select_related("run", "team").order_by("pk"))


def tick(step: RunStep, *, by: By, at: datetime, reason: str = "") -> RunStep:
    """Say that a step is done. Taken is raised when somebody else was first: its sentence says who, and when."""
    return _settle_one(step, "tick", by=by, at=at, reason=reason)


def fail(step: RunStep, *, by: By, at: datetime, reason: str) -> RunStep:
    """Say that a step was tried and did not work, and what went wrong. It can be ticked later."""
    return _settle_one(step, "fail", by=by, at=at, reason=reason)


def skip(step: RunStep, *, by: By, at: datetime, reason: str) -> RunStep:
    """Leave a step out, with the reason."""
    return _settle_one(step, "skip", by=by, at=at, reason=reason)


def tick_all(steps: Iterable[RunStep], *, by: By, at: datetime, reason: str = "") -> Outcome:
    """Tick many steps, of one run or of several, in one gesture; what does not fit is told and keeps no other back."""
    keys = [step.pk for step in steps][:AT_MOST]
    outcome = Outcome()
    with _locked(keys, by=by, at=at, reason=reason) as rows:
        for step in rows:
            try:
                check(step, "tick", by=by, at=at)
            except Refused as refused:
                outcome.refused.append((step, str(refused)))
            else:
                outcome.done.append(step)
        _settle(outcome.done, "tick", by=by, at=at)
    return outcome


def _settle_one(step: RunStep, verb: str, *, by: By, at: datetime, reason: str) -> RunStep:
    policy.check_reason(verb, reason)
    with _locked([step.pk], by=by, at=at, reason=reason) as (row,):
        check(row, verb, by=by, at=at)
        _settle([row], verb, by=by, at=at, result=reason.strip())
    return row


def check(step: RunStep, verb: str, *, by: By, at: datetime) -> None:
    """Refuse a verb that does not fit a step; whoever comes second is told who was first.

    A step that leads to the page of configuration is ticked once everything asked of the systems is marked present.
    """
    if step.state in SETTLED and not policy.can(verb, step.state):
        last = _last(step)
        own = last is not None and last.actor_user_id is not None and last.actor_user_id == actor_of(by).user_id
        who, word = "You" if own else step.settled_by, _DID[StepState(step.state)]
        assert step.settled_at is not None  # noqa: S101 - the database says so of what is settled
        raise Taken(f"{who} {word} step {step.position} already, {times.exact(step.settled_at)}.", own=own)
    if step.run.is_over:
        raise Refused(policy.OVER)
    policy.next_state(verb, step.state)
    if verb == "tick":
        _known(step, at=at)


def _known(step: RunStep, *, at: datetime) -> str:
    """Refuse to tick a step that says the configuration is verified while it is not; return what is stale of it."""
    subject = step.run.subject if step.page == CONFIGURATION else None
    kind = subjects.of_record(subject) if subject is not None else None
    if kind is None:
        return ""
    systems = System.objects.filter(pk__in=kind.facts(subject).system_ids)
    return configuration.check_verified(systems, at=at)


def _last(step: RunStep) -> RunEvent | None:
    """Return the event that brought a step into the state in which it is settled."""
    rows = RunEvent.objects.filter(step=step, result=step.state, what__in=_EVENTS.values())
    found: RunEvent | None = rows.order_by("-at", "-pk").first()
    return found


def _settle(steps: Sequence[RunStep], verb: str, *, by: By, at: datetime, result: str = "") -> None:
    """Bring steps that fit into the state that the verb leads to, each with its event; a line for each run."""
    if not steps:
        return
    name, events = actor_of(by).name[:200], []
    for step in steps:
        step.state = policy.next_state(verb, step.state)
        step.settled_at, step.settled_by, step.result = at, name, result
        text = _known(step, at=at) if verb == "tick" else ""
        events.append(event_of(step.run, _EVENTS[step.state], by=by, at=at, step=step, result=step.state, text=text))
    RunStep.objects.bulk_update(steps, ["state", "settled_at", "settled_by", "result"])
    RunEvent.objects.bulk_create(events)
    for run, own in _by_run(steps):
        did = _DID[StepState(own[0].state)]
        words = own[0].text if len(own) == 1 else ""
        tell(run, f"{did} {named(own)} of “{run.name}”", by=by, at=at, steps=own, detail=words, did=did)
        end_when_done(run, by=by, at=at)


def _by_run(steps: Sequence[RunStep]) -> Iterator[tuple[ChecklistRun, list[RunStep]]]:
    ordered = sorted(steps, key=lambda step: (step.run_id, step.position))
    for _, found in groupby(ordered, key=lambda step: step.run_id):
        own = list(found)
        yield own[0].run, own


def undo(step: RunStep, *, by: By, at: datetime, reason: str) -> RunStep:
    """Open a settled step again. What happened stays: undoing is an event of its own that names what it takes back."""
    policy.check_reason("undo", reason)
    with _locked([step.pk], by=by, at=at, reason=reason) as (row,):
        back, after = _last(row), policy.next_state("undo", row.state)
        if row.run.is_over:
            reopen(row.run, by=by, at=at)
        row.state = after
        row.settled_at, row.settled_by, row.result = None, "", ""
        row.save(update_fields=["state", "settled_at", "settled_by", "result"])
        event_of(row.run, What.UNDONE, by=by, at=at, step=row, result=row.state, undoes=back).save()
        tell(row.run, f"opened step {row.position} of “{row.run.name}” again", by=by, at=at, steps=[row], did="undone")
    return row


def hand_over(
    step: RunStep, *, by: By, at: datetime, team: Team | None = None, person: Contact | None = None, reason: str = ""
) -> RunStep:
    """Give a step to another team, or to one person of whatever team; it stands on their board from now on."""
    if (team is None) == (person is None):
        raise Refused(NO_RECEIVER)
    if person is not None and not person.active:
        raise Refused(GONE.format(person=person))
    if team is not None and not team.active:
        raise Refused(NO_TEAM.format(team=team))
    with _locked([step.pk], by=by, at=at, reason=reason) as (row,):
        check(row, "hand over", by=by, at=at)
        if team is not None and team.pk == row.team_id and row.assignee_id is None:
            raise Refused(SAME_TEAM.format(team=team))
        row.team, row.assignee = team or row.team, person
        row.save(update_fields=["team", "assignee"])
        receiver = str(team or person)
        event_of(row.run, What.HANDED_OVER, by=by, at=at, step=row, result=row.state, to_name=receiver[:200]).save()
        text = f"handed step {row.position} of “{row.run.name}” over to {receiver}"
        tell(row.run, text, by=by, at=at, steps=[row], detail=row.text, did="handed over")
    return row


def add_note(step: RunStep, *, text: str, by: By, at: datetime) -> RunStep:
    """Write down what was seen or done at a step. A note is never edited; another one corrects it."""
    if is_blank(text):
        raise Refused(NO_WORDS)
    with _locked([step.pk], by=by, at=at) as (row,):
        event_of(row.run, What.NOTED, by=by, at=at, step=row, text=text.strip()).save()
        words = f"noted at step {row.position} of “{row.run.name}”"
        tell(row.run, words, by=by, at=at, steps=[row], detail=text.strip(), did="noted")
    return row


def attach(step: RunStep, *, evidence: Evidence, by: By, at: datetime, text: str = "") -> RunStep:
    """Attach a piece of evidence to a step: a log, a picture. It stays in its own custody."""
    with _locked([step.pk], by=by, at=at) as (row,):
        of: dict[str, Any] = {"subject_type_id": row.run.subject_type_id, "subject_id": row.run.subject_id}
        own = Evidence.objects.filter(pk=evidence.pk).filter(**of) if row.run.subject_id else Evidence.objects.none()
        if not own.exists():
            raise Refused(NOT_ITS)
        event_of(row.run, What.ATTACHED, by=by, at=at, step=row, evidence=evidence, text=text.strip()).save()
        words = f"attached {evidence.reference} to step {row.position} of “{row.run.name}”"
        tell(row.run, words, by=by, at=at, steps=[row], detail=text.strip(), did="attached")
    return row


def attach_file(
    step: RunStep,
    *,
    incoming: Incoming,
    most: int,
    source: str,
    acquired_at: datetime,
    description: str = "",
    collector: Contact | None = None,
    by: By,
    at: datetime,
) -> Evidence:
    """Keep a file as evidence of the record and attach it to a step of its run.

    portal.records.evidence.policy.Refused is raised for a file that is not kept. The file is kept first, in its own
    transaction; sent again with the same gesture it is the same item.
    """
    subject = step.run.subject
    if subject is None:
        raise Refused(NOT_ITS)
    with acting(by=by, at=at):
        kept = collect(
            subject, incoming, source=source, acquired_at=acquired_at, description=description, collector=collector,
            most=most, by=by, at=at,
        )  # fmt: skip
        attach(step, evidence=kept, by=by, at=at, text=description)
    return kept
