"""A clock as a reader sees it: its state, what is left, and why it stands where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from incidents.clocks.timing import AT_RISK, base, of, of_many
from incidents.models import Incident
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.enums import Clock
from portal.lib import durations

_STARTED_BY = {
    Clock.RESPONSE: "when the incident was declared",
    Clock.ACTIVATION: "when the incident was declared",
    Clock.STAKEHOLDERS: "when the incident was declared",
    Clock.CUSTOMERS: "when the incident was declared",
    Clock.EXECUTIVES: "when the incident was declared",
    Clock.RESOLVE: "when the incident was declared",
}
_MET_BY = {
    Clock.RESPONSE: "Somebody acknowledged",
    Clock.ACTIVATION: "A commander was named",
    Clock.STAKEHOLDERS: "Stakeholders were told",
    Clock.CUSTOMERS: "Customers were told",
    Clock.EXECUTIVES: "Executives were told",
    Clock.RESOLVE: "The incident was resolved",
}
_ANEW = {"severity": "the severity", "systems": "the affected systems"}
# What a cancelled clock says of itself, and the state that it is shown in.
_HALTED = (("paused", "paused"), ("skip", "skipped"))
_ASKS_FOR = {
    Clock.RESPONSE: "Answer",
    Clock.ACTIVATION: "Name a commander",
    Clock.STAKEHOLDERS: "Tell stakeholders",
    Clock.CUSTOMERS: "Tell customers",
    Clock.EXECUTIVES: "Tell executives",
    Clock.RESOLVE: "Resolve",
}


@dataclass(frozen=True, slots=True)
class ClockFace:
    """What a clock card or a due chip shows. `percent` is how much of the time is used, 0 to 100.

    `owed` tells that the thing it waits for has not come, in time or late.
    """

    key: str
    name: str
    state: str
    value: str
    unit: str
    note: str
    percent: int
    due_at: datetime
    explanation: list[str] = field(default_factory=list)
    asks_for: str = ""
    owed: bool = False


def local(moment: datetime, *, near: datetime | None = None) -> str:
    """Return a moment in the reader's zone with the zone named; the day is left out when it is that of `near`."""
    shown = timezone.localtime(moment)
    same_day = near is not None and timezone.localtime(near).date() == shown.date()
    return shown.strftime("%H:%M %Z" if same_day else "%a %-d %b %Y, %H:%M %Z")


def asks_for(key: str) -> str:
    """Return the verb that keeps a clock, such as "Tell customers"."""
    return _ASKS_FOR[Clock(base(key))]


def clock_cards(incident: Incident, *, at: datetime, every: bool = False) -> list[ClockFace]:
    """Return the incident's clocks: what is late and still owed, what ticks by due time, then what is settled.

    A settled clock that a later update of the same audience follows is left out, unless it was missed, or `every` one
    is asked for. What was taken back, as the next update is when the incident is over, follows nothing.
    """
    return _arranged(of(incident), at=at, every=every)


def next_clock(incident_ids: list[int], *, at: datetime) -> dict[int, ClockFace]:
    """Return the clock that is due next for each incident that has one running, in one query."""
    found = {}
    for incident_id, rows in of_many(incident_ids).items():
        ticking = [row for row in rows.values() if row.state == DeadlineState.PENDING]
        paused = [row for row in rows.values() if row.payload.get("paused")]
        if ticking or paused:
            found[incident_id] = face((ticking or paused)[0], at=at)
    return found


def _arranged(rows: dict[str, Deadline], *, at: datetime, every: bool = False) -> list[ClockFace]:
    ticking, settled = [], []
    rows = {key: row for key, row in rows.items() if state_of(row, at=at) != "cancelled"}
    latest = {base(key): key for key in sorted(rows, key=lambda key: (len(key), key))}
    for key, row in rows.items():
        if row.state == DeadlineState.PENDING:
            ticking.append(face(row, at=at))
        elif every or row.state == DeadlineState.FIRED or latest[base(key)] == key:
            settled.append(face(row, at=at))
    burning = [one for one in settled if one.state == "missed" and one.owed]
    rest = [one for one in settled if one not in burning]
    return burning + ticking + sorted(rest, key=lambda one: ("missed", "paused", "skipped", "met").index(one.state))


def state_of(row: Deadline, *, at: datetime) -> str:
    """Return track, risk (from 75 % of the time), missed, met, paused or skipped."""
    if row.state == DeadlineState.MET:
        return "met"
    if row.state == DeadlineState.CANCELLED:
        return next((word for name, word in _HALTED if row.payload.get(name)), "cancelled")
    if row.state == DeadlineState.FIRED or at > row.due_at:
        return "missed"
    return "risk" if _used(row, at) >= AT_RISK else "track"


def _used(row: Deadline, at: datetime) -> float:
    whole = (row.due_at - row.started_at).total_seconds()
    return min(max((at - row.started_at).total_seconds() / whole, 0.0), 1.0) if whole > 0 else 1.0


def face(row: Deadline, *, at: datetime) -> ClockFace:
    """Return one clock as it is shown at `at`."""
    state = state_of(row, at=at)
    value, unit = _figure(row, state, at)
    clock = Clock(base(row.key))
    return ClockFace(
        key=row.key,
        name=clock.label,
        state=state,
        value=value,
        unit=unit,
        note=_note(row, state),
        percent=100 if state in ("missed", "met", "skipped") else round(_used(row, _stopped_at(row, at)) * 100),
        due_at=row.due_at,
        explanation=explain(row, at=at),
        asks_for=asks_for(row.key),
        owed=row.met_at is None and row.state in (DeadlineState.PENDING, DeadlineState.FIRED),
    )


def _stopped_at(row: Deadline, at: datetime) -> datetime:
    paused = row.payload.get("paused")
    return datetime.fromisoformat(paused["from"]) if paused else at


def _figure(row: Deadline, state: str, at: datetime) -> tuple[str, str]:
    if state == "met" and row.met_at is not None:
        return durations.words((row.met_at - row.started_at).total_seconds()), ""
    if state == "missed":
        late = ((row.met_at or at) - row.due_at).total_seconds()
        return durations.words(max(late, 0)), "late"
    if state == "skipped":
        return "Not sent", ""
    left = row.payload["paused"]["left"] if state == "paused" else (row.due_at - at).total_seconds()
    return durations.words(max(left, 0)), "left"


def _note(row: Deadline, state: str) -> str:
    words = row.payload.get("words", "")
    if state == "met":
        return f"Limit {words}"
    if state == "paused":
        return f"Paused: {row.payload['paused']['reason']}"
    if state == "skipped":
        return f"Skipped by {row.payload['skip']['by']}: {row.payload['skip']['reason']}"
    if state == "missed":
        done = f"done {local(row.met_at, near=row.due_at)}" if row.met_at else "not done yet"
        return f"Was due {local(row.due_at, near=row.met_at or row.due_at)}, {done}"
    verb = "Next update due" if "." in row.key else "Due"
    return f"{verb} {local(row.due_at, near=row.started_at)}"


def explain(row: Deadline, *, at: datetime) -> list[str]:
    """Return the sentences that explain a clock: start, rule, calendar, holidays, pauses, result."""
    facts, clock = row.payload, Clock(base(row.key))
    sentences = [_start_sentence(row, clock), _rule_sentence(row, clock)]
    if facts.get("calendar"):
        sentences.append(f"Business days follow the calendar “{facts['calendar']}”.")
        sentences.extend(facts.get("skipped", []))
    if facts.get("why") in _ANEW:
        sentences.append(f"It was computed anew when {_ANEW[facts['why']]} changed, from the same start.")
    sentences.extend(
        f"Paused from {local(datetime.fromisoformat(one['from']))} to "
        f"{local(datetime.fromisoformat(one['to']))}: {one['reason']}"
        for one in facts.get("pauses", [])
    )
    if row.state == DeadlineState.PENDING:
        sentences.append(f"So it is due {local(row.due_at)}.")
    sentences.append(_result_sentence(row, clock, at))
    return sentences


def _start_sentence(row: Deadline, clock: Clock) -> str:
    if row.payload.get("repeat"):
        return f"It started {local(row.started_at)}, with the update before it."
    since = "when the incident was reopened" if row.payload.get("why") == "reopened" else _STARTED_BY[clock]
    return f"It started {local(row.started_at)}, {since}."


def _rule_sentence(row: Deadline, clock: Clock) -> str:
    facts = row.payload
    if facts.get("repeat"):
        return f"{facts['severity']} asks for an update every {facts['words']}."
    if facts.get("system"):
        return f"The tightest recovery objective (RTO) is that of {facts['system']}: {facts['words']}."
    return f"{facts.get('severity', 'The severity')} gives “{clock.label}” {_article(facts.get('words', ''))}."


def _article(words: str) -> str:
    return f"until the {words}" if words.startswith("end of") else words


def _result_sentence(row: Deadline, clock: Clock, at: datetime) -> str:
    if row.state == DeadlineState.MET and row.met_at is not None:
        spare = durations.words((row.due_at - row.met_at).total_seconds())
        return f"{_MET_BY[clock]} {local(row.met_at)}, {spare} before the limit. It is met."
    if row.state == DeadlineState.FIRED and row.met_at is None:
        return f"Nothing came by {local(row.due_at)}. It is missed and stays missed."
    if row.state == DeadlineState.FIRED and row.met_at is not None:
        late = durations.words((row.met_at - row.due_at).total_seconds())
        return f"{_MET_BY[clock]} {local(row.met_at)}, {late} late. It is missed and stays missed."
    return _open_sentence(row, at)


def _open_sentence(row: Deadline, at: datetime) -> str:
    if row.state == DeadlineState.CANCELLED and row.payload.get("paused"):
        paused = row.payload["paused"]
        since = local(datetime.fromisoformat(paused["from"]))
        left = durations.words(max(paused["left"], 0))
        return f"It stands still since {since}: {paused['reason']} When it runs on, {left} are left."
    if row.state == DeadlineState.CANCELLED and row.payload.get("skip"):
        skip = row.payload["skip"]
        when = local(datetime.fromisoformat(skip["at"]))
        return f"{skip['by']} skipped it {when}: {skip['reason']} It counts neither as met nor as missed."
    if row.state == DeadlineState.CANCELLED:
        return "It was cancelled and counts neither as met nor as missed."
    if at > row.due_at:
        return f"That is {durations.words((at - row.due_at).total_seconds())} ago, so it is missed."
    return f"{durations.words((row.due_at - at).total_seconds())} are left."
