"""Drills as they are looked back at: what was done when, which clocks were kept, which messages got through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, QuerySet

from incidents import clocks, messages, services
from incidents.clocks import ClockFace
from incidents.looks import Look, status_look
from incidents.models import Incident
from incidents.services.carrying import MERGED
from incidents.services.expiring import EXPIRING
from portal.notify.models import Message, MessageState

RESULTS = {"met": "met", "missed": "missed", "skipped": "skipped"}
KINDS = {
    "Pages": messages.PAGES,
    "Warnings and missed clocks": ("incident_at_risk", "incident_missed", EXPIRING, MERGED),
    "Messages to audiences": (messages.COMMUNICATION,),
    "To followers": (messages.FOLLOWED,),
}
STATES = {
    "sent": (MessageState.SENT,),
    "waiting": (MessageState.PENDING, MessageState.SENDING),
    "failed": (MessageState.FAILED, MessageState.DEAD),
    "stopped": (MessageState.CANCELLED,),
}
MOMENTS = (
    ("Acknowledged", "acknowledged"),
    ("Commander named", "activated"),
    ("Mitigated", "mitigated"),
    ("Resolved", "resolved"),
    ("Closed", "closed"),
    ("Cancelled", "cancelled"),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was done, by whom, and how long after the start; nothing but its label while it was not."""

    label: str
    at: datetime | None
    by: str
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Line:
    """One drill in the list. `clocks` counts its clocks by result, `messages` those that left the portal by state."""

    incident: Incident
    look: Look
    systems: str
    acknowledged_after: timedelta | None
    clocks: dict[str, int]
    messages: dict[str, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """The messages of one kind by state."""

    label: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody or a channel that was sent messages on account of the drill, by which ways, and what failed."""

    name: str
    lanes: list[str]
    first_at: datetime | None
    messages: int
    failed: int


@dataclass(frozen=True, slots=True)
class Report:
    """How a drill went."""

    look: Look
    moments: list[Moment]
    cards: list[ClockFace]
    clocks: dict[str, int]
    sent: list[Sent]
    reached: list[Reached]
    real: Incident | None


def drills_of(user: Any) -> QuerySet[Incident]:
    """Return the drills that the reader may see, the newest first."""
    found: QuerySet[Incident] = Incident.objects.visible_to(user).drills().order_by("-declared_at", "-id")
    return found


def lines_of(user: Any, ids: list[int], *, at: datetime) -> list[Line]:
    """Return these drills as lines, in the order of the ids. Four queries."""
    rows = drills_of(user).filter(pk__in=ids).select_related("severity").prefetch_related("systems")
    found = {row.pk: row for row in rows}
    kept = clocks.of_many(ids)
    states: dict[int, Counter[str]] = {pk: Counter() for pk in ids}
    for one in _leaving(ids).order_by().values("about_id", "state").annotate(number=Count("pk")):
        states[one["about_id"] or 0][one["state"]] += one["number"]
    return [
        Line(
            incident=found[pk],
            look=status_look(found[pk].status),
            systems=", ".join(system.name for system in found[pk].systems.all()),
            acknowledged_after=_after(found[pk], found[pk].acknowledged_at),
            clocks=_results(clocks.state_of(row, at=at) for row in kept.get(pk, {}).values()),
            messages=_by_state(states[pk]),
        )
        for pk in ids
        if pk in found
    ]


def report_of(incident: Incident, *, user: Any, at: datetime) -> Report:
    """Return how a drill went, as it stands at `at`."""
    cards = clocks.clock_cards(incident, at=incident.closed_at or incident.cancelled_at or at, every=True)
    rows = list(_leaving([incident.pk]).select_related("contact", "channel").order_by("created_at", "id"))
    return Report(
        look=status_look(incident.status),
        moments=_moments(incident),
        cards=cards,
        clocks=_results(card.state for card in cards),
        sent=_sent(rows),
        reached=_reached(rows),
        real=services.became(incident).visible_to(user).first(),
    )


def _leaving(ids: Iterable[int]) -> QuerySet[Message]:
    """Return the messages on account of these drills that leave the portal; the inbox has them all besides."""
    kind = ContentType.objects.get_for_model(Incident)
    rows: QuerySet[Message] = Message.objects.filter(about_type=kind, about_id__in=list(ids)).exclude(lane="inbox")
    return rows


def _moments(incident: Incident) -> list[Moment]:
    found = []
    for label, name in MOMENTS:
        moment = getattr(incident, f"{name}_at")
        if moment is not None or name in {"acknowledged", "activated", "resolved"}:
            found.append(Moment(label, moment, getattr(incident, f"{name}_by"), _after(incident, moment)))
    return found


def _after(incident: Incident, moment: datetime | None) -> timedelta | None:
    return moment - incident.declared_at if moment is not None else None


def _results(states: Iterable[str]) -> dict[str, int]:
    """Count clocks by result; what is neither met, missed nor skipped has no result yet, or was taken back."""
    counted = Counter(RESULTS.get(state, "running") for state in states if state != "cancelled")
    return {name: counted[name] for name in (*RESULTS, "running")}


def _by_state(counted: Counter[str]) -> dict[str, int]:
    return {name: sum(counted[state] for state in states) for name, states in STATES.items()}


def _sent(rows: list[Message]) -> list[Sent]:
    found = []
    for label, kinds in KINDS.items():
        counted = Counter(row.state for row in rows if row.kind in kinds)
        if counted:
            found.append(Sent(label, _by_state(counted)))
    return found


def _reached(rows: list[Message]) -> list[Reached]:
    """Return whom these messages reached, and whom they were meant to reach and failed; what waits reached nobody."""
    mine: dict[str, list[Message]] = {}
    sent, failed = STATES["sent"], STATES["failed"]
    for row in rows:
        if row.state in (*sent, *failed):
            mine.setdefault(str(row.contact or row.channel or row.shown_address), []).append(row)
    return [
        Reached(
            name, sorted({row.lane for row in some}),
            min((row.settled_at for row in some if row.state in sent and row.settled_at), default=None),
            sum(row.state in sent for row in some), sum(row.state in failed for row in some),
        )
        for name, some in sorted(mine.items())
    ]  # fmt: skip
