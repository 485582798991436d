"""The rules of an incident as tables and pure functions. Nothing here reads the database or the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from incidents.enums import OPEN, IncidentType, Status
from portal.lib.blank import is_blank
from portal.lib.refusals import Refusal


class Refused(Refusal):
    """A verb does not fit the incident as it stands. The sentence is shown to the user."""


# verb: {state before: state after}
TRANSITIONS: MappingProxyType[str, dict[Status, Status]] = MappingProxyType(
    {
        "acknowledge": {Status.DECLARED: Status.ACKNOWLEDGED},
        "take back the acknowledgement": {Status.ACKNOWLEDGED: Status.DECLARED},
        "mitigate": {Status.ACKNOWLEDGED: Status.MITIGATED},
        "resolve": {Status.ACKNOWLEDGED: Status.RESOLVED, Status.MITIGATED: Status.RESOLVED},
        "resolve by source": {
            Status.DECLARED: Status.RESOLVED,
            Status.ACKNOWLEDGED: Status.RESOLVED,
            Status.MITIGATED: Status.RESOLVED,
        },
        "close": {Status.RESOLVED: Status.CLOSED},
        "merge": {
            Status.DECLARED: Status.MERGED,
            Status.ACKNOWLEDGED: Status.MERGED,
            Status.MITIGATED: Status.MERGED,
        },
        "reopen": {
            Status.RESOLVED: Status.ACKNOWLEDGED,
            Status.CLOSED: Status.ACKNOWLEDGED,
            Status.CANCELLED: Status.ACKNOWLEDGED,
        },
        "reopen by source": {Status.RESOLVED: Status.DECLARED, Status.CLOSED: Status.DECLARED},
        "cancel": {
            Status.DECLARED: Status.CANCELLED,
            Status.ACKNOWLEDGED: Status.CANCELLED,
            Status.MITIGATED: Status.CANCELLED,
        },
    }
)

NEEDS_REASON = frozenset({"reopen"})

_REFUSALS: MappingProxyType[tuple[str, Status], str] = MappingProxyType(
    {
        ("acknowledge", Status.ACKNOWLEDGED): "It is acknowledged already. Post an update or join as a responder.",
        ("acknowledge", Status.MITIGATED): "It is mitigated already. Post an update or join as a responder.",
        ("mitigate", Status.DECLARED): "Nobody has acknowledged it yet. Acknowledge it first.",
        ("resolve", Status.DECLARED): "Nobody has acknowledged it yet. Acknowledge it first, then resolve it.",
        ("close", Status.DECLARED): "It is still open. Acknowledge and resolve it first.",
        ("close", Status.ACKNOWLEDGED): "It is still open. Resolve it first.",
        ("close", Status.MITIGATED): "It is mitigated, but not resolved. Resolve it first.",
        ("merge", Status.RESOLVED): "It is resolved. Link it instead.",
        ("reopen", Status.MERGED): "It was merged into another incident. Split off there what belongs elsewhere.",
        ("cancel", Status.RESOLVED): "It is resolved. Close it instead.",
    }
)


def next_status(verb: str, status: str) -> Status:
    """Return the state that `verb` leads to; Refused is raised with the sentence when it leads nowhere from here."""
    before = Status(status)
    after = TRANSITIONS[verb].get(before)
    if after is None:
        sentence = _REFUSALS.get((verb, before))
        raise Refused(sentence or f"This incident is {before.label.lower()}, so you cannot {verb} it.")
    return after


def can(verb: str, status: str) -> bool:
    """Tell whether `verb` fits an incident in this state."""
    return Status(status) in TRANSITIONS[verb]


def check_open(status: str, act: str) -> None:
    """Refuse `act` on an incident that is no longer open."""
    if status == Status.MERGED:
        raise Refused(f"It was merged into another incident. Open that one before you {act}.")
    if status not in OPEN:
        raise Refused(f"This incident is {Status(status).label.lower()}. Reopen it before you {act}.")


class Mergeable(Protocol):
    """What the rule of merging asks of an incident."""

    reference: str
    restricted: bool
    is_drill: bool
    status: str


def check_merge(duplicate: Mergeable, survivor: Mergeable) -> None:
    """Refuse to merge what is over, into what is over, a drill with what is real, and what more people would read."""
    if survivor.status not in OPEN:
        if survivor.status == Status.MERGED:
            raise Refused(f"{survivor.reference} was merged itself just now. Name the one that it was merged into.")
        state = Status(survivor.status).label.lower()
        raise Refused(f"{survivor.reference} is {state}. Reopen it first, or merge it into this one.")
    if duplicate.is_drill != survivor.is_drill:
        raise Refused("One of the two is a drill and the other is real. They are not the same.")
    if duplicate.restricted and not survivor.restricted:
        raise Refused(f"This one is restricted and {survivor.reference} is not. Restrict that one first.")
    next_status("merge", duplicate.status)


class Grave(Protocol):
    """What the rule of acknowledgements that are carried over asks of an incident."""

    severity: Any
    is_major: bool
    type: str


def covers(duplicate: Grave, survivor: Grave) -> bool:
    """Tell whether an acknowledgement of a duplicate holds for the survivor: whoever gave it saw the duplicate only.

    It does not for one that is of a graver level, a major incident or a security incident when the other is not.
    """
    secures = survivor.type == IncidentType.SECURITY and duplicate.type != IncidentType.SECURITY
    graver = duplicate.severity.level > survivor.severity.level or (survivor.is_major and not duplicate.is_major)
    return not (secures or graver)


def check_reason(verb: str, reason: str) -> None:
    """Refuse a verb that needs a reason when none is given."""
    if verb in NEEDS_REASON and is_blank(reason):
        raise Refused(f"Say in a sentence why you {verb} it. The reason is kept.")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An escalation policy as it stood when the escalation started."""

    name: str
    version: int
    repeat: int
    final_wait: int
    steps: tuple[dict[str, Any], ...]
    acknowledgement_minutes: int | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Snapshot:
        """Read what `as_json` wrote, also before acknowledgements could expire."""
        facts = (data["name"], data["version"], data["repeat"], data["final_wait"], tuple(data["steps"]))
        return cls(*facts, data.get("acknowledgement_minutes"))

    def as_json(self) -> dict[str, Any]:
        """Return plain data to be kept with the escalation."""
        return {
            "name": self.name,
            "version": self.version,
            "repeat": self.repeat,
            "final_wait": self.final_wait,
            "steps": list(self.steps),
            "acknowledgement_minutes": self.acknowledgement_minutes,
        }

    def delay_of(self, step: int) -> int:
        """Return how many seconds step `step` (from 0) waits after the one before it."""
        return int(self.steps[step]["delay"])

    def after(self, round_: int, step: int) -> tuple[int, int, int] | None:
        """Return round, step and seconds of waiting until what follows, or nothing when the policy is exhausted.

        Rounds and steps count from 0. After the last step of a round the final wait passes; the first step of the
        next round adds its own delay.
        """
        if step + 1 < len(self.steps):
            return round_, step + 1, self.delay_of(step + 1)
        if round_ < self.repeat and self.steps:
            return round_ + 1, 0, self.final_wait + self.delay_of(0)
        return None
