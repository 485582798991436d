"""Everything that an incident room shows, read with a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import Http404
from django.urls import reverse

from incidents import clocks, escalation, services
from incidents.acts import Offers, offers
from incidents.checklists import WORKED
from incidents.clocks import ClockFace
from incidents.enums import IncidentType, Status
from incidents.escalation import EscalationView
from incidents.looks import Look, status_look
from incidents.models import AccessGrant, Incident, Responder, Subscription
from incidents.recovering import Stopwatch, stopwatches
from incidents.selectors.communications import Waiting, followed_by, waiting_of
from incidents.selectors.nearby import Nearby, nearby_of
from incidents.selectors.people import People, people_of
from incidents.selectors.related import Related, related_to
from incidents.selectors.security import Security, security_of
from incidents.selectors.timeline import Communication, Timeline, communications_of, timeline_of
from incidents.services import shutting
from portal.accounts.roles import has_role
from portal.lib import times
from portal.lib.visibility import hidden_keys
from portal.notify import services as notify
from portal.notify.models import Message
from portal.records import hints
from portal.records import services as records
from portal.records.hints import Hints
from portal.records.models import Note

STEPS = (
    ("declared", Status.DECLARED, "somebody noticed"),
    ("acknowledged", Status.ACKNOWLEDGED, "somebody takes care"),
    ("mitigated", Status.MITIGATED, "nobody suffers any more"),
    ("resolved", Status.RESOLVED, "the cause is removed"),
    ("closed", Status.CLOSED, "everything is told and done"),
)
MOST_STUCK = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the lifecycle bar: done, now or last, or ahead with a hint. A skipped one has no moment."""

    label: str
    state: str
    icon: str
    at: datetime | None
    by: str
    hint: str
    another_day: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The incident room for one reader."""

    incident: Incident
    look: Look
    systems: list[Any]
    stages: list[Stage]
    cards: list[ClockFace]
    offers: Offers
    people: People
    escalation: EscalationView | None
    responders: list[Responder]
    stuck: list[Message]
    timeline: Timeline
    communications: list[Communication]
    messages: list[Waiting]
    followed: Subscription | None
    nearby: Nearby
    real: Incident | None
    drill: Incident | None
    grants: list[AccessGrant]
    security: Security
    survivor: Incident | None
    related: list[Related]
    linked: list[records.Linked]
    shutdown: Shutdown | None
    recovery: list[Stopwatch]
    overdue: Hints


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Whether the shutdown procedures of a security incident's systems are released: the last word on it."""

    released: bool
    said: Note | None
    url: str


def shutdown_of(incident: Incident, user: Any) -> Shutdown | None:
    """Return how shutdown stands while a security incident is worked. `url` is empty for all but security leads."""
    if incident.type != IncidentType.SECURITY or incident.status not in WORKED:
        return None
    said = shutting.last_word(incident)
    released = said is not None and bool(said.data.get("released"))
    may = has_role(user, shutting.LEAD) and user.has_perm("incidents.change_incident")
    verb = "hold" if released else "release"
    return Shutdown(released, said, reverse("incidents:act", args=[incident.reference, verb]) if may else "")


def incident_for(user: Any, reference: str) -> Incident:
    """Return the incident with this reference; Http404 is raised when there is none that the reader may see."""
    rows = Incident.objects.visible_to(user).select_related("severity", "commander").prefetch_related("systems__owner")
    found: Incident | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No incident {reference} can be seen.")
    return found


def _survivor_of(incident: Incident, user: Any) -> Incident | None:
    """Return what the incident was merged into, where the reader may see that."""
    if incident.merged_into_id is None:
        return None
    found: Incident | None = Incident.objects.visible_to(user).filter(pk=incident.merged_into_id).first()
    return found


def hidden_from(user: Any, reference: str) -> Incident | None:
    """Return the restricted incident with this reference that the reader may not see, for whoever breaks the glass."""
    keys = hidden_keys(Incident, user)
    return None if keys is None else Incident.objects.filter(pk__in=keys, reference=reference.upper()).first()


def room_of(incident: Incident, *, user: Any, show: str, page: int, at: datetime) -> Room:
    """Return what the room of an incident shows `user` at `at`, with this page of its timeline."""
    links = records.links_of(incident, user=user)
    cards = clocks.clock_cards(incident, at=incident.closed_at or incident.cancelled_at or incident.merged_at or at)
    return Room(
        incident=incident,
        look=status_look(incident.status),
        systems=list(incident.systems.all()),
        stages=stages_of(incident, at=at),
        cards=cards,
        offers=offers(incident, cards),
        people=people_of(incident, at=at, user=user),
        escalation=escalation.state_of(incident),
        responders=list(incident.responders.select_related("contact")),
        stuck=stuck_of(incident, at=at),
        timeline=timeline_of(incident, user=user, show=show, page=page, at=at),
        communications=communications_of(incident, cards),
        messages=waiting_of(incident, user=user),
        followed=followed_by(user, incident),
        nearby=nearby_of(incident, links, user=user, at=at),
        real=services.became(incident).visible_to(user).first() if incident.is_drill else None,
        drill=None if incident.is_drill else services.came_from(incident).visible_to(user).first(),
        grants=services.standing_grants(incident, at=at) if incident.restricted else [],
        security=security_of(incident),
        survivor=_survivor_of(incident, user),
        related=related_to(incident, user=user) if incident.is_open else [],
        shutdown=shutdown_of(incident, user),
        recovery=stopwatches(incident, list(incident.systems.all()), at=at),
        overdue=hints.of(hints.OVERDUE, incident.systems.all() if incident.is_open else (), user=user, at=at),
        linked=[link for link in links if link.kind not in records.LINK_WORDS],
    )


def stages_of(incident: Incident, *, at: datetime) -> list[Stage]:
    """Return the lifecycle bar; nothing for one cancelled or merged, which left it by the side."""
    if incident.status in (Status.CANCELLED, Status.MERGED):
        return []
    here = [status for _, status, _ in STEPS].index(Status(incident.status))
    return [_stage(incident, place - here, *step, at=at) for place, step in enumerate(STEPS)]


def _stage(incident: Incident, distance: int, name: str, status: Status, hint: str, *, at: datetime) -> Stage:
    moment, by = getattr(incident, f"{name}_at"), getattr(incident, f"{name}_by")
    if distance > 0:
        return Stage(status.label, "ahead", "circle-dashed", None, "", hint, another_day=False)
    last = distance == 0 and status == Status.CLOSED
    state = "last" if last else "now" if distance == 0 else "done"
    icon = "circle-dot" if state == "now" else "check" if moment else "minus"
    another_day = moment is not None and times.day(moment, at) != times.day(at, at)
    return Stage(status.label, state, icon, moment, by, "skipped", another_day)


def stuck_of(incident: Incident, *, at: datetime) -> list[Message]:
    """Return the messages about this incident that did not get through, newest first."""
    kind = ContentType.objects.get_for_model(Incident)
    rows = notify.stuck(at=at).filter(about_type=kind, about_id=incident.pk)
    return list(rows.select_related("contact", "channel", "method").order_by("-created_at", "-id")[:MOST_STUCK])
