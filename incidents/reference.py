"""Rows that every installation starts with: one policy for all, one for security, and what labels of alerts mean.

Loading is idempotent: what is missing while nothing of its kind stands is made, and what somebody edited is left alone.
"""

from __future__ import annotations

from incidents.enums import TargetKind
from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget
from portal.directory.models import Team

# name: (default, security, steps of (seconds after the step before, teams))
POLICIES: dict[str, tuple[bool, bool, tuple[tuple[int, tuple[str, ...]], ...]]] = {
    "On call, then operations": (True, False, ((0, ("oncall",)), (300, ("ops",)))),
    "Security": (False, True, ((0, ("security",)), (300, ("oncall", "ops")))),
}


def load() -> None:
    """Make the policies when there is none at all."""
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
