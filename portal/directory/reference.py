"""The rows that the portal cannot do without: teams, severity levels with their clocks, the company's calendar.

They are data that an administrator may change. `load` creates what is missing and never touches what stands, so it
runs after every migration. The severity table and its response times are those of the owner's runbook template;
the further clocks are those of the operational procedures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from portal.directory.enums import Clock, LimitUnit, Tone
from portal.directory.models import Calendar, Severity, SeverityClock, Team

REASON = "Reference data of this version"

TEAMS = {
    "oncall": ("First responders", "Are called first, and answer whatever no other team owns."),
    "security": ("Security", "Answers security incidents, and keeps their evidence."),
    "platform": ("Platform", "Runs databases, queues, networks and hosts."),
    "support": ("Support", "Runs the support-ticket system, and speaks with customers."),
    "ops": ("Operations", "Carries out changes and maintenance."),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one clock in `unit`; after the first message the next is due every `repeat` minutes."""

    clock: Clock
    limit: int
    repeat: int | None = None
    unit: LimitUnit = LimitUnit.MINUTES


RESOLVE = Limit(Clock.RESOLVE, 0, unit=LimitUnit.OBJECTIVE)

SEVERITIES: list[tuple[dict[str, Any], list[Limit]]] = [
    (
        {
            "level": 1,
            "code": "SEV-1",
            "name": "Critical",
            "description": "Complete outage.",
            "example": "A system is down.",
            "tone": Tone.RED,
            "is_major": True,
            "pages_loudly": True,
            "ignores_quiet_hours": True,
            "target": "15 minutes",
        },
        [
            Limit(Clock.RESPONSE, 15),
            Limit(Clock.ACTIVATION, 5),
            Limit(Clock.STAKEHOLDERS, 15, repeat=30),
            Limit(Clock.CUSTOMERS, 30, repeat=30),
            Limit(Clock.EXECUTIVES, 60),
            RESOLVE,
        ],
    ),
    (
        {
            "level": 2,
            "code": "SEV-2",
            "name": "High",
            "description": "Major degradation.",
            "example": "Everything is slow, or an important part fails.",
            "tone": Tone.ORANGE,
            "is_major": True,
            "pages_loudly": True,
            "target": "1 hour",
        },
        [
            Limit(Clock.RESPONSE, 60),
            Limit(Clock.CUSTOMERS, 30, repeat=60),
            Limit(Clock.EXECUTIVES, 60),
            RESOLVE,
        ],
    ),
    (
        {
            "level": 3,
            "code": "SEV-3",
            "name": "Medium",
            "description": "Partial impact.",
            "example": "A feature that is not critical is broken.",
            "tone": Tone.AMBER,
            "target": "4 hours",
        },
        [Limit(Clock.RESPONSE, 240), RESOLVE],
    ),
    (
        {
            "level": 4,
            "code": "SEV-4",
            "name": "Low",
            "description": "Minor issue.",
            "example": "A cosmetic fault.",
            "tone": Tone.GREY,
            "target": "1 day",
        },
        [Limit(Clock.RESPONSE, 1, unit=LimitUnit.BUSINESS_DAYS), RESOLVE],
    ),
]


@transaction.atomic
def load() -> None:
    """Create the reference rows that are missing. Run it inside `acting`."""
    _load_teams()
    _load_severities()
    if not Calendar.objects.exists():
        Calendar.objects.create(name="Company", time_zone=_company_zone(), country="GB", subdivision="ENG")


def _company_zone() -> str:
    """Return the zone that the installation names, or the owner's."""
    return settings.TIME_ZONE if settings.TIME_ZONE != "UTC" else "Europe/London"


def _load_teams() -> None:
    present = set(Team.objects.values_list("slug", flat=True))
    for slug, (name, description) in TEAMS.items():
        if slug not in present:
            Team.objects.create(slug=slug, name=name, description=description)


def _load_severities() -> None:
    """Create missing levels with their clocks. A clock that somebody removed from a level stays removed."""
    present = {fact for pair in Severity.objects.values_list("level", "code") for fact in pair}
    if present:
        _say_what_is_loud()
    for row, limits in SEVERITIES:
        if row["level"] in present or row["code"] in present:
            continue
        severity = Severity.objects.create(**row)
        for limit in limits:
            SeverityClock.objects.create(
                severity=severity, clock=limit.clock, limit=limit.limit, unit=limit.unit, repeat_minutes=limit.repeat
            )


def _say_what_is_loud() -> None:
    """Give levels that are older than loud pages and quiet hours what they would have been made with, once.

    Whether somebody ever chose is told by history, so that a choice against it stays.
    """
    flags = ("pages_loudly", "ignores_quiet_hours")
    chosen = Q(*[(flag, True) for flag in flags], _connector=Q.OR)
    if Severity.history.filter(chosen).exists():
        return
    for row, _ in SEVERITIES:
        severity = Severity.objects.filter(level=row["level"], code=row["code"]).first()
        if severity is not None and any(row.get(flag) for flag in flags):
            for flag in flags:
                setattr(severity, flag, row.get(flag, False))
            severity.save()
