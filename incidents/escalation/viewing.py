"""An escalation as the room shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.enums import EscalationState
from incidents.escalation.holding import HELD
from incidents.escalation.running import ESCALATION
from incidents.models import Escalation, Incident
from incidents.policy import Snapshot
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState
from portal.lib import durations


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: whom it reaches, how long it waits, and whether it was taken (in the present round)."""

    number: int
    names: str
    wait: str
    taken: bool
    is_next: bool


@dataclass(frozen=True, slots=True)
class EscalationView:
    """Where an escalation stands. `changed_since` tells that its policy was edited after the start.

    `held_until` is until when nobody is paged, and `held_by` the maintenance windows that say so.
    """

    policy_name: str
    version: int
    state: str
    state_words: str
    steps: list[StepView]
    round_number: int
    rounds: int
    next_at: datetime | None
    exhausted: bool
    changed_since: bool
    held_until: datetime | None = None
    held_by: tuple[str, ...] = ()


def state_of(incident: Incident) -> EscalationView | None:
    """Return the newest escalation of an incident, or nothing when none was started."""
    escalation = Escalation.objects.filter(incident=incident).select_related("policy").first()
    if escalation is None:
        return None
    snapshot = Snapshot.of(escalation.snapshot)
    waiting = {row.kind: row for row in deadlines.of(incident, [ESCALATION, HELD]).filter(state=DeadlineState.PENDING)}
    pending, held = waiting.get(ESCALATION), waiting.get(HELD)
    place = pending.payload if pending else None
    round_ = place["round"] if place else escalation.next_round
    next_step = _next_step(escalation, snapshot, place)
    steps = [
        StepView(
            number=number + 1,
            names=", ".join(str(target["name"]) for target in step["targets"]) or "nobody",
            wait="at once" if not step["delay"] else f"after {durations.words(int(str(step['delay'])))}",
            taken=number < next_step,
            is_next=pending is not None and number == next_step,
        )
        for number, step in enumerate(snapshot.steps)
    ]
    return EscalationView(
        policy_name=snapshot.name,
        version=snapshot.version,
        state=escalation.state,
        state_words=EscalationState(escalation.state).label,
        steps=steps,
        round_number=round_ + 1,
        rounds=snapshot.repeat + 1,
        next_at=pending.due_at if pending else None,
        exhausted=escalation.state == EscalationState.EXHAUSTED,
        changed_since=escalation.policy is not None and escalation.policy.version != snapshot.version,
        held_until=held.due_at if held else None,
        held_by=tuple(held.payload.get("windows", [])) if held else (),
    )


def _next_step(escalation: Escalation, snapshot: Snapshot, place: dict[str, Any] | None) -> int:
    if escalation.state == EscalationState.EXHAUSTED or (place and place["last"]):
        return len(snapshot.steps)
    return int(place["step"]) if place else escalation.next_step
