"""The plans that every installation starts with, as drafts: nobody is reminded of them until somebody owns them.

The first four are the table of the owner's runbook template, the others the weekly and monthly duties of the
operational procedures. Loading is idempotent: they are written while no plan stands, and edits are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from maintenance import services
from maintenance.enums import Basis, Frequency, Shift
from maintenance.models import Plan
from portal.directory.models import Calendar, Team
from portal.directory.services import company_calendar

BY = "system: reference data"
REASON = "Reference data of this version"
PATCH_TOPIC = "maintenance.security-patch"
MONDAY, FIRST = date(2026, 1, 5), date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Seed:
    """One plan of the owner's documents. `team` is the slug of the team that answers for it."""

    task: str
    frequency: Frequency
    procedure: str
    team: str = "ops"
    more: tuple[tuple[str, Any], ...] = ()


SEEDS = (
    Seed(
        "Dependency updates", Frequency.MONTHLY,
        "Read what changed in each dependency since last month. Update it in staging, run the checks of every module "
        "that it touches, then bring it to production as a change.",
        more=(("needs_evidence", True),),
    ),
    Seed(
        "Security patches", Frequency.AS_NEEDED,
        "Assess the patch, test it in staging, coordinate with the owners of the systems, deploy it, and verify that "
        "the patched version runs. The standard change “Security patch” does it, and closing that does this task.",
        "security",
        (("trigger", "A maker publishes a fix for a weakness of something we run."), ("ceiling_days", 30),
         ("topic", PATCH_TOPIC), ("grace_days", 1)),
    ),
    Seed(
        "Log rotation", Frequency.DAILY,
        "The job that rotates the logs says itself that it has run: give it a token of this plan. Silence is overdue.",
        "platform", (("due_time", time(6)), ("grace_days", 1)),
    ),
    Seed(
        "Certificate renewal", Frequency.ANNUAL,
        "Renew every certificate before it expires, install it, and verify on each host which one is served and until "
        "when.",
        "platform", (("needs_evidence", True), ("needs_sign_off", True), ("grace_days", 0), ("shift", Shift.PREVIOUS)),
    ),
    Seed(
        "Capacity review", Frequency.WEEKLY,
        "Read the seven-day averages of use. Go through what scaled, and why. Note what is to be made faster.",
        "platform",
    ),
    Seed(
        "Security patch assessment", Frequency.WEEKLY,
        "Go through the security patches that came out: which are critical, which of our systems they touch, what "
        "compliance asks for. For those that are needed, say so in the plan “Security patches”.",
        "security",
    ),
    Seed(
        "Vulnerability assessment", Frequency.MONTHLY,
        "Scan all systems for vulnerabilities. Each finding becomes a change, or is accepted with a reason.",
        "security", (("needs_evidence", True),),
    ),
    Seed(
        "Access control review", Frequency.MONTHLY,
        "Go through who may do what, and who was given more. The access review of this portal keeps each decision.",
        "security", (("needs_sign_off", True),),
    ),
    Seed(
        "Compliance validation: GDPR and CAN-SPAM", Frequency.MONTHLY,
        "Check what GDPR and CAN-SPAM ask of us, and of our branch: consent, opting out, erasure, what is kept how "
        "long. Keep what shows it.",
        "security", (("needs_evidence", True), ("needs_sign_off", True)),
    ),
    Seed(
        "Optimisation review", Frequency.MONTHLY,
        "Look closely at performance, at what is used and at what it costs. Write down what is worth changing.",
        "platform",
    ),
    Seed(
        "Operational KPI report", Frequency.MONTHLY,
        "Write the report of the month: availability, incidents and their times, changes and how they ended, overdue "
        "maintenance.",
        more=(("needs_evidence", True),),
    ),
)  # fmt: skip


def load(*, at: datetime) -> None:
    """Write the plans of the owner's documents while no plan stands."""
    if Plan.objects.exists():
        return
    calendar, teams = company_calendar(), {team.slug: team for team in Team.objects.all()}
    for seed in SEEDS:
        values = {**_usual(seed, calendar), "team": teams.get(seed.team), **dict(seed.more)}
        services.draft(values, by=BY, at=at, reason=REASON)


def _usual(seed: Seed, calendar: Calendar) -> dict[str, Any]:
    """Return what a plan of this frequency has where its line says nothing else."""
    found: dict[str, Any] = {
        "task": seed.task,
        "procedure": seed.procedure,
        "frequency": seed.frequency,
        "basis": Basis.FIXED,
        "anchor": MONDAY if seed.frequency == Frequency.WEEKLY else FIRST,
        "time_zone": calendar.time_zone,
    }
    if seed.frequency not in (Frequency.DAILY, Frequency.AS_NEEDED):
        found |= {"calendar": calendar, "shift": Shift.NEXT}
    if seed.frequency == Frequency.ANNUAL:
        found |= {"calendar": calendar, "grace_days": 7, "lead_days": 60}
    return found
