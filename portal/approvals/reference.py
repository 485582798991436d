"""Rules that every portal begins with: for each kind of record the stages that it was registered with.

Loading is idempotent: a kind that has a rule keeps it, whatever somebody made of it.
"""

from __future__ import annotations

from portal.approvals import registry
from portal.approvals.models import ApprovalRule, RuleStage
from portal.approvals.registry import Variant


def load() -> None:
    """Make the rule of each kind, and of each of its variants, that has none. Run it inside `acting`."""
    standing = set(ApprovalRule.objects.values_list("kind", "variant"))
    for kind in registry.kinds():
        for variant in (Variant("", "", kind.stages, kind.decide_within), *kind.variants):
            if (kind.kind, variant.slug) not in standing:
                _make(kind.kind, variant)


def _make(kind: str, variant: Variant) -> None:
    rule = ApprovalRule.objects.create(kind=kind, variant=variant.slug, decide_within_hours=variant.decide_within)
    for position, stage in enumerate(variant.stages, start=1):
        RuleStage.objects.create(rule=rule, position=position, name=stage.name, role=stage.role, needed=stage.needed)
