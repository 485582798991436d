"""A policy at work: started on a snapshot, one deadline a step, stopped by an acknowledgement, at last exhausted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from incidents import messages
from incidents.enums import EscalationState, IncidentType
from incidents.escalation import holding
from incidents.escalation.choosing import choose_policy, snapshot_of
from incidents.escalation.reaching import Book, page
from incidents.escalation.telling import SYSTEM, context_of, page_note, type_id, unreached_note
from incidents.models import Escalation, Incident
from incidents.policy import Refused, Snapshot
from portal.audit.actor import By
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import System
from portal.lib import doorbell
from portal.notify import services as notify
from portal.notify.compose import Draft
from portal.records import services as records
from portal.records.models import Note

ESCALATION = "incident.escalation"
SWEEP = "portal.dashboard.tasks.sweep"


def start(incident: Incident, *, systems: list[System], at: datetime, again: bool = False) -> Escalation:
    """Start escalating an incident under its present generation; the caller holds the incident's lock.

    While maintenance goes on with all of its systems, the first step waits until that is over. `again` says that this
    goes on with the escalation before, which was only interrupted: where that one had begun to page, nothing waits.
    """
    paging = again and _had_begun(incident)
    policy = choose_policy(systems, security=incident.type == IncidentType.SECURITY)
    snapshot = snapshot_of(policy)
    escalation = Escalation.objects.create(
        incident=incident, generation=incident.generation, policy=policy, snapshot=snapshot.as_json(), started_at=at
    )
    ids = [system.pk for system in systems]
    hold = None if paging else holding.hold_of(incident, ids, at=at, judged=not incident.source)
    if hold is not None:
        deadlines.start_many([holding.hold_back(incident, hold, at=at)])
        records.write_notes([holding.held_note(incident, hold, at=at)])
    else:
        _begin(incident, snapshot, at=at)
    return escalation


def _had_begun(incident: Incident) -> bool:
    """Tell whether the last escalation of an incident began to page, in spite of a window or before one."""
    last = Escalation.objects.filter(incident=incident).order_by("-started_at", "-pk").first()
    steps = deadlines.of(incident, [ESCALATION])
    return last is not None and steps.filter(generation=last.generation).exists()


def _begin(incident: Incident, snapshot: Snapshot, *, at: datetime) -> None:
    """Arm the first step."""
    first_due = at + timedelta(seconds=snapshot.delay_of(0) if snapshot.steps else 0)
    deadlines.start_many([_deadline(incident, 0, 0, due_at=first_due, started_at=at, last=not snapshot.steps)])
    if first_due <= at:
        doorbell.ring_on_commit(SWEEP)


def look_again(incident: Incident, row: Deadline | None = None, *, at: datetime) -> bool:
    """Let what is held back of an incident wait on, or begin to page; the caller holds the incident's lock.

    `row` is the deadline that is firing, when that is what asks; without one, whatever changed meanwhile. An incident
    that was raised to the gravest level waits no more. True is returned when paging begins.
    """
    asked, waiting = row is None, row or holding.waiting_of(incident)
    if waiting is None or waiting.generation != incident.generation:
        return False
    found = Escalation.objects.filter(incident=incident, state=EscalationState.RUNNING).first()
    if found is None:
        return False
    raised = incident.severity.level < int(waiting.payload.get("level", 0))
    ids = list(incident.systems.values_list("pk", flat=True))
    hold = holding.hold_of(incident, ids, at=at, judged=raised or not incident.source)
    if hold is not None and asked and hold.until == waiting.due_at:
        return False
    if asked:
        holding.let_go(incident, at=at)
    if hold is not None:
        deadlines.start_many([holding.hold_back(incident, hold, at=at, number=int(waiting.key) + 1)])
        records.write_notes([holding.held_note(incident, hold, at=at, still=True)])
        return False
    why = f"it was raised to {incident.severity.code}" if raised and incident.severity.level <= holding.GRAVEST else ""
    records.write_notes([holding.released_note(incident, waiting.payload.get("windows", []), at=at, why=why)])
    _begin(incident, Snapshot.of(found.snapshot), at=at)
    return True


def is_paging(incident: Incident) -> bool:
    """Tell whether people are being paged for an incident just now."""
    running = Escalation.objects.filter(incident=incident, state=EscalationState.RUNNING)
    return running.exists() and holding.waiting_of(incident) is None


def page_anyway(incident: Incident, *, why: str, at: datetime) -> None:
    """Begin to page for what is held back, whatever goes on with its systems; the caller holds the incident's lock."""
    waiting = holding.waiting_of(incident)
    found = Escalation.objects.filter(incident=incident, state=EscalationState.RUNNING).first()
    if waiting is None or found is None:
        return
    holding.let_go(incident, at=at)
    records.write_notes([holding.released_note(incident, waiting.payload.get("windows", []), at=at, why=why)])
    _begin(incident, Snapshot.of(found.snapshot), at=at)


def release(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Begin to page for what was held back until now, where no other window holds it back."""
    for row, incident in batch:
        look_again(incident, row, at=at)


def _deadline(
    incident: Incident, round_: int, step: int, *, due_at: datetime, started_at: datetime, last: bool = False
) -> Deadline:
    return Deadline(
        kind=ESCALATION,
        subject_type_id=type_id(),
        subject_id=incident.pk,
        key="exhausted" if last else f"{round_}.{step}",
        generation=incident.generation,
        started_at=started_at,
        due_at=due_at,
        payload={"round": round_, "step": step, "last": last},
    )


def stop(incident: Incident, *, at: datetime, over: bool = False) -> int:
    """Stop what pages people: timers, unsent messages, repeats. Return how many messages were cancelled.

    Every other message about the incident repeats no more, but is still delivered, unless the incident is `over`; what
    an audience or a follower is told is delivered even then. The
    incident's generation moves on under its lock, so that a timer left over can never fire; the caller saves it.
    """
    pending = deadlines.of(incident, kinds=[ESCALATION]).filter(state=DeadlineState.PENDING).first()
    running = Escalation.objects.filter(incident=incident, state=EscalationState.RUNNING)
    where = {"next_round": pending.payload["round"], "next_step": pending.payload["step"]} if pending else {}
    running.update(state=EscalationState.STOPPED, ended_at=at, **where)
    deadlines.cancel(subject=incident, kind=ESCALATION, at=at)
    holding.let_go(incident, at=at)
    incident.generation += 1
    kinds = None if over else messages.OF_ESCALATION
    return notify.cancel_unsent(about=incident, at=at, kinds=kinds, but=messages.TOLD)


@dataclass(slots=True)
class _Work:
    """What a batch of steps decided, to be written at once."""

    notes: list[Note]
    drafts: list[Draft]
    again: list[Draft]  # to people who may have been paged for this incident before
    following: list[Deadline]
    exhausted: list[int]


def fire_steps(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Take the steps that are due: page, write the timeline, arm what follows. Called under the incidents' locks."""
    live = [(row, incident) for row, incident in batch if row.generation == incident.generation]
    if not live:
        return
    running = _running([incident.pk for _, incident in live])
    systems = _systems_of([incident.pk for _, incident in live])
    targets = [
        target
        for snapshot in {id(snapshot): snapshot for _, snapshot in running.values()}.values()
        for step in snapshot.steps
        for target in step["targets"]
    ]
    book = Book(targets, system_ids={pk for names in systems.values() for pk, _ in names}, at=at)
    work = _Work([], [], [], [], [])
    for row, incident in live:
        found = running.get((incident.pk, row.generation))
        if found is not None:
            _take(row, incident, *found, systems.get(incident.pk, []), book, work, at)
    _write(work, at)


def _running(incident_ids: list[int]) -> dict[tuple[int, int], tuple[int, Snapshot]]:
    """Return id and snapshot of each running escalation by incident and generation; equal snapshots are read once."""
    rows = Escalation.objects.filter(incident_id__in=incident_ids, state=EscalationState.RUNNING)
    texts = rows.annotate(text=Cast("snapshot", TextField())).values_list("incident_id", "generation", "pk", "text")
    read = {text: Snapshot.of(json.loads(text)) for text in {text for *_, text in texts}}
    return {(incident_id, generation): (pk, read[text]) for incident_id, generation, pk, text in texts}


def _systems_of(incident_ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    rows = Incident.systems.through.objects.filter(incident_id__in=incident_ids).values_list(
        "incident_id", "system_id", "system__name"
    )
    for incident_id, system_id, name in rows:
        found.setdefault(incident_id, []).append((system_id, name))
    return found


def _take(
    row: Deadline,
    incident: Incident,
    escalation_id: int,
    snapshot: Snapshot,
    systems: list[tuple[int, str]],
    book: Book,
    work: _Work,
    at: datetime,
) -> None:
    """Take one step; after an outage the steps missed meanwhile are taken with it, each target once.

    A step that reaches no person does not wait: the next one of the round is taken with it, at last the administrators.
    """
    if row.payload["last"]:
        _exhaust(row, incident, escalation_id, snapshot, systems, book, work, at)
        return
    round_, step, due_at = row.payload["round"], row.payload["step"], row.due_at
    steps = [step]
    following = snapshot.after(round_, step)
    while following is not None and due_at + timedelta(seconds=following[2]) <= at:
        round_, step, wait = following
        due_at += timedelta(seconds=wait)
        steps.append(step)
        following = snapshot.after(round_, step)
    system_ids = [pk for pk, _ in systems]
    reached = book.try_to_reach(_targets(snapshot, steps), system_ids=system_ids)
    while reached.needs_help and following is not None and following[0] == round_:
        step = following[1]
        steps.append(step)
        following = snapshot.after(round_, step)
        reached = book.try_to_reach(_targets(snapshot, steps), system_ids=system_ids)
    if reached.needs_help or not reached.recipients:
        book.add_last_resort(reached)
    if following is not None:
        next_due = due_at + timedelta(seconds=following[2])
        work.following.append(_deadline(incident, *following[:2], due_at=next_due, started_at=due_at))
    else:
        next_due = due_at + timedelta(seconds=snapshot.final_wait)
        work.following.append(_deadline(incident, round_, step, due_at=next_due, started_at=due_at, last=True))
    context = context_of(snapshot, systems, step=steps[-1], next_due=next_due, following=following)
    key = f"i{incident.pk}:g{incident.generation}:{row.key}"
    first = row.key == "0.0" and incident.type != IncidentType.SECURITY
    drafts = page(incident, reached.recipients, book, key=key, context=context)
    (work.drafts if first else work.again).extend(drafts)
    work.notes.append(
        page_note(incident, snapshot, reached, steps, round_=row.payload["round"], late=at - row.due_at, at=at)
    )
    if reached.silent:
        work.notes.append(unreached_note(incident, reached, at=at))


def _targets(snapshot: Snapshot, steps: list[int]) -> list[Mapping[str, Any]]:
    """Return whom these steps name, each step once."""
    found: Any = [target for number in dict.fromkeys(steps) for target in snapshot.steps[number]["targets"]]
    return list(found)


def _exhaust(
    row: Deadline,
    incident: Incident,
    escalation_id: int,
    snapshot: Snapshot,
    systems: list[tuple[int, str]],
    book: Book,
    work: _Work,
    at: datetime,
) -> None:
    work.exhausted.append(escalation_id)
    last_resort = book.administrators()
    context = {"systems": ", ".join(name for _, name in systems), "policy_name": snapshot.name}
    key = f"i{incident.pk}:g{incident.generation}:{row.key}"
    work.again += page(
        incident, last_resort, book, key=key, kind=messages.EXHAUSTED, words=messages.EXHAUSTED, context=context
    )
    why = (
        "every step was taken and nobody acknowledged" if snapshot.steps else "no escalation policy with steps fits it"
    )
    names = ", ".join(one.name for one in last_resort)
    work.notes.append(
        records.make_note(
            subject_type_id=type_id(),
            subject_id=incident.pk,
            kind="exhausted",
            text=f"paged the administrators: {names}" if names else "could page nobody: there is no administrator",
            detail=f"The escalation is exhausted: {why}.",
            by=SYSTEM,
            at=at,
        )
    )


def _write(work: _Work, at: datetime) -> None:
    records.write_notes(work.notes)
    notify.queue(work.drafts, at=at)
    notify.queue(work.again, at=at, instead=True)
    deadlines.start_many(work.following)
    if work.exhausted:
        Escalation.objects.filter(pk__in=work.exhausted).update(state=EscalationState.EXHAUSTED, ended_at=at)


def escalate_now(incident: Incident, *, by: By, at: datetime, reason: str) -> None:
    """Take the next step at once, by hand; the caller holds the incident's lock.

    While the escalation runs, its timer goes on from here. When it was stopped, only this step is taken. When it is
    exhausted, the administrators are paged again. Refused is raised when there never was one.
    """
    escalation = Escalation.objects.filter(incident=incident).first()
    if escalation is None:
        raise Refused("No escalation was ever started here. Page somebody by name instead.")
    snapshot = Snapshot.of(escalation.snapshot)
    pending = deadlines.of(incident, kinds=[ESCALATION]).filter(state=DeadlineState.PENDING).first()
    place = (
        pending.payload if pending else {"round": escalation.next_round, "step": escalation.next_step, "last": False}
    )
    deadlines.cancel(subject=incident, kind=ESCALATION, at=at)
    holding.let_go(incident, at=at)  # whoever escalates by hand knows better than a window
    systems = _systems_of([incident.pk]).get(incident.pk, [])
    every: list[Mapping[str, Any]] = [t for s in snapshot.steps for t in s["targets"]]
    book = Book(every, system_ids=[pk for pk, _ in systems], at=at)
    work = _Work([], [], [], [], [])
    by_hand = Deadline(
        kind=ESCALATION, subject_id=incident.pk, generation=incident.generation, due_at=at,
        key=f"hand:{at.isoformat()}", payload={**place, "last": _is_last(escalation, snapshot, place)},
    )  # fmt: skip
    _take(by_hand, incident, escalation.pk, snapshot, systems, book, work, at)
    if escalation.state == EscalationState.RUNNING:
        work.exhausted = work.exhausted if by_hand.payload["last"] else []
    else:
        _remember_place(escalation, snapshot, work.following)
        work.following, work.exhausted = [], []
    _write(work, at)
    records.write_note(incident, kind="escalated", text="escalated by hand", by=by, at=at, reason=reason)


def _is_last(escalation: Escalation, snapshot: Snapshot, place: Mapping[str, Any]) -> bool:
    return bool(place["last"]) or escalation.state == EscalationState.EXHAUSTED or place["step"] >= len(snapshot.steps)


def _remember_place(escalation: Escalation, snapshot: Snapshot, following: list[Deadline]) -> None:
    if not following:  # the administrators were paged: there is no further step
        return
    place = following[0].payload
    escalation.next_round = place["round"]
    escalation.next_step = len(snapshot.steps) if place["last"] else place["step"]
    escalation.save(update_fields=["next_round", "next_step"])
