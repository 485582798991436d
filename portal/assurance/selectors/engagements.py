"""What the pages of engagements read. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG, has_role
from portal.assurance.backends import AUDITOR
from portal.assurance.enums import EngagementState
from portal.assurance.looks import ENGAGEMENT_LOOKS, Look
from portal.assurance.models import Engagement, GrantedRecord
from portal.lib import times

ORDER = (EngagementState.RUNNING, EngagementState.PLANNED, EngagementState.OVER, EngagementState.ENDED)
SHOWN = 200


@dataclass(frozen=True)
class Row:
    """One engagement as a list shows it."""

    engagement: Engagement
    state: EngagementState
    opens: str
    systems: str
    period: str

    @property
    def look(self) -> Look:
        """Return word, tone and icon of its state."""
        return ENGAGEMENT_LOOKS[self.state]

    @property
    def running(self) -> bool:
        """Tell whether it opens something now."""
        return self.state == EngagementState.RUNNING

    @property
    def may_end(self) -> bool:
        """Tell whether it can still be ended early."""
        return self.state in (EngagementState.RUNNING, EngagementState.PLANNED)


def is_auditor_only(user: Any) -> bool:
    """Tell whether the reader sees engagements as the one who reads: their own, and nobody else's."""
    return not user.is_superuser and has_role(user, AUDITOR)


def all_engagements(user: Any, *, at: datetime) -> list[Row]:
    """Return the engagements that the reader may see, those that run first. Three queries."""
    rows = Engagement.objects.visible_to(user).select_related("auditor").prefetch_related("systems")
    found = [row_of(engagement, at=at) for engagement in rows.order_by("-starts", "-pk")[:SHOWN]]
    return sorted(found, key=lambda row: ORDER.index(row.state))


def own_engagements(user: Any, *, at: datetime) -> list[Row]:
    """Return one's own engagements, also those that are over, by which nothing is read any more. Two queries."""
    rows = Engagement.objects.filter(auditor_id=user.pk).select_related("auditor").prefetch_related("systems")
    found = [row_of(engagement, at=at) for engagement in rows.order_by("-starts", "-pk")[:SHOWN]]
    return sorted(found, key=lambda row: ORDER.index(row.state))


def row_of(engagement: Engagement, *, at: datetime) -> Row:
    """Return an engagement with its terms in words."""
    opens = "every kind of record" if engagement.opens_all else ", ".join(engagement.register_labels).lower()
    names = ", ".join(system.name for system in engagement.systems.all())
    return Row(engagement, engagement.state(at), opens, names or "all systems", _period(engagement, at))


def _period(engagement: Engagement, at: datetime) -> str:
    since, until = engagement.records_from, engagement.records_until
    last = times.day(until - timedelta(microseconds=1), at) if until else ""
    if since and until:
        return f"records of {times.day(since, at)} to {last}"
    if since:
        return f"records from {times.day(since, at)} on"
    return f"records up to {last}" if until else "records of all time"


def records_of(user: Any, engagement: Engagement) -> list[GrantedRecord]:
    """Return the restricted records that an engagement opens by name. One query."""
    return list(GrantedRecord.objects.visible_to(user).filter(engagement=engagement).order_by("pk"))


def whom_to_ask() -> list[str]:
    """Return the names of those who can grant an engagement. One query."""
    rows = User.objects.filter(groups__name=BY_SLUG["administrator"].name, is_active=True)
    return [str(user) for user in rows.order_by("last_name", "username").distinct()]
