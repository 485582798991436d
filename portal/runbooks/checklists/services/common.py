"""What every verb of a run does: write its event, and its line in the timeline of the record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from portal.audit.actor import By, actor_of, current, gesture_of
from portal.records import services as records
from portal.runbooks.checklists.enums import What
from portal.runbooks.models import ChecklistRun, RunEvent, RunStep

NOTE = "checklist"
MOST_NAMED = 12  # steps of one gesture that its line names one by one


def event_of(
    run: ChecklistRun, what: What, *, by: By, at: datetime, step: RunStep | None = None, **more: Any
) -> RunEvent:
    """Return an unsaved event. Reason, origin and gesture come from the open acting context; see RunEvent for more."""
    context, actor = current(), actor_of(by)
    assert context is not None  # noqa: S101 - every verb opens one
    return RunEvent(
        run=run,
        step=step,
        what=what,
        at=at,
        actor_name=actor.name[:200],
        actor_user_id=actor.user_id,
        actor_contact_id=actor.contact_id,
        origin=context.origin,
        gesture=context.gesture,
        reason=context.reason,
        **more,
    )


def tell(
    run: ChecklistRun, text: str, *, by: By, at: datetime, steps: Iterable[RunStep] = (), detail: str = "", **data: Any
) -> None:
    """Write one line into the timeline of the record; nothing where the run is for none."""
    if run.subject_type_id is None or run.subject_id is None:
        return
    context = current()
    positions = [step.position for step in steps]
    records.write_notes(
        [
            records.make_note(
                subject_type_id=run.subject_type_id,
                subject_id=run.subject_id,
                kind=NOTE,
                text=text,
                detail=detail,
                reason=context.reason if context else "",
                by=by,
                at=at,
                data={"run": run.reference, "steps": positions, **data},
            )
        ]
    )


def named(steps: Sequence[RunStep]) -> str:
    """Return the steps of one gesture in words: "step 4", "steps 4, 9 and 14", "15 steps from 4 to 79"."""
    positions = sorted(step.position for step in steps)
    if len(positions) == 1:
        return f"step {positions[0]}"
    if len(positions) > MOST_NAMED:
        return f"{len(positions)} steps from {positions[0]} to {positions[-1]}"
    return f"steps {', '.join(map(str, positions[:-1]))} and {positions[-1]}"


def done(once: uuid.UUID, by: By) -> bool:
    """Tell whether the form with this one-time key was carried out already for them."""
    return RunEvent.objects.filter(gesture=gesture_of(once, by)).exists()
