"""How the story of one incident is told: what people did, minutes after it was declared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

STAKEHOLDERS, CUSTOMERS, EXECUTIVES = "stakeholders", "customers", "executives"
ALERTS = "Alertmanager"
SOURCE = "alerts"  # declares what was not declared by a person


@dataclass(frozen=True)
class Step:
    """One act: so many minutes after the declaration, this verb, by this person, with these words."""

    minute: float
    verb: str
    who: str
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """One incident. It was declared `ago` minutes before now, or so many `days` ago at `clock` o'clock in London."""

    title: str
    level: int
    systems: tuple[str, ...]
    steps: tuple[Step, ...]
    by: str = SOURCE
    ago: float | None = None
    days: int = 0
    clock: str = ""
    description: str = ""
    security: bool = False
    drill: bool = False


def ack(minute: float, who: str) -> Step:
    """Acknowledge."""
    return Step(minute, "acknowledge", who)


def command(minute: float, who: str) -> Step:
    """Take command."""
    return Step(minute, "activate", who)


def tell(minute: float, who: str, audience: str, text: str) -> Step:
    """Record what an audience was told."""
    return Step(minute, "record_update", who, {"audience": audience, "text": text})


def note(minute: float, who: str, text: str) -> Step:
    """Write a note."""
    return Step(minute, "add_note", who, {"text": text})


def join(minute: float, who: str, person: str) -> Step:
    """Add a responder."""
    return Step(minute, "add_responder", who, {"contact": person})


def page(minute: float, who: str, person: str, reason: str) -> Step:
    """Page one more person by hand."""
    return Step(minute, "page_person", who, {"contact": person, "reason": reason})


def grade(minute: float, who: str, level: int, reason: str) -> Step:
    """Change the severity."""
    return Step(minute, "reclassify", who, {"severity": level, "reason": reason})


def keep(minute: float, who: str, name: str, content: str, *, source: str, shows: str) -> Step:
    """Keep a small file as evidence."""
    words = {"name": name, "content": content, "source": source, "description": shows}
    return Step(minute, "keep_evidence", who, words)


def give(minute: float, who: str, person: str, reason: str) -> Step:
    """Hand the newest evidence over."""
    return Step(minute, "give_evidence", who, {"contact": person, "reason": reason})


def tick(minute: float, who: str, team: str, *steps: int) -> Step:
    """Tick the steps with these places among those of a team."""
    return Step(minute, "tick_steps", who, {"team": team, "steps": steps})


def fail(minute: float, who: str, team: str, step: int, reason: str) -> Step:
    """Say that a step of a team did not work."""
    return Step(minute, "fail_step", who, {"team": team, "step": step, "reason": reason})


def act(minute: float, verb: str, who: str, reason: str = "") -> Step:
    """Mitigate, resolve, close, reopen, cancel, pause or resume."""
    return Step(minute, verb, who, {"reason": reason} if reason else {})


def merge(minute: float, who: str, into: str, reason: str) -> Step:
    """Say that it is the same as the open incident of that title."""
    return Step(minute, "merge", who, {"into": into, "reason": reason})


def lived(
    who: str, *, answered: float, fixed: float, closed: float, notes: Iterable[tuple[float, str]]
) -> tuple[Step, ...]:
    """Return the plain life of a smaller incident: answered, worked on, resolved and closed by one person."""
    written = tuple(note(minute, who, text) for minute, text in notes)
    return (ack(answered, who), *written, act(fixed, "resolve", who), act(closed, "close", who))
