"""Rows that every installation starts with: policies, what labels of alerts mean, and words for audiences.

Loading is idempotent: what is missing while nothing of its kind stands is made, and what somebody edited is left alone.
"""

from __future__ import annotations

from incidents.communications import reference as communications
from incidents.enums import TargetKind
from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget, IntakeMapping
from portal.directory.models import Severity, Team

REASON = "Reference data of this version"

# name: (default, security, steps of (seconds after the step before, teams))
POLICIES: dict[str, tuple[bool, bool, tuple[tuple[int, tuple[str, ...]], ...]]] = {
    "On call, then operations": (True, False, ((0, ("oncall",)), (300, ("ops",)))),
    "Security": (False, True, ((0, ("security",)), (300, ("oncall", "ops")))),
}

# What the label `severity` of an alert says: the level of each word, by the severity words of the company.
SEVERITY_WORDS = {
    "critical": 1, "fatal": 1, "emergency": 1, "high": 2, "error": 2, "major": 2, "warning": 3, "medium": 3, "minor": 3,
    "average": 3, "low": 4, "info": 4, "ok": 4,
}  # fmt: skip
FIRST_POSITION = 900  # behind the mappings that people add


def load() -> None:
    """Make the policies when there is none at all, the mappings when there is no mapping, and so on."""
    _load_policies()
    _load_mappings()
    communications.load()


def _load_mappings() -> None:
    levels = {severity.level: severity for severity in Severity.objects.all()}
    if IntakeMapping.objects.exists():
        return
    for position, (word, level) in enumerate(SEVERITY_WORDS.items(), start=FIRST_POSITION):
        if level in levels:
            IntakeMapping.objects.create(position=position, label="severity", value=word, severity=levels[level])


def _load_policies() -> None:
    if EscalationPolicy.objects.exists():
        return
    teams = {team.slug: team for team in Team.objects.all()}
    for name, (is_default, for_security, steps) in POLICIES.items():
        policy = EscalationPolicy.objects.create(name=name, is_default=is_default, for_security=for_security)
        for position, (delay, slugs) in enumerate(steps, start=1):
            step = EscalationStep.objects.create(policy=policy, position=position, delay_seconds=delay)
            for slug in slugs:
                if slug in teams:
                    EscalationTarget.objects.create(step=step, kind=TargetKind.TEAM, team=teams[slug])
