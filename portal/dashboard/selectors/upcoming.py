"""What comes next: clocks of the next 24 hours, who is on call, and whether the engine keeps time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef

from incidents import clocks
from incidents.clocks import faces
from incidents.enums import OPEN, Status
from incidents.models import Incident
from portal.dashboard import health
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory import rota
from portal.directory import services as directory
from portal.directory.models import Contact, Team
from portal.notify import services as notify

AHEAD = timedelta(hours=24)
SHOWN_DUE = 6


@dataclass(frozen=True)
class Due:
    """A clock that will run out within a day."""

    incident: Incident
    clock: Any


@dataclass(frozen=True)
class Duty:
    """Who is on call for a team and until when; nobody is a hole with a place to mend it."""

    team: Team
    contact: Contact | None
    until: datetime | None


@dataclass(frozen=True)
class Pulse:
    """The engine on Now."""

    state: health.EngineState
    last_sweep_at: datetime | None
    overdue_seconds: float
    stuck: int
    unsent_seconds: float

    @property
    def is_well(self) -> bool:
        """Tell whether deadlines are fired and messages leave."""
        late = self.overdue_seconds > health.MOST_OVERDUE or self.unsent_seconds > health.MOST_UNSENT
        return not self.state.banner and not late


def due_soon(user: Any, *, at: datetime, but: Incident | None = None) -> list[Due]:
    """Return the next clocks of incidents that the reader may see, earliest first, those of drills last. Two queries.

    A resolved incident can still owe a message. `but` is the one whose clocks the page shows already.
    """
    seen = Incident.objects.visible_to(user).filter(status__in=[*OPEN, Status.RESOLVED])
    if but is not None:
        seen = seen.exclude(pk=but.pk)
    rows = list(
        Deadline.objects.filter(
            kind=clocks.CLOCK,
            state=DeadlineState.PENDING,
            due_at__gte=at,
            due_at__lt=at + AHEAD,
            subject_type=ContentType.objects.get_for_model(Incident),
            subject_id__in=seen.values("pk"),
        )
        .annotate(is_drill=Exists(seen.drills().filter(pk=OuterRef("subject_id"))))
        .order_by("is_drill", "due_at", "id")[:SHOWN_DUE]
    )
    found = seen.select_related("severity").in_bulk([row.subject_id for row in rows])
    return [Due(found[row.subject_id], faces.face(row, at=at)) for row in rows if row.subject_id in found]


def duties(user: Any, *, at: datetime) -> list[Duty]:
    """Return who is on call for each active team that the reader may see. At most eight queries."""
    teams = list(Team.objects.visible_to(user).filter(active=True).order_by("name"))
    turns = directory.turns_ahead([team.pk for team in teams], at=at)
    found = []
    for team in teams:
        holder = rota.holder(turns[team.pk], at)
        until = directory.held_until(turns[team.pk], at)
        found.append(Duty(team, holder.contact if holder else None, until))
    return found


def pulse(*, at: datetime) -> Pulse:
    """Measure the engine for its card. Four queries, each answered by an index."""
    state = health.engine_state(at)
    age = state.last_sweep_age_seconds
    return Pulse(
        state=state,
        last_sweep_at=None if age is None else at - timedelta(seconds=age),
        overdue_seconds=deadlines.oldest_overdue_seconds(at=at),
        stuck=len(notify.stuck(at=at)[:100]),
        unsent_seconds=notify.oldest_unsent_seconds(at=at),
    )
