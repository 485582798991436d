"""Telling people, and writing down: updates, notes, and a resolve clock that stands still for a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents import clocks
from incidents.enums import Audience
from incidents.models import Incident
from incidents.policy import Refused, check_open
from incidents.services.common import locked, say
from incidents.services.responding import result_of
from portal.audit.actor import By, actor_of
from portal.directory.enums import Clock
from portal.lib.blank import is_blank
from portal.records.models import Note

TEXT_LIMIT = 5000


def record_update(
    incident: Incident,
    *,
    audience: str,
    text: str,
    by: By,
    at: datetime,
    event_at: datetime | None = None,
    reason: str = "",
) -> Incident:
    """Record what an audience was told. This is what meets their clock, by the moment of recording.

    While the incident is open, the clock of the next update starts where the severity asks for one. Refused is raised
    for an unknown audience, an empty text, or an incident that is closed or cancelled.
    """
    text = _checked(text)
    if audience not in Audience.values:
        raise Refused(f"Choose who was told: {', '.join(Audience.labels)}.")
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.merged_at:
            raise Refused("It was merged into another incident. Record the update there.")
        if row.closed_at or row.cancelled_at:
            raise Refused("It is over. Reopen it before you record an update, or add a note.")
        write_update(row, audience=audience, text=text, by=by, at=at, event_at=_not_later(event_at, at), reason=reason)
    return row


def write_update(
    incident: Incident,
    *,
    audience: str,
    text: str,
    by: By,
    at: datetime,
    data: dict[str, Any] | None = None,
    **more: Any,
) -> Note:
    """Write down what an audience was told, on a locked incident: their clock is settled, the next one starts."""
    settled, label = clocks.meet(incident, clock=audience, at=at), Audience(audience).label.lower()
    facts = {"result": result_of(settled, label), **(data or {})}
    note = say(
        incident, "update", f"told {label}", by=by, at=at, detail=text, audience=audience, data=facts, **more
    )  # fmt: skip
    if incident.is_open:
        clocks.start_next_update(incident, audience=audience, at=at)
    return note


def skip_clock(incident: Incident, *, clock: str, by: By, at: datetime, reason: str) -> Incident:
    """Say that a message that is due is not sent, and why: its clock counts neither as met nor as missed.

    Without the first message none follows; after a later one the next is due again. Refused is raised without a
    reason, and for a clock that does not run or whose limit has passed.
    """
    if is_blank(reason):
        raise Refused("Say why they are not told. The reason is shown beside the clock.")
    if clocks.base(clock) not in Audience.values:
        raise Refused("Only a message to an audience can be skipped. The other clocks run until they are met.")
    with locked(incident, by=by, at=at, reason=reason) as row:
        if not clocks.skip(row, key=clock, by=actor_of(by).name, at=at, reason=reason):
            raise Refused("That message is not due any more, or its limit has passed. What was missed stays missed.")
        label = Audience(clocks.base(clock)).label.lower()
        say(
            row, "clock", f"skipped a message to {label}", by=by, at=at, reason=reason, audience=clocks.base(clock),
            data={"clock": clock},
        )  # fmt: skip
        if row.is_open and clock != clocks.base(clock):
            clocks.start_next_update(row, audience=clocks.base(clock), at=at)
    return row


def add_note(
    incident: Incident,
    *,
    text: str,
    by: By,
    at: datetime,
    event_at: datetime | None = None,
    corrects: Note | None = None,
    reason: str = "",
) -> Note:
    """Write down what was seen or done, at `event_at` when that was earlier. A correction is a new note."""
    text = _checked(text)
    with locked(incident, by=by, at=at, reason=reason) as row:
        if corrects is not None and corrects.subject_id != row.pk:
            raise Refused("That note belongs to another incident.")
        verb = "corrected an entry" if corrects is not None else "noted"
        return say(row, "note", verb, by=by, at=at, event_at=_not_later(event_at, at), detail=text, corrects=corrects)


def _checked(text: str) -> str:
    text = text.strip()
    if is_blank(text):
        raise Refused("Write what happened, in a sentence or two.")
    if len(text) > TEXT_LIMIT:
        raise Refused(f"That is {len(text)} characters; {TEXT_LIMIT} fit. Shorten it.")
    return text


def _not_later(event_at: datetime | None, at: datetime) -> datetime:
    if event_at is not None and event_at > at:
        raise Refused("That time lies in the future. Give the time when it happened.")
    return event_at or at


def pause_clock(incident: Incident, *, by: By, at: datetime, reason: str, clock: str = Clock.RESOLVE) -> Incident:
    """Let the resolve clock stand still, with a reason. Only this clock ever pauses."""
    if clock != Clock.RESOLVE:
        raise Refused("Only the resolve clock can be paused. The others run until they are met.")
    if is_blank(reason):
        raise Refused("Say what it waits for. The reason is shown beside the clock.")
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "pause its clock")
        if not clocks.pause(row, clock=clock, at=at, reason=reason):
            raise Refused("There is no resolve clock running that could be paused.")
        say(row, "clock", "paused the resolve clock", by=by, at=at, reason=reason)
    return row


def resume_clock(incident: Incident, *, by: By, at: datetime, reason: str = "", clock: str = Clock.RESOLVE) -> Incident:
    """Let a paused resolve clock run on with the time that it had left."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "resume its clock")
        if not clocks.resume(row, clock=clock, at=at):
            raise Refused("No clock is paused here.")
        say(row, "clock", "resumed the resolve clock", by=by, at=at, reason=reason)
    return row
