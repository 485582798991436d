"""Rules that every portal begins with: for each kind of record the stages that it was registered with.

Loading is idempotent: a kind that has a rule keeps it, whatever somebody made of it.
"""

from __future__ import annotations

from portal.approvals import registry
from portal.approvals.models import ApprovalRule, RuleStage


def load() -> None:
    """Make the rule of each kind that has none. Run it inside `acting`."""
    standing = set(ApprovalRule.objects.values_list("kind", flat=True))
    for kind in registry.kinds():
        if kind.kind in standing:
            continue
        rule = ApprovalRule.objects.create(kind=kind.kind, decide_within_hours=kind.decide_within)
        for position, stage in enumerate(kind.stages, start=1):
            RuleStage.objects.create(
                rule=rule, position=position, name=stage.name, role=stage.role, needed=stage.needed
            )
