"""Which policy fits an incident, and the snapshot of it that the escalation runs on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget
from incidents.policy import Snapshot
from portal.directory.models import System


def choose_policy(systems: list[System], *, security: bool) -> EscalationPolicy | None:
    """Return the policy that fits: for security incidents their own, then one of a system, then the default."""
    policies = EscalationPolicy.objects.filter(active=True).prefetch_related("systems").order_by("name")
    return fitting(policies, {system.pk for system in systems}, security=security)


def fitting(
    policies: Iterable[EscalationPolicy], system_ids: Collection[int], *, security: bool
) -> EscalationPolicy | None:
    """Return the one of these active policies, in the order of their names, that fits an incident of these systems."""
    ids = set(system_ids)

    def rank(policy: EscalationPolicy) -> int:
        if policy.for_security:
            return 0 if security else 9
        if ids & {system.pk for system in policy.systems.all()}:
            return 1
        return 2 if policy.is_default else 9

    return min((policy for policy in policies if rank(policy) < 9), key=rank, default=None)


def snapshot_of(policy: EscalationPolicy | None) -> Snapshot:
    """Return the policy as it stands now. Without a policy there are no steps: the administrators are paged at once."""
    if policy is None:
        return Snapshot(name="", version=0, repeat=0, final_wait=0, steps=())
    rows = policy.steps.prefetch_related("targets__contact", "targets__team", "targets__channel").order_by("position")
    return freeze(policy, rows)


def freeze(policy: EscalationPolicy, rows: Iterable[EscalationStep]) -> Snapshot:
    """Return the policy with these steps, whose targets are loaded, as an escalation would keep it."""
    steps = [{"delay": step.delay_seconds, "targets": [_frozen(one) for one in step.targets.all()]} for step in rows]
    facts = (policy.name, policy.version, policy.repeat, policy.final_wait_seconds, tuple(steps))
    return Snapshot(*facts, policy.acknowledgement_minutes)


def _frozen(target: EscalationTarget) -> dict[str, Any]:
    if target.role:
        return {"kind": target.kind, "role": target.role, "name": target.get_role_display()}
    row = target.contact or target.team or target.channel
    return {"kind": target.kind, "id": getattr(row, "pk", None), "name": str(row)}
